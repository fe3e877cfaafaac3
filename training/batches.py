"""Batches: token ids padded to one length, and the images as the model's processor makes them.

What a processor makes of an image is kept in memory up to a limit, since it costs more than the
rest of a batch; text is tokenized once, before training. A collator is all that a stock trainer
needs for token weights: it puts `weights` beside `labels`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from maskcodec import MaskCodecError
from maskcodec.datasets.pictures import read_picture
from maskcodec.examples import Example

from .answers import IGNORED, Answered

EXTRAS = ("labels", "weights", "table", "row", "objects")
"""What a batch holds beside the model's own inputs."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What a processor makes of an example's images and of the text before and around them.

    Attributes:
        ids: int64 (n,), the tokens up to the last one of the last image.
        kinds: other numbers of each of these tokens (`token_type_ids`, …).
        features: pixels and what belongs to them, as the model takes them.
    """

    ids: torch.Tensor
    kinds: dict[str, torch.Tensor]
    features: dict[str, torch.Tensor]

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return sum(one.nbytes for one in (self.ids, *self.features.values()))


class Images:
    """Shows images to a processor, once each as long as there is room.

    Args:
        processor: of the model.
        room: bytes to keep.
    """

    def __init__(self, processor: Any, room: int) -> None:
        self.processor = processor
        self.room = room
        self.chats = bool(getattr(processor, "chat_template", None))
        self._kept: dict[tuple[str, ...], Seen] = {}

    def see(self, paths: Sequence[Path], size: tuple[int, int], head: str) -> Seen:
        """Show images to the processor.

        Args:
            paths: the images.
            size: the (height, width) in pixels that the first must have.
            head: the text up to and with the last image's placeholder.

        Raises:
            RecordError: an image is missing, damaged or of another size.
        """
        key = (head, *map(str, paths))
        found = self._kept.get(key)
        if found is None:
            sizes = [size, *[None] * (len(paths) - 1)]
            pictures = [read_picture(*pair) for pair in zip(paths, sizes, strict=True)]
            found = self._see(pictures, head)
            if found.size <= self.room:
                self.room -= found.size
                self._kept[key] = found
        return found

    def _see(self, pictures: Sequence[Any], head: str) -> Seen:
        made = self.processor(
            images=[Image.fromarray(picture) for picture in pictures],
            text=[head],
            return_tensors="pt",
            add_special_tokens=not self.chats,
        )
        made = {name: value for name, value in made.items() if isinstance(value, torch.Tensor)}
        ids = made.pop("input_ids")
        made.pop("attention_mask", None)
        made.pop("labels", None)
        if not self.chats:  # PaliGemma: what follows the image is spelt by `Conversations`
            ids = ids[:, : int((ids == self.processor.tokenizer.bos_token_id).nonzero()[-1, 1])]
            made["token_type_ids"] = torch.zeros_like(ids)
        kinds = {name: value for name, value in made.items() if value.shape == ids.shape}
        return Seen(
            ids[0],
            {name: value[0] for name, value in kinds.items()},
            {name: value for name, value in made.items() if name not in kinds},
        )


ObjectsOf = Callable[[Example, Answered, int], list[Any]]
"""The objects of an example that a mask loss takes; the number is of tokens before its own."""


class Collator:
    """Makes a batch of the numbers of examples.

    Args:
        examples: all of them.
        answered: their tokens.
        images: shows their images.
        pad: the id of the padding token.
        objects: for a mask loss; None for none.
        limit: the most tokens of an example.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        answered: Sequence[Answered],
        images: Images,
        pad: int,
        *,
        objects: ObjectsOf | None = None,
        limit: int | None = None,
    ) -> None:
        self.examples = examples
        self.answered = answered
        self.images = images
        self.pad = pad
        self.limit = limit
        self._find = objects
        self._objects: dict[int, list[Any]] = {}

    def seen(self, number: int) -> Seen:
        """The images of an example."""
        example = self.examples[number]
        head = self.answered[number].head
        return self.images.see(example.image_paths(), example.size, head)

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Collate rows of `{"row": number}`.

        Raises:
            MaskCodecError: an image became longer than it was when lengths were checked.
        """
        numbers = [row["row"] for row in rows]
        seen = [self.seen(number) for number in numbers]
        answered = [self.answered[number] for number in numbers]
        lengths = [len(one.ids) + len(two.ids) for one, two in zip(seen, answered, strict=True)]
        if self.limit is not None and max(lengths) > self.limit:
            longest = self.examples[numbers[lengths.index(max(lengths))]]
            raise longest.error(f"is {max(lengths)} tokens, but the context is {self.limit}")
        batch = self._tokens(seen, answered, max(lengths))
        for name in seen[0].features:
            batch[name] = join([one.features[name] for one in seen])
        if self._find is not None:
            batch["objects"] = [
                (place, one)
                for place, number in enumerate(numbers)
                for one in self._objects_of(number, len(seen[place].ids))
            ]
        return batch

    def _objects_of(self, number: int, before: int) -> list[Any]:
        """The objects of an example, found once."""
        if number not in self._objects and self._find is not None:
            found = self._find(self.examples[number], self.answered[number], before)
            self._objects[number] = found
        return self._objects[number]

    def _tokens(
        self, seen: Sequence[Seen], answered: Sequence[Answered], length: int
    ) -> dict[str, Any]:
        shape = len(seen), length
        ids = np.full(shape, self.pad, np.int64)
        mask = np.zeros(shape, np.int64)
        labels = np.full(shape, IGNORED, np.int64)
        weights = np.zeros(shape, np.float32)
        table = np.full(shape, -1, np.int64)
        row = np.zeros(shape, np.int64)
        kinds = {name: np.zeros(shape, np.int64) for name in seen[0].kinds}
        for place, (one, two) in enumerate(zip(seen, answered, strict=True)):
            start, stop = len(one.ids), len(one.ids) + len(two.ids)
            ids[place, :start] = one.ids.numpy()
            ids[place, start:stop] = two.ids
            mask[place, :stop] = 1
            labels[place, start:stop] = two.labels
            weights[place, start:stop] = two.weights
            table[place, start:stop] = two.table
            row[place, start:stop] = two.row
            for name, values in kinds.items():
                values[place, :start] = one.kinds[name].numpy()
                if name == "token_type_ids" and not self.images.chats:
                    values[place, start + two.answers[0][0] : stop] = 1  # PaliGemma's suffix
        arrays = {
            "input_ids": ids,
            "attention_mask": mask,
            "labels": labels,
            "weights": weights,
            "table": table,
            "row": row,
            **kinds,
        }
        return {name: torch.from_numpy(array) for name, array in arrays.items()}


def join(tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    """Tensors one behind the other, with zeros where one is smaller in another direction.

    Raises:
        MaskCodecError: they differ in how many directions they have.
    """
    shapes = [tuple(tensor.shape[1:]) for tensor in tensors]
    if len(set(shapes)) == 1:
        return torch.cat(list(tensors))
    if len({len(shape) for shape in shapes}) != 1:
        raise MaskCodecError(f"the processor gives tensors of shapes {sorted(set(shapes))}")
    most = [max(sides) for sides in zip(*shapes, strict=True)]
    padded = [tensor.new_zeros((len(tensor), *most)) for tensor in tensors]
    for one, tensor in zip(padded, tensors, strict=True):
        one[tuple(slice(side) for side in tensor.shape)] = tensor
    return torch.cat(padded)
