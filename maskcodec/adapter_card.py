"""`maskcodec.json`, the file beside an adapter that says which codec it speaks, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, cast

from .chat import Form
from .errors import MaskCodecError, RecordError
from .records import Record, brief, dump_line, read_json
from .registry import get_codec
from .writing import atomic

NAME = "maskcodec.json"
SCHEMA = 1
MAX_BYTES = 16 * 2**20

_FORMS = ("bare", "tagged")


@dataclass(frozen=True, slots=True)
class AdapterCard:
    """What one must know to use an adapter, and how it was made.

    Attributes:
        spec: of the codec whose text it prints, canonical.
        form: how mask text stands in answers, see `maskcodec.chat`.
        tokens: that were added to the tokenizer, in the order of their ids.
        base_model: the name or the path of the model that it belongs to.
        versions: of the packages that it was trained with.
        resize_backend: "pil" or "torchvision": what the image processor resizes with. The two
            differ by up to 0.015 a pixel.
        loss: the options of the loss, for the record.
        seed: of the training.
        figures: what was measured, e.g. {"giou": 0.71, "invalid_share": 0.0}.
    """

    spec: str
    form: Form = "bare"
    tokens: tuple[str, ...] = ()
    base_model: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    resize_backend: str = "pil"
    loss: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    figures: Mapping[str, Any] = field(default_factory=dict)

    def write(self, folder: str | Path) -> Path:
        """Write the card into an adapter's folder."""
        path = Path(folder) / NAME
        with atomic(path) as stream:
            stream.write(dump_line({"schema": SCHEMA, **asdict(self)}))
        return path

    def check_spec(self, spec: str, whose: str) -> None:
        """Refuse a spec other than the adapter's.

        Args:
            spec: any spelling of a spec.
            whose: whose it is, for the message: "--spec", or a file and its line.

        Raises:
            MaskCodecError: it stands for another codec.
        """
        other = get_codec(spec).spec
        if other != self.spec:
            raise MaskCodecError(
                f"the adapter was trained to print {self.spec}, but {whose} says {other}: "
                "an adapter speaks one codec; leave --spec out, or train another adapter"
            )


def read_adapter_card(folder: str | Path) -> AdapterCard:
    """Read the card of an adapter.

    Args:
        folder: the adapter's folder, or the card itself.

    Raises:
        RecordError: there is none, it is no card, or it names an unknown codec.
    """
    path = Path(folder)
    path = path / NAME if path.is_dir() else path
    if not path.is_file():
        raise RecordError(
            f"is missing: {path.parent} is no folder of an adapter that `maskcodec train` wrote",
            file=str(path),
        )
    if path.stat().st_size > MAX_BYTES:
        raise RecordError(f"is larger than {MAX_BYTES:,} bytes, no card is", file=str(path))
    value = read_json(path)
    if not isinstance(value, dict):
        raise RecordError(f"holds {brief(value)}, expected an object", file=str(path))
    return _card(Record(str(path), None, value))


def _card(record: Record) -> AdapterCard:
    schema = record.whole("schema", SCHEMA)
    if schema != SCHEMA:
        raise record.error(f"is {schema}, but this version reads schema {SCHEMA}", "schema")
    form = record.text("form", "bare")
    if form not in _FORMS:
        raise record.error(f"is {brief(form)}, expected one of {', '.join(_FORMS)}", "form")
    tokens = record.items("tokens", [])
    if not all(isinstance(token, str) and token for token in tokens):
        raise record.error("holds something else than tokens", "tokens")
    try:
        spec = get_codec(record.text("spec")).spec
    except RecordError:
        raise
    except MaskCodecError as error:
        raise record.error(str(error), "spec") from None
    return AdapterCard(
        spec,
        cast(Form, form),
        tuple(tokens),
        record.text("base_model", ""),
        _mapping(record, "versions"),
        record.text("resize_backend", "pil"),
        _mapping(record, "loss"),
        record.whole("seed", 0),
        _mapping(record, "figures"),
    )


def _mapping(record: Record, name: str) -> dict[str, Any]:
    value = record.get(name, {})
    if not isinstance(value, dict):
        raise record.error(f"is {brief(value)}, expected an object", name)
    return value


FIELDS = tuple(one.name for one in fields(AdapterCard))
"""What a card says, in the order of its file."""
