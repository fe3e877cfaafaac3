"""The models that this package ships, and what their names mean in every command."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from .errors import MaskCodecError

TINY, TINY_MASKS = "tiny", "tiny-masks"
"""A small model that knows generated scenes, and an adapter that makes it print their masks."""

_FOLDERS = {TINY: "tiny", TINY_MASKS: "tiny_masks"}


def shipped_folder(name: str | Path) -> Path | None:
    """The folder of a shipped model; None for any other name.

    The names mean the same wherever a command is run: a folder of one's own called tiny is
    `./tiny`.

    Raises:
        MaskCodecError: the model is not in this installation.
    """
    if str(name) not in _FOLDERS:
        return None
    folder = Path(str(resources.files(__package__).joinpath(_FOLDERS[str(name)])))
    if not folder.is_dir():
        raise MaskCodecError(f"{str(name)!r} is not in this installation; give a model's folder")
    return folder
