"""Refinement by a promptable network: SAM and SAM 2, run by transformers, as a plug-in.

Nothing of it is loaded before it is asked for; it needs torch, transformers and the network's
weights: a name on the Hugging Face hub or a folder. Each mask is turned into a box, points inside
and outside, and a low-resolution mask (`maskcodec.promptable_prompts`); the image is encoded once.
Pixels are prepared here, by Pillow, as the networks' own processors do it, which need torchvision
for SAM 2.

The network answers with three masks and its own guess of each one's IoU. The one with the greatest
product of that guess and its IoU with the mask that prompted it is taken: three candidates are a
part, an object and a whole, and the text has said which. Where even that one agrees with the mask
less than `agree`, the mask stays as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from .errors import MaskCodecError, SpecError
from .metrics import iou
from .overlay import Rgb
from .promptable_prompts import LOW, Frame, interior_points, outside_points, prompt_box
from .refine_region import MIN_AREA, Bits, band_width

if TYPE_CHECKING:
    import torch

MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)
"""Of the colours 0 to 1 that the networks were trained on (ImageNet's)."""


@dataclass(frozen=True)
class Sam:
    """SAM or SAM 2; see the module and `maskcodec.refine.Refiner`.

    Attributes:
        model: a name on the Hugging Face hub, or a folder that `save_pretrained` wrote.
        points: points inside the object.
        negatives: points outside of it, in its box.
        box: whether the box is a prompt.
        margin: how much the box is grown at each side, in its own sides.
        mask: whether the mask itself is a prompt.
        strength: of the mask's logits.
        agree: least IoU of an answer with the mask.
        device: of torch.
    """

    name: ClassVar[str] = "sam"

    model: str = "facebook/sam-vit-base"
    points: int = 3
    negatives: int = 1
    box: bool = True
    margin: float = 0.05
    mask: bool = True
    strength: float = 10.0
    agree: float = 0.5
    device: str = "cpu"

    def __post_init__(self) -> None:
        if not (0 <= self.points <= 32 and 0 <= self.negatives <= 32):
            raise SpecError(f"points={self.points}, negatives={self.negatives}: each is 0 to 32")
        if not (self.points or self.box):
            raise SpecError("points=0,box=false leaves nothing to ask with: give one of them")
        if not (0 <= self.margin <= 1 and 0 <= self.agree <= 1):
            raise SpecError(f"margin={self.margin}, agree={self.agree}: each is 0 to 1")
        if not 0 < self.strength <= 100:
            raise SpecError(f"strength={self.strength} is not above 0 and at most 100")

    def refine_arrays(self, image: Rgb, arrays: Sequence[Bits], cell: float | None) -> list[Bits]:
        """See `maskcodec.refine.Refiner`.

        Raises:
            MaskCodecError: torch, transformers or the network are not there.
        """
        able = [array for array in arrays if np.count_nonzero(array) >= MIN_AREA]
        if not able:
            return list(arrays)
        network = load_network(self.model, self.device)
        answers = self._answers(network, image, able, cell)
        return [next(answers) if np.count_nonzero(array) >= MIN_AREA else array for array in arrays]

    def _answers(
        self, network: Network, image: Rgb, arrays: Sequence[Bits], cell: float | None
    ) -> Iterator[Bits]:
        frame = network.frame((image.shape[0], image.shape[1]))
        embeddings = network.embed(image, frame)
        for array in arrays:
            candidates, guesses = network.ask(embeddings, frame, self.prompts(array, frame, cell))
            agreements = [iou(candidate, array) for candidate in candidates]
            best = int(np.argmax(np.maximum(guesses, 0.0) * agreements))
            yield candidates[best] if agreements[best] >= self.agree else array

    def prompts(self, mask: Bits, frame: Frame, cell: float | None) -> dict[str, Any]:
        """What a mask asks the network, as its `forward` takes it, in NumPy.

        Returns:
            those of `input_points` float32 (1, 1, points, 2), `input_labels` int64
            (1, 1, points), `input_boxes` float32 (1, 1, 4) and `input_masks` float32
            (1, 1, side / 4, side / 4) that are asked for.
        """
        found: dict[str, Any] = {}
        box = prompt_box(mask, self.margin)
        area = int(np.count_nonzero(mask))
        distance = band_width(area, 0.05, 0.5, cell)
        inside = interior_points(mask, self.points)
        around = prompt_box(mask, max(self.margin, 0.1))
        outside = outside_points(mask, around, self.negatives, distance + 0.05 * sqrt(area))
        if len(inside) + len(outside):
            points = frame.place(np.concatenate([inside, outside]))
            labels = np.repeat([1, 0], [len(inside), len(outside)]).astype(np.int64)
            found["input_points"] = points[None, None].astype(np.float32)
            found["input_labels"] = labels[None, None]
        if self.box:
            found["input_boxes"] = frame.place_box(box)[None, None].astype(np.float32)
        if self.mask:
            found["input_masks"] = frame.logits(mask, self.strength)[None, None]
        return found


class Network:
    """A loaded network of the SAM family.

    Args:
        model: transformers' `SamModel` or `Sam2Model`.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.is_first = model.config.model_type == "sam"
        config = model.config.vision_config if self.is_first else model.config.prompt_encoder_config
        side = config.image_size
        self.side = int(side if isinstance(side, int) else side[0])

    def frame(self, size: tuple[int, int]) -> Frame:
        """How an image of `size` (height, width) lies in the network's input."""
        return Frame(size, self.side, letterbox=self.is_first)

    def embed(self, image: Rgb, frame: Frame) -> Any:
        """Encode an image once for all its masks."""
        import torch

        pixels = torch.from_numpy(prepare(image, frame)).to(self.model.device, self.model.dtype)
        with torch.inference_mode():
            return self.model.get_image_embeddings(pixels)

    def ask(
        self, embeddings: Any, frame: Frame, prompts: dict[str, Any]
    ) -> tuple[list[Bits], list[float]]:
        """The network's masks at the image's size, and what IoU it gives each."""
        import torch

        given = {name: torch.from_numpy(value) for name, value in prompts.items()}
        given = {
            name: value.to(
                self.model.device, self.model.dtype if value.is_floating_point() else None
            )
            for name, value in given.items()
        }
        with torch.inference_mode():
            said = self.model(image_embeddings=embeddings, multimask_output=True, **given)
            masks = _to_image(said.pred_masks[0].float(), frame)[0]
        guesses: list[float] = said.iou_scores[0, 0].float().tolist()
        return list((masks > 0).cpu().numpy()), guesses


def prepare(image: Rgb, frame: Frame) -> npt.NDArray[np.float32]:
    """An image as the network's input: scaled bilinearly, normalised, then padded with 0.

    Returns:
        float32, (1, 3, side, side).
    """
    from PIL import Image

    height, width = frame.reach
    scaled = Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR)
    colours = (np.asarray(scaled, np.float32) / 255 - MEAN) / STD
    pixels = np.zeros((1, 3, frame.side, frame.side), np.float32)
    pixels[0, :, :height, :width] = colours.transpose(2, 0, 1)
    return pixels


