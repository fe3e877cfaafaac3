"""What `bench learn` trains: its settings, and the trainings that follow from them."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from maskcodec import MaskCodecError, get_codec
from maskcodec.errors import RecordError
from maskcodec.records import read_json
from maskcodec.writing import atomic

SPECS = (
    "shapetokens:tokens=4,boxes=1",
    "shapetokens:tokens=4,boxes=1,spelling=digits",
    "boxgrid:rows=6",
    "polygon:bins=1000,alphabet=decimal,points=8",
    "coco_rle",
    "text4seg:grid=16,rle=image",
)
"""The default codecs: of each family the options whose ceiling on tiny scenes is near .92.

`text4seg` reaches .73 there with 72 tokens (191 with `rle=row`, its default, which would more than
double the time of the whole run); `coco_rle` has no such options and loses nothing.
"""

TRAIN = "scenes:4000 --scene tiny --tasks referring --seed 2"
VAL = "scenes:100 --scene tiny --tasks referring --seed 3"
TEST = "scenes:200 --scene tiny --tasks referring --seed 4"
"""What to train on, to watch, and to test with, as `maskcodec prepare` takes it."""

SETTINGS = "settings.json"
FLAGS = {"rates": "lr"}
"""The flags of settings that are not called like theirs."""

_MOST = 80


@dataclass(frozen=True)
class Settings:
    """What decides the figures of a training, beside its codec, its rate and its seed.

    Attributes:
        model: the base model.
        train: arguments of `maskcodec prepare` for the examples to train on.
        val: for those of the curves.
        test: for those of the final figures.
        batch_size: examples a step.
        rates: learning rates that are tried.
        token_rate: the rate of rows of added tokens, as a multiple of the others'.
        sweep_steps: steps of the trainings that try rates.
        steps: steps of the others.
        minutes: how long each of the others trains instead, evaluations not among them; 0 goes
            by steps.
        eval_steps: steps from one point of a curve to the next.
        eval_examples: examples of `val` a point.
        train_options: further arguments of `maskcodec train`.
        as_it_is: whether `tiny` is taken as it is, see `learn_base`.
    """

    model: str
    train: str
    val: str
    test: str
    batch_size: int
    rates: tuple[float, ...]
    token_rate: float
    sweep_steps: int
    steps: int
    minutes: float
    eval_steps: int
    eval_examples: int
    train_options: str
    as_it_is: bool

    def fields(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self), "rates": list(self.rates)}

    @property
    def final_steps(self) -> int:
        """Steps of the trainings that are reported; 0 where the clock ends them."""
        return 0 if self.minutes else self.steps

    def keep(self, folder: Path, *, resume: bool) -> None:
        """Write the settings into a run's folder, or compare them with those that stand there.

        Raises:
            MaskCodecError: the folder holds a run, and is not to be resumed, or was run with
                other settings; or it holds no run, but other files.
        """
        path = folder / SETTINGS
        if not path.exists():
            # --overwrite clears the folder: nothing else may be in it.
            if folder.is_dir() and any(folder.iterdir()):
                raise MaskCodecError(f"{folder} holds other files, and no run; give a new folder")
            folder.mkdir(parents=True, exist_ok=True)
            with atomic(path) as stream:
                stream.write(_json(self.fields()))
            return
        if not resume:
            raise MaskCodecError(
                f"{folder} holds a run already; --resume goes on with it, --overwrite replaces it"
            )
        old = read_json(path)
        if not isinstance(old, dict):
            raise RecordError("holds no settings; give another --output", file=str(path))
        new = self.fields()
        other = [name for name in new if old.get(name) != new[name]]
        if other:
            flag = "--" + FLAGS.get(other[0], other[0].replace("_", "-"))
            raise MaskCodecError(
                f"{folder} was run with another {flag} ({old.get(other[0])!r}, now "
                f"{new[other[0]]!r}): give the same, or another --output"
            )


@dataclass(frozen=True)
class Training:
    """One training.

    Attributes:
        spec: as it was given.
        rate: the learning rate.
        seed: of all that is drawn.
        steps: its length; 0 where the clock ends it.
    """

    spec: str
    rate: float
    seed: int
    steps: int

    @property
    def name(self) -> str:
        """The name of its folder."""
        length = f"{self.steps}steps" if self.steps else "clock"
        return f"{slug(self.spec)}/{length}-lr{self.rate:g}-seed{self.seed}"

    @property
    def is_free(self) -> bool:
        """Whether answers can't be kept in the format, which has no grammar."""
        return get_codec(self.spec).grammar(["a"]) is None


def sweep(settings: Settings, specs: Sequence[str]) -> list[Training]:
    """The trainings that try rates, rate by rate."""
    return [
        Training(spec, rate, 0, settings.sweep_steps) for rate in settings.rates for spec in specs
    ]


def finals(settings: Settings, rates: dict[str, float], seeds: int) -> list[Training]:
    """The trainings that are reported, seed by seed, so that a stopped run has some of each codec.

    Args:
        settings: of the run.
        rates: the chosen rate of each spec.
        seeds: how many.
    """
    steps = settings.final_steps
    return [Training(spec, rates[spec], seed, steps) for seed in range(seeds) for spec in rates]


def check_specs(specs: Sequence[str]) -> list[str]:
    """The specs, each once.

    Raises:
        MaskCodecError: one is no spec, or two are the same codec.
    """
    seen: dict[str, str] = {}
    for spec in specs:
        whole = get_codec(spec).spec
        if whole in seen:
            raise MaskCodecError(f"{spec} and {seen[whole]} are the same codec; name it once")
        seen[whole] = spec
    return list(seen.values())


def slug(spec: str) -> str:
    """A spec as the name of a folder, unlike every other's."""
    plain = re.sub(r"[^A-Za-z0-9.=_-]+", "-", spec)
    if plain == spec.replace(":", "-").replace(",", "-") and len(plain) <= _MOST:
        return plain
    return f"{plain[:_MOST]}-{hashlib.sha256(spec.encode()).hexdigest()[:8]}"


def words(text: str, flag: str) -> list[str]:
    """Arguments as a shell would split them.

    Raises:
        MaskCodecError: a quote is not closed, or nothing is named.
    """
    try:
        return shlex.split(text)
    except ValueError as error:
        raise MaskCodecError(f"{flag} {text!r}: {error}") from None


def _json(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, indent=1).encode() + b"\n"
