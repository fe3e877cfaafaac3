"""From a spec string to a codec. Codecs of other packages come in by an entry point."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import re
import threading
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any, TypeVar

from . import dialects
from .codec import Codec
from .errors import SpecError
from .spec import build, check_options, nearest, split_spec

GROUP = "maskcodec.codecs"
"""The entry-point group: `name = "package.module:CodecClass"`."""

C = TypeVar("C", bound=type[Codec[Any]])

_registered: dict[str, type[Codec[Any]]] = {}
_unusable: dict[str, str] = {}  # what other packages offer and can't be loaded -> why
_loading = threading.RLock()
_others_are_loaded = False


def register(name: str) -> Callable[[C], C]:
    """Class decorator: make a codec known under `name`.

    A name maps to one text format for ever; a changed format takes a new name.

    Raises:
        SpecError: the name is taken or malformed, the class is no frozen dataclass or lacks a
            method, or a field is of a type that no spec string can say.
    """

    def decorate(codec: C) -> C:
        _add(name, codec)
        return codec

    return decorate


def list_codecs() -> tuple[str, ...]:
    """The names of all codecs, sorted."""
    return tuple(sorted(_codecs()))


def unusable_codecs() -> dict[str, str]:
    """What other packages offer and can't be loaded: the entry point's name, and why."""
    _codecs()
    return dict(sorted(_unusable.items()))


def codec_class(name: str) -> type[Codec[Any]]:
    """The class behind a codec's name.

    Raises:
        SpecError: no such codec, or it is another package's and can't be loaded.
    """
    codecs = _codecs()
    if name not in codecs:
        if name in _unusable:
            raise SpecError(f"codec {name!r} can't be loaded: {_unusable[name]}")
        valid = ", ".join(sorted(codecs))
        raise SpecError(f"no codec {name!r}{nearest(name, codecs)}; codecs are: {valid}")
    return codecs[name]


def get_codec(spec: str) -> Codec[Any]:
    """Make the codec that a spec string names, e.g. `"text4seg:grid=32,rle=row"`.

    Raises:
        SpecError: no such codec or option, or a value that it can't take.
    """
    name, options = split_spec(spec)
    codec: Codec[Any] = build(codec_class(name), options, spec)
    return codec


def _add(name: str, codec: type[Codec[Any]]) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_.-]*", name):
        raise SpecError(f"codec name {name!r}: use a-z, 0-9, '_', '-' and '.', a letter first")
    parameters: Any = getattr(codec, "__dataclass_params__", None)
    if not any(base is Codec for base in getattr(codec, "__mro__", ())):
        raise SpecError(f"codec {name!r}: {codec!r} is not a subclass of maskcodec.Codec")
    if parameters is None or not parameters.frozen:
        raise SpecError(f"codec {name!r}: {codec.__name__} must be a @dataclass(frozen=True)")
    if _registered.get(name, codec) is not codec:
        raise SpecError(f"codec {name!r} is registered twice: {_registered[name]!r} and {codec!r}")
    missing = sorted(getattr(codec, "__abstractmethods__", ()))
    if missing:
        raise SpecError(f"codec {name!r}: {codec.__name__} lacks {', '.join(missing)}")
    try:
        check_options(codec)
    except SpecError as error:
        raise SpecError(f"codec {name!r}: {error}") from None
    taken = [known for known, other in _registered.items() if other is codec and known != name]
    if taken:
        raise SpecError(f"{codec.__name__} is registered already, as codec {taken[0]!r}")
    codec.name = name
    _registered[name] = codec


def _codecs() -> dict[str, type[Codec[Any]]]:
    _load_own()
    with _loading:
        _load_others()
    return _registered


@functools.cache
def _load_own() -> None:
    """Import every module of `maskcodec.dialects`."""
    for module in pkgutil.iter_modules(dialects.__path__):
        if not module.name.startswith("_"):
            importlib.import_module(f"{dialects.__name__}.{module.name}")


def _load_others() -> None:
    """Take what other packages offer, once; one that fails costs nobody else anything.

    A package that asks for a codec while it is imported finds those that are there by then.
    """
    global _others_are_loaded
    if _others_are_loaded:
        return
    _others_are_loaded = True
    for point in entry_points(group=GROUP):
        try:
            _add(point.name, point.load())
        except (Exception, SystemExit) as error:
            package = "" if point.dist is None else f" of the package {point.dist.name!r}"
            reason = str(error) if isinstance(error, SpecError) else f"{error!r}"
            _unusable[point.name] = f"entry point {point.value!r}{package}: {reason}"