def _to_image(logits: torch.Tensor, frame: Frame) -> torch.Tensor:
    """Low-resolution logits, (N, C, side / 4, side / 4), at the image's size, without padding."""
    from torch.nn.functional import interpolate

    if logits.shape[-1] * LOW != frame.side:
        raise MaskCodecError(
            f"the network answers {logits.shape[-1]} pixels, not {frame.side // LOW}"
        )
    if frame.letterbox:
        whole = interpolate(logits, (frame.side, frame.side), mode="bilinear", align_corners=False)
        logits = whole[..., : frame.reach[0], : frame.reach[1]]
    return interpolate(logits, frame.size, mode="bilinear", align_corners=False)


@lru_cache(maxsize=1)
def load_network(name: str, device: str) -> Network:
    """Load SAM or SAM 2; the last one stays loaded.

    Raises:
        MaskCodecError: torch or transformers are not installed, there is no such model, it is of
            another family, or torch has no such device.
    """
    try:
        import torch
        import transformers
    except ImportError:
        raise MaskCodecError(
            "refinement by 'sam' needs torch and transformers: pip install 'maskcodec[train]'"
        ) from None
    from .commands.model_notices import quiet_models

    try:
        kind = transformers.AutoConfig.from_pretrained(name).model_type
        # The hub's folders of SAM 2 call themselves its video model, whose image part is SAM 2.
        classes = {"sam": "SamModel", "sam2": "Sam2Model", "sam2_video": "Sam2Model"}
        if kind not in classes:
            raise MaskCodecError(
                f"model={name}: is of the family {kind!r}, expected one of {', '.join(classes)}"
            )
        with quiet_models():
            model = getattr(transformers, classes[kind]).from_pretrained(name)
        return Network(model.to(torch.device(device)).eval())
    except MaskCodecError:
        raise
    except (OSError, ValueError, RuntimeError, KeyError, AssertionError) as error:
        reason = str(error).strip().splitlines()[0]
        raise MaskCodecError(f"model={name},device={device}: can't be loaded: {reason}") from None
