"""gRefCOCO: `grefs(unc).json` and `instances.json`; an expression means any number of objects.

`ann_id` is a list of annotations, in which -1 stands for no object (GRES, arXiv 2306.00968).
"""

from __future__ import annotations

from pathlib import Path

from ..errors import RecordError
from ..records import brief, read_json
from .annotated import Source, SourceOptions
from .refcoco import find_refs, make_source, ref_record


def read(path: Path, options: SourceOptions) -> Source:
    """Read a `grefs(…).json`, or the folder of one, with the `instances.json` beside it.

    Raises:
        RecordError: a file is missing or unusable as a whole, or the split is empty.
    """
    path = find_refs(path, "grefs*.json")
    value = read_json(path)
    if not isinstance(value, list):
        raise RecordError(f"is {brief(value)}, expected a list of refs", file=str(path))
    refs = [ref_record(path, index, item) for index, item in enumerate(value)]
    return make_source("grefcoco", path, refs, options, "generalised")
