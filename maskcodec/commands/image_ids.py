"""Which image a text is about, in the numbers of a COCO json."""

from __future__ import annotations

from ..datasets.coco_ids import ImageId, as_number, written_id
from ..datasets.known_images import KnownImages
from ..errors import MaskCodecError
from .texts import Text, place


class ImageIds:
    """Finds the image id of each record: its own `image_id`, or that of its image in a COCO json.

    Args:
        known: the images of the json; None where there is none.
        needed: whether an id must be found.
    """

    def __init__(self, known: KnownImages | None, *, needed: bool) -> None:
        self.known = known
        self.needed = needed

    def of(self, text: Text, size: tuple[int, int]) -> ImageId | None:
        """The id of the image of a text, of this (height, width) in pixels.

        Raises:
            RecordError: its `image_id` is no id; or none can be found, and it is needed.
        """
        own = _own(text)
        if own is not None:
            return own if self.known is None else self.known.written(own)
        try:
            return self._look_up(text, size)
        except MaskCodecError as error:
            if not self.needed:
                return None
            reason = f"is missing, and a result without it is worthless: {error}"
            raise place(text, reason, "image_id") from None

    def _look_up(self, text: Text, size: tuple[int, int]) -> ImageId:
        if self.known is None:
            raise MaskCodecError(
                "give the truth's COCO json as --names, where images are looked up by file name"
            )
        fields = {} if text.record is None else text.record.fields
        if "image" in fields:
            return self.known.by_name(text.image, size)
        if "id" in fields:  # else its id is that of its line
            return self.known.by_record_id(text.id, size)
        raise MaskCodecError("the record names neither its image nor itself")


def _own(text: Text) -> ImageId | None:
    """The id that a record has; a number where it spells one."""
    if text.record is None or text.record.fields.get("image_id") is None:
        return None
    return as_number(written_id(text.record, "image_id"))
