"""gRefCOCO: `grefs(unc).json` and `instances.json`; an expression means any number of objects.

`ann_id` is a list of annotations, in which -1 stands for no object (GRES, arXiv 2306.00968).
"""

from __future__ import annotations

from pathlib import Path

from ..records import read_json
from .annotated import Source, SourceOptions
from .refcoco import find_refs, make_source


def read(path: Path, options: SourceOptions) -> Source:
    """Read a `grefs(…).json`, or the folder of one, with the `instances.json` beside it.

    Raises:
        RecordError: a file is missing or unusable as a whole, or the split is empty.
    """
    path = find_refs(path, "grefs*.json")
    return make_source("grefcoco", path, read_json(path), options, "generalised")
