"""A loss on what tokens mean: soft masks of shape tokens, and soft boxes, against the truth.

Cross-entropy asks for one code; but many codes draw nearly the same mask. Here the model's
probabilities of the codes of each place become the expected field (`soft_prefix_fields`), and its
soft mask is held against the truth in the object's box, for every prefix of the codes, so that
each of them is a mask as good as it can be (the hierarchical mask loss of HiMTok, arXiv
2503.13026). The expected edges of the box are held against the right box. Only training sees it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from maskcodec import MaskCodecError
from maskcodec.codec import Codec
from maskcodec.dialects.shapetokens import ShapeTokensCodec
from maskcodec.examples import Example
from maskcodec.geometry.boxes import to_pixels
from maskcodec.geometry.shape_codebook import BINS, CELLS, get_codebook
from maskcodec.geometry.shapetokens_torch import SHARPNESS, soft_prefix_fields
from maskcodec.resample import sample_nearest
from maskcodec.token_ids import TokenIds

from .answers import Answered


@dataclass(frozen=True, slots=True, eq=False)
class SoftObject:
    """One object of an answer.

    Attributes:
        edges: the places of the four tokens of its box in the sequence.
        codes: the places of its codes.
        box: left, top, right, bottom in 0..BINS, as the answer has it.
        mask: uint8, the truth in that box: bits of (CELLS, CELLS), as `np.packbits` puts them.
    """

    edges: tuple[int, ...]
    codes: tuple[int, ...]
    box: tuple[int, ...]
    mask: npt.NDArray[np.uint8]


class MaskLoss:
    """The loss of shape tokens.

    Args:
        codec: the codec.
        tokenizer: the model's, with the codec's tokens.
        masks: weight of the soft masks.
        boxes: weight of the soft boxes.

    Raises:
        MaskCodecError: a codec without soft decoding.
    """

    def __init__(self, codec: Codec[Any], tokenizer: Any, masks: float, boxes: float) -> None:
        if not isinstance(codec, ShapeTokensCodec) or codec.spelling == "digits":
            raise MaskCodecError(
                f"--iou-weight and --box-iou-weight need a codec that decodes softly, which only "
                f"shapetokens does (any spelling but digits), not {codec.spec}"
            )
        self.masks = masks
        self.boxes = boxes
        self.ids = TokenIds.of(codec, tokenizer)
        self._book = get_codebook(codec.codebook)
        self._edge_of = {token: edge for edge, token in enumerate(self.ids.edges.tolist())}

    def objects(self, example: Example, answered: Answered, before: int) -> list[SoftObject]:
        """The objects of an example whose truth is known.

        Args:
            example: the example.
            answered: its tokens.
            before: how many tokens stand before these.
        """
        found = []
        for turn, (start, stop) in enumerate(answered.answers):
            ids = answered.ids[start:stop]
            steps = self.ids.code_steps(ids.tolist())
            masks = [mask for mask in example.masks(turn) if mask.area]
            if len(masks) != len(steps):
                continue  # the answer says something else than the truth
            for codes, mask in zip(steps, masks, strict=True):
                if not codes or codes[0] < 4:
                    continue
                edges = range(codes[0] - 4, codes[0])
                box = tuple(self._edge_of.get(int(ids[edge]), -1) for edge in edges)
                truth = _in_box(mask.array, box)
                if min(box) >= 0 and truth is not None:
                    first = before + start
                    found.append(
                        SoftObject(
                            tuple(first + edge for edge in edges),
                            tuple(first + code for code in codes),
                            box,
                            np.packbits(truth),
                        )
                    )
        return found

    def __call__(
        self, logits: torch.Tensor, column: torch.Tensor, objects: Sequence[tuple[int, SoftObject]]
    ) -> torch.Tensor:
        """The mean loss of the objects of a batch: 0 where all masks and boxes are right.

        Args:
            logits: float32 (batch, kept, vocabulary).
            column: int64 (length,), which of the kept columns a token was predicted at.
            objects: each with its number in the batch.
        """
        total = logits.new_zeros(())
        if not objects:
            return total + 0.0 * logits.sum()
        if self.masks:
            total = total + self.masks * self._mask_losses(logits, column, objects).mean()
        if self.boxes:
            total = total + self.boxes * self._box_losses(logits, column, objects).mean()
        return total

    def _mask_losses(
        self, logits: torch.Tensor, column: torch.Tensor, objects: Sequence[tuple[int, SoftObject]]
    ) -> torch.Tensor:
        """1 - soft IoU of every prefix of every object: (prefixes of all objects,)."""
        owners = [index for index, (_, one) in enumerate(objects) for _ in one.codes]
        stages = [stage for _, one in objects for stage in range(len(one.codes))]
        places = torch.tensor([place for _, one in objects for place in one.codes])
        owner = torch.tensor(owners, device=logits.device)
        rows = torch.tensor([objects[index][0] for index in owners], device=logits.device)
        ids = torch.from_numpy(np.stack([self.ids.code_ids(stage) for stage in stages]))
        picked = logits[rows, column[places.to(column.device)]]
        shares = picked.gather(1, ids.to(logits.device)).softmax(dim=1)
        fields = soft_prefix_fields(self._book, shares, stages).flatten(1)
        soft = torch.sigmoid(SHARPNESS * fields)
        truth = np.stack([one.mask for _, one in objects])
        target = torch.from_numpy(np.unpackbits(truth, axis=1)).to(soft)[owner]
        inter = (soft * target).sum(dim=1)
        return 1 - inter / (soft.sum(dim=1) + target.sum(dim=1) - inter).clamp(min=1e-6)

    def _box_losses(
        self, logits: torch.Tensor, column: torch.Tensor, objects: Sequence[tuple[int, SoftObject]]
    ) -> torch.Tensor:
        """1 - generalised IoU of the expected boxes: (objects,), 0 to 2."""
        device = logits.device
        rows = torch.tensor([row for row, _ in objects], device=device)
        places = torch.tensor([one.edges for _, one in objects], device=device)
        ids = torch.from_numpy(self.ids.edges).to(device)
        shares = logits[rows[:, None], column[places]][:, :, ids].softmax(dim=-1)
        bins = torch.arange(len(ids), device=device, dtype=shares.dtype) / BINS
        right = torch.tensor([one.box for _, one in objects], device=device).to(shares) / BINS
        return 1 - generalised_iou(shares @ bins, right)


def generalised_iou(boxes: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """GIoU (arXiv 1902.09630) of xyxy boxes (n, 4), also where edges are out of order: (n,)."""
    low = torch.minimum(boxes[:, :2], boxes[:, 2:])
    high = torch.maximum(boxes[:, :2], boxes[:, 2:])
    inner = (torch.minimum(high, right[:, 2:]) - torch.maximum(low, right[:, :2])).clamp(min=0)
    outer = torch.maximum(high, right[:, 2:]) - torch.minimum(low, right[:, :2])
    inter, hull = inner.prod(dim=1), outer.prod(dim=1).clamp(min=1e-9)
    areas = (high - low).prod(dim=1) + (right[:, 2:] - right[:, :2]).prod(dim=1)
    union = (areas - inter).clamp(min=1e-9)
    return inter / union - (hull - union) / hull


def _in_box(mask: npt.NDArray[np.bool_], box: Sequence[int]) -> npt.NDArray[np.bool_] | None:
    """What a mask holds in a box, as the cells of a field; None in a box without pixels."""
    height, width = mask.shape
    left, top, right, bottom = to_pixels(np.array(box, np.int32), (height, width), BINS).tolist()
    if left >= right or top >= bottom:
        return None
    return sample_nearest(mask, (CELLS, CELLS), (left, top, right, bottom))
