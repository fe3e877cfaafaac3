"""Every error that maskcodec raises on purpose; each is also a `ValueError`."""

from __future__ import annotations


class MaskCodecError(ValueError):
    """Base class: an argument or a piece of data that maskcodec can't use."""


class SpecError(MaskCodecError):
    """A spec string (or a codec registration) that names no codec or no valid option."""


class EncodeError(MaskCodecError):
    """Masks that a codec can't carry: a wrong shape or dtype, or a label that it can't hold."""


class DecodeError(MaskCodecError):
    """Text that is not in a codec's format.

    Attributes:
        text: the whole text that was read.
        position: the character of `text` where reading stopped, 0-based.
        expected: what the format asks for there.
        found: what stands there instead.
    """

    def __init__(
        self,
        message: str,
        *,
        text: str = "",
        position: int = 0,
        expected: str = "",
        found: str = "",
    ) -> None:
        super().__init__(message)
        self.text = text
        self.position = position
        self.expected = expected
        self.found = found


class RecordError(MaskCodecError):
    """A file or one record of it that can't be used.

    Attributes:
        file: the path as it was given.
        line: the line of the record, 1-based; None where the file has no lines (PNG, npz).
        field: the field of the record, e.g. `"counts"`; None where the whole record is meant.
        reason: the message without the place.
        id: of the record, where whoever raised it knows.
    """

    def __init__(
        self, message: str, *, file: str = "", line: int | None = None, field: str | None = None
    ) -> None:
        place = file if line is None else f"{file}:{line}"
        if field is not None:
            place = f"{place}, field {field!r}" if place else f"field {field!r}"
        super().__init__(f"{place}: {message}" if place else message)
        self.file = file
        self.line = line
        self.field = field
        self.reason = message
        self.id: str | None = None
