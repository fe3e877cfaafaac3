"""maskcodec: segmentation masks as text, and text as segmentation masks.

>>> import maskcodec as mc
>>> codec = mc.get_codec("text4seg:grid=32")          # doctest: +SKIP
>>> text = codec.encode([mc.Mask(array, "dog")], size=(480, 640))
>>> codec.decode(text, size=(480, 640), errors="repair").masks
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .codec import Codec
    from .decoded import Decoded, Repair
    from .errors import DecodeError, EncodeError, MaskCodecError, RecordError, SpecError
    from .mask import Mask
    from .registry import get_codec, list_codecs, register
    from .spec import GridSize
    from .transcoding import transcode
    from .vocab import Vocab

__version__ = "0.1.0"

# Names are looked up on first use: `import maskcodec` then costs no import of NumPy.
_HOMES = {
    "Codec": "codec",
    "DecodeError": "errors",
    "Decoded": "decoded",
    "EncodeError": "errors",
    "GridSize": "spec",
    "Mask": "mask",
    "MaskCodecError": "errors",
    "RecordError": "errors",
    "Repair": "decoded",
    "SpecError": "errors",
    "Vocab": "vocab",
    "get_codec": "registry",
    "list_codecs": "registry",
    "register": "registry",
    "transcode": "transcoding",
}

__all__ = [
    "Codec",
    "DecodeError",
    "Decoded",
    "EncodeError",
    "GridSize",
    "Mask",
    "MaskCodecError",
    "RecordError",
    "Repair",
    "SpecError",
    "Vocab",
    "get_codec",
    "list_codecs",
    "register",
    "transcode",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
