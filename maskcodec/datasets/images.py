"""Image files: PNGs as arrays of values, and the sizes of photographs, from untrusted files."""

from __future__ import annotations

import struct
import zlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import MaskCodecError, RecordError
from ..mask import check_size
from ..records import brief, check_file
from .image_names import spellings

if TYPE_CHECKING:
    from PIL.Image import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")

_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, MemoryError)


def read_png(path: str | Path) -> npt.NDArray[Any]:
    """Read a PNG of one channel as its values: palette indices, not colours; bits as False/True.

    Colour images are taken if all their channels are equal, as many tools save masks.

    Returns:
        bool, uint8, uint16 or int32, (height, width).

    Raises:
        RecordError: no such file, not a PNG, too large, cut off or damaged, or coloured.
    """
    from PIL import Image

    file = str(path)
    path = check_file(path)
    try:
        depth, colour = _check_header(path, file)
        with Image.open(path, formats=["PNG"]) as image:
            image.verify()  # the checksums of all chunks, which loading leaves out
        with Image.open(path, formats=["PNG"]) as image:
            image.load()
            values = _one_channel(image, file)
    except RecordError:
        raise
    except _BROKEN as error:
        raise RecordError(f"is a damaged PNG: {error}", file=file) from None
    if colour == 0 and depth in (2, 4):  # PIL spreads these over 0..255
        values = values // (255 // (2**depth - 1))
    return values


def _check_header(path: Path, file: str) -> tuple[int, int]:
    """Check a PNG's size before anything is decompressed; return its bit depth and colour type."""
    from PIL import Image

    with path.open("rb") as stream:
        head = stream.read(26)
    if not head:
        raise RecordError("is empty, expected a PNG", file=file)
    if not head.startswith(SIGNATURE):
        found = "a JPEG" if head.startswith(b"\xff\xd8") else f"a file that starts {head[:8]!r}"
        raise RecordError(
            f"is {found}, expected a PNG (lossy formats change a mask's values)", file=file
        )
    if len(head) < 26 or head[12:16] != b"IHDR":
        raise RecordError("is a damaged PNG: its header is cut off", file=file)
    width, height, depth, colour = struct.unpack(">IIBB", head[16:26])
    try:
        check_size((height, width))
    except MaskCodecError as error:
        raise RecordError(f"is a PNG of {width}x{height} pixels: {error}", file=file) from None
    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and width * height > limit:
        raise RecordError(
            f"is a PNG of {width}x{height} pixels, more than PIL's limit of {limit:,}; "
            "cut it into tiles, or save it as .npy",
            file=file,
        )
    if depth == 16 and colour != 0:  # of which PIL reads the upper halves alone
        raise RecordError(
            "is a PNG of 16 bits in colour or with alpha: save it as one channel", file=file
        )
    return depth, colour


def _one_channel(image: Image, file: str) -> npt.NDArray[Any]:
    if image.mode == "1":
        bits: npt.NDArray[Any] = np.asarray(image).view(np.uint8) != 0  # its True is 255
        return bits
    if image.mode in ("L", "P", "I", "I;16", "I;16B"):
        return np.asarray(image)
    if image.mode not in ("LA", "RGB", "RGBA"):
        raise RecordError(f"is a PNG of mode {image.mode}, expected one channel", file=file)
    channels = np.asarray(image)
    if image.mode in ("LA", "RGBA"):
        if channels[..., -1].min() < 255:
            raise RecordError(
                "has a transparent part: save the mask in one channel, without alpha", file=file
            )
        channels = channels[..., :-1]
    first = channels[..., 0]
    if not all(np.array_equal(first, channels[..., i]) for i in range(1, channels.shape[-1])):
        raise RecordError(
            "is coloured: save it as a palette PNG (its indices are read) or as one channel",
            file=file,
        )
    return np.ascontiguousarray(first)


def image_size(path: Path) -> tuple[int, int]:
    """The (height, width) that an image file's header says, in pixels as stored (EXIF unturned).

    Raises:
        RecordError: no such file, no image, or out of range.
    """
    import warnings

    from PIL import Image

    file = str(check_file(path))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                width, height = image.size
        return check_size((height, width))
    except (*_BROKEN, Image.DecompressionBombError) as error:
        raise RecordError(f"is no image that can be read: {error}", file=file) from None


