"""The interface of every codec: `encode = write . analyze`, `decode = render . parse`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from . import spec as _spec
from .decoded import Decoded, Errors, Geometry, Pixels, Repair, RepairLog, check_text
from .devices import check_device
from .errors import DecodeError, MaskCodecError
from .labels import list_labels
from .mask import MAX_PIXELS, Mask, check_masks, check_size
from .spans import Span
from .threads import map_threads
from .vocab import Vocab

if TYPE_CHECKING:
    import torch

G = TypeVar("G", bound=Geometry)

MAX_OBJECTS = 10_000
"""Objects read from one text; parsers stop there and say so."""

MAX_OUTPUT = MAX_PIXELS
"""Pixels painted for one text, all its masks together (2 GiB as bool)."""

THREADED = 1 << 20
"""Pixels an image from which encoding gains by threads. Below, an encoder's kernels are so short
that threads wait for each other to hand over the GIL: half as fast as one at 480x640.
"""


class Codec(ABC, Generic[G]):
    """Turns masks into text and back, by way of a geometry.

    A subclass is a frozen dataclass in a file of its own under `maskcodec/dialects/`; its fields
    are its options, and `name` is its name in spec strings. It says how its geometry is spelt
    (`write`, `parse`) and which geometry it is (`analyze`, `render_batch`).

    Contract (each point is a test in `tests/test_contract.py`, grammars in
    `tests/test_contract_grammar.py`):

    1. `get_codec(codec.spec).spec == codec.spec`, with every option spelt out.
    2. `encode(decode(encode(m))) == encode(m)` for all masks where `is_exact(m, size)`.
    3. Its grammar accepts every encoding, and `strict` decodes every text of the grammar.
    4. Any text at all decodes under `repair`, in bounded time and memory, with its repairs listed;
       a text cut at any character keeps every row, part or object that was complete.
    5. A batch equals its texts one by one, and every device gives the same bits.
    """

    name: ClassVar[str]

    def __post_init__(self) -> None:
        """Check the types of the options; a subclass that checks their values calls this first.

        Raises:
            SpecError: an option is of another type than its field says.
        """
        _spec.check_values(self)

    @property
    def spec(self) -> str:
        """The canonical spec string: the name and every option, defaults too."""
        return _spec.write_spec(self)

    def __str__(self) -> str:
        return self.spec

    # --- the two layers that a codec is made of ---

    @abstractmethod
    def analyze(self, masks: Sequence[Mask], size: tuple[int, int]) -> G:
        """Turn masks of one image into geometry.

        Args:
            masks: any number of masks, each of the image's size; none is a valid answer.
            size: the image's (height, width) in pixels.

        Raises:
            EncodeError: a mask has another size, or the geometry can't hold it.
        """

    @abstractmethod
    def write(self, geometry: G) -> str:
        """Spell geometry as text.

        Raises:
            EncodeError: a label can't be told from the format's own characters.
        """

    @abstractmethod
    def parse(self, text: str, *, errors: Errors = "strict") -> tuple[G, list[Repair]]:
        """Read text as geometry.

        Args:
            text: what a model printed.
            errors: "strict" raises at the first departure from the format; "repair" always
                answers, and lists what it repaired.

        Raises:
            DecodeError: under "strict" only.
        """

    @abstractmethod
    def render_batch(
        self,
        geometries: Sequence[G],
        sizes: Sequence[tuple[int, int]],
        *,
        device: str | torch.device = "cpu",
    ) -> list[Pixels]:
        """Paint each geometry at its own size: bool, (masks, height, width) each.

        `device="cpu"` paints NumPy arrays with the compiled kernels. Any other device, a
        `torch.device("cpu")` object too, paints torch tensors there, equal bit for bit.
        """

    def vocab(self) -> Vocab:
        """Tokens that must be added to a tokenizer; none unless a codec says so."""
        return Vocab()

    def grammar(self, labels: Sequence[str] | None = None) -> str | None:
        """EBNF (as xgrammar, vLLM and SGLang read it) of exactly the valid texts.

        llguidance reads it, too, but bars tokens like `<|b_0001|>` (docs/segment.md).

        Args:
            labels: the labels that a text may use; None leaves them free where that is feasible.

        Returns:
            A grammar whose start symbol is `root`; None where the format has none.

        Raises:
            EncodeError: `labels` is one string, or holds what is no label of the format.
        """
        list_labels(labels, self.name)
        return None

    def spans(self, text: str) -> list[Span]:
        """Which pieces of a text say what an object is, where it is, and its shape.

        Training weighs tokens by it. What no span covers is punctuation.

        Args:
            text: as `write` spells it; of any other text, as much as resembles it.

        Returns:
            Spans in the order of the text, without overlap.
        """
        return [Span(0, len(text), "shape")] if text else []

    def adopts(self, geometry: Geometry) -> bool:
        """Whether `write` spells this geometry as it is, so that transcoding loses nothing.

        A codec says yes to geometry of its own kind that fits its options, whichever dialect read
        it: a grid of the same rows and columns, say.
        """
        return False

    def is_exact(self, masks: Sequence[Mask], size: tuple[int, int]) -> bool:
        """Whether decoding what these masks encode to, and encoding again, gives the same text."""
        return False

    # --- what follows from them ---

    def render(
        self, geometry: G, size: tuple[int, int], device: str | torch.device = "cpu"
    ) -> Pixels:
        """Paint one geometry at `size`: bool, (masks, height, width)."""
        return self.render_batch([geometry], [check_size(size)], device=device)[0]

    def encode(self, masks: Sequence[Mask], size: tuple[int, int]) -> str:
        """Write the masks of one image of `size` (height, width) as text."""
        return self.write(self.analyze(masks, check_masks(masks, size)))

    def decode(self, text: str, size: tuple[int, int], *, errors: Errors = "strict") -> Decoded:
        """Read text and paint what it says at `size` (height, width).

        Raises:
            DecodeError: under `errors="strict"`, where the text leaves the format.
            MaskCodecError: `size` is not valid.
        """
        return self.decode_batch([text], [size], errors=errors)[0]

    def encode_batch(
        self,
        masks: Sequence[Sequence[Mask]],
        sizes: Sequence[tuple[int, int]],
        *,
        threads: int | None = None,
    ) -> list[str]:
        """Encode many images.

        Args:
            masks: those of each image.
            sizes: (height, width) in pixels, one an image.
            threads: how many to use; None means one a core for images of `THREADED` pixels and more
                on average, and one for smaller ones.

        Raises:
            EncodeError: as `encode` does.
            MaskCodecError: a size is not valid.
        """
        masks, sizes = list(masks), list(sizes)
        check_lengths("masks", len(masks), len(sizes))
        areas = [height * width for height, width in map(check_size, sizes)]
        if threads is None and sum(areas) < THREADED * len(areas):
            threads = 1
        return map_threads(self.encode, masks, sizes, threads=threads)

    def decode_batch(
        self,
        texts: Sequence[str],
        sizes: Sequence[tuple[int, int]],
        *,
        device: str | torch.device = "cpu",
        errors: Errors = "repair",
    ) -> list[Decoded]:
        """Decode many texts: parsed on the CPU, painted together on `device`.

        Args:
            texts: what a model printed, one a picture.
            sizes: (height, width) in pixels, one a text.
            device: see `render_batch`.
            errors: "repair" always answers; "strict" raises at the first bad text.

        Raises:
            DecodeError: under "strict"; or a text is no string.
            MaskCodecError: a size is not valid, or torch or its device is not there.
        """
        if isinstance(texts, str):
            raise DecodeError(f"{self.name}: texts is one string, expected a list of them: [text]")
        texts, sizes = list(texts), list(sizes)
        check_lengths("texts", len(texts), len(sizes))
        check_device(device)
        checked = [check_size(size) for size in sizes]
        geometries: list[G] = []
        repairs: list[tuple[Repair, ...]] = []
        for text, size in zip(texts, checked, strict=True):
            check_text(text, self.name)
            geometry, found = self.parse(text, errors=errors)
            geometry, dropped = _fit_output(self.name, geometry, size, text, errors)
            geometries.append(geometry)
            repairs.append((*found, *dropped))
        pixels = self.render_batch(geometries, checked, device=device)
        return [
            Decoded(planes, geometry.labels, found, geometry)
            for planes, geometry, found in zip(pixels, geometries, repairs, strict=True)
        ]


def _fit_output(
    name: str, geometry: G, size: tuple[int, int], text: str, errors: Errors
) -> tuple[G, list[Repair]]:
    """Keep as many objects as `MAX_OUTPUT` pixels hold, so that no text can exhaust the memory."""
    fitting = MAX_OUTPUT // (size[0] * size[1])
    count = len(geometry.labels)
    if count <= fitting:
        return geometry, []
    log = RepairLog(name, text, errors)
    log.note(
        "too-many-objects",
        0,
        f"at most {fitting} masks of {size[0]}x{size[1]} pixels ({MAX_OUTPUT:,} in all)",
        f"{count} masks",
        f"keeps the first {fitting}",
    )
    return geometry.head(fitting), log.repairs


def check_lengths(name: str, count: int, sizes: int) -> None:
    """Check that a batch has one size for each item; raises MaskCodecError."""
    if count != sizes:
        raise MaskCodecError(f"{count} {name} but {sizes} sizes: expected one (height, width) each")
