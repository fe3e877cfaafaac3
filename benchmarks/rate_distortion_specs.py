"""Which specs a rate-distortion run measures, and on which curve each one lies."""

from __future__ import annotations

from typing import Any, NamedTuple

from maskcodec import Codec, MaskCodecError, get_codec, list_codecs
from maskcodec.spec import options, split_spec

GRIDS = {
    "text4seg": (
        *(f"text4seg:grid={cells}" for cells in (16, 24, 32, 64)),
        *(f"text4seg:grid={cells},sample=best" for cells in (16, 24, 32, 64)),
    ),
    "boxgrid": tuple(f"boxgrid:rows={rows}" for rows in (8, 12, 16, 24, 32, 40)),
    "polygon": tuple(
        f"polygon:tolerance={t}" for t in (0.08, 0.04, 0.02, 0.01, 0.005, 0.002, 0.0005)
    ),
    "gemini": tuple(f"gemini:side={side}" for side in (32, 64, 256)),
    "florence2": tuple(f"florence2:tolerance={t}" for t in (0.04, 0.02, 0.01, 0.005, 0.002)),
    "simpleseg": tuple(f"simpleseg:epsilon={e}" for e in (0.02, 0.008, 0.003, 0.001)),
    "vistallm": tuple(f"vistallm:points={points}" for points in (8, 16, 32)),
    "shapetokens": tuple(f"shapetokens:tokens={tokens}" for tokens in (1, 2, 4, 6, 8, 12, 16)),
}
"""The options that are tried of a codec; of one that is not named here its defaults are."""

RATES = {
    "text4seg": ("grid",),
    "boxgrid": ("rows",),
    "polygon": ("tolerance",),
    "gemini": ("side",),
    "florence2": ("tolerance",),
    "simpleseg": ("epsilon",),
    "vistallm": ("points",),
    "shapetokens": ("tokens",),
}
"""The options along which a codec's curve runs; of a codec that is not named here, all are."""


class Setting(NamedTuple):
    """A codec and, where its texts are cut short, the number of codes that are kept.

    Attributes:
        spec: with every option spelt out, and `@N` behind it where N codes are kept.
        codec: the codec.
        keep: N; None keeps all.
    """

    spec: str
    codec: Codec[Any]
    keep: int | None


def default_specs() -> list[str]:
    """The grid of every codec that is installed here."""
    return [spec for name in list_codecs() for spec in GRIDS.get(name, (name,))]


def read_setting(given: str) -> Setting:
    """Read `SPEC`, or `SPEC@N`: what SPEC writes, with the first N codes of an object only.

    Raises:
        SpecError: no such codec or option.
        MaskCodecError: what follows `@` is no number of codes.
    """
    spec, at, count = given.partition("@")
    if at and not (count.isascii() and count.isdigit() and len(count) < 6):
        raise MaskCodecError(f"{given}: {count!r} is no number of codes to keep")
    codec = get_codec(spec)
    return Setting(codec.spec + at + count, codec, int(count) if at else None)


def short_spec(setting: Setting) -> str:
    """The spec with those options alone that make the curve, or that are no defaults."""
    along = RATES.get(setting.codec.name, ())
    changed = _changed(setting.codec)
    _, every = split_spec(setting.codec.spec)
    kept = [f"{name}={value}" for name, value in every.items() if name in (*along, *changed)]
    at = "" if setting.keep is None else f"@{setting.keep}"
    return setting.codec.name + (f":{','.join(kept)}" if kept else "") + at


def curve_of(setting: Setting) -> str:
    """The curve's name: the codec's, with those options that are not along it and no default."""
    name, changed = setting.codec.name, _changed(setting.codec)
    along = RATES.get(name, tuple(changed))
    if setting.keep is not None:
        along = ()
    rest = [f"{option}={value}" for option, value in changed.items() if option not in along]
    return ", ".join([name, *rest] + ["its prefixes"] * (setting.keep is not None))


def _changed(codec: Codec[Any]) -> dict[str, str]:
    """The options that are not as a bare name would have them, as a spec string writes them."""
    _, given = split_spec(codec.spec)
    usual = {option.name: option.default for option in options(type(codec))}
    return {name: value for name, value in given.items() if usual[name] != value}