def is_turned(path: Path) -> tuple[bool, bool]:
    """What EXIF's orientation does to an image when OpenCV or a browser shows it.

    Returns:
        whether it changes anything at all, and whether height and width change places.

    Raises:
        RecordError: no such file, or no image.
    """
    import warnings

    from PIL import ExifTags, Image

    file = str(check_file(path))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damaged EXIF data, too
            with Image.open(path) as image:
                value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except (*_BROKEN, Image.DecompressionBombError) as error:
        raise RecordError(f"is no image that can be read: {error}", file=file) from None
    return value in range(2, 9), value in range(5, 9)


def image_path(folder: Path, name: str, *, needed: bool = True) -> Path:
    """The file of an image that a data set names, inside `folder`.

    Where there is no file of that very name, Windows' separators and COCO's folders are read as
    such: see `image_names.spellings`.

    Raises:
        RecordError: the name leads out of the folder, or it is `needed` and there is no such file.
    """
    for spelling in spellings(name):
        try:
            path = (folder / spelling).resolve()
            inside, exists = path.is_relative_to(folder.resolve()), path.is_file()
        except (OSError, ValueError):  # too long, or a NUL byte
            inside, exists = True, False
        if not inside:
            raise RecordError(f"image {brief(name)} is outside of --image-dir", file=str(folder))
        if exists:
            return folder / spelling
    if needed:
        raise RecordError(f"there is no image {brief(name)} here", file=str(folder))
    return folder / name


def turned_hint(found: tuple[int, int], expected: tuple[int, int]) -> str:
    """What to say where an image has its masks' sides in the other order; else nothing.

    Cameras store what they see and say in EXIF how to turn it; masks are drawn on the turned image.
    """
    if found == expected or found[::-1] != expected:
        return ""
    return " (turned by 90 degrees? apply its EXIF orientation)"


def check_size_of_image(path: Path, size: tuple[int, int]) -> None:
    """Check that an image has the (height, width) of its masks, in pixels.

    Raises:
        RecordError: it has another, or is no image.
    """
    found = image_size(path)
    if found != size:
        raise RecordError(
            f"is {found[0]}x{found[1]} (height x width), but its masks are "
            f"{size[0]}x{size[1]}{turned_hint(found, size)}",
            file=str(path),
        )


def check_image(folder: Path | None, name: str, size: tuple[int, int]) -> None:
    """Check that the image of a data set exists in `folder` and has the size of its masks.

    Raises:
        RecordError: it is missing or of another size. Nothing is checked where `folder` is None.
    """
    if folder is None:
        return
    check_size_of_image(image_path(folder, name), size)


def find_image(folder: Path | None, name: str, mask: Path) -> str:
    """The image in `folder` whose name is that of a mask file up to the suffix.

    Args:
        folder: where the images lie; masks may lie there too.
        name: the mask file's name relative to where masks lie.
        mask: the mask file, which is no image of itself.

    Returns:
        its name relative to `folder`; `name` itself where `folder` is None.

    Raises:
        RecordError: there is none, or more than one.
    """
    if folder is None:
        return name
    stem = Path(name).with_suffix("").as_posix()
    itself = mask.resolve()
    found = [one for one in _by_stem(folder).get(stem, ()) if (folder / one).resolve() != itself]
    if not found:
        endings = ", ".join(IMAGE_SUFFIXES)
        raise RecordError(f"there is no image {brief(stem)} ({endings}) here", file=str(folder))
    if len(found) > 1:
        reason = f"there is more than one image {brief(stem)} here: {', '.join(found)}"
        raise RecordError(reason, file=str(folder))
    return found[0]


@lru_cache(maxsize=8)
def _by_stem(folder: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in IMAGE_SUFFIXES:
            name = path.relative_to(folder)
            found.setdefault(name.with_suffix("").as_posix(), []).append(name.as_posix())
    return found
