"""Images as bytes (N, channels, height, width): resized, padded or cropped to a square; read from a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from ...doors import door
from ...errors import ParameterError, ShapeError
from ...types import Array
from ..registries import datasets as registry
from .points import Points

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
FITS = ("pad", "resize")


def fitted(images: torch.Tensor, size: int | None, way: str = "pad") -> torch.Tensor:
    """Square images (N, c, h, h) of bytes brought to (N, c, size, size).

    To pad puts byte 0 (-1 once scaled, black) around the pictures, evenly; to resize interpolates, antialiased; a size
    of None leaves them. Raises ParameterError for padding to a smaller size, or an unknown way.
    """
    side = images.shape[-1]
    if size is None or size == side:
        return images
    if way not in FITS or size < 1 or (way == "pad" and size < side):
        raise ParameterError(
            f"images of {side} pixels to size={size}, fit={way!r}", "pad to more, or resize", 'fit="resize"'
        )
    if way == "pad":
        before = (size - side) // 2
        after = size - side - before
        return torch.nn.functional.pad(images, (before, after, before, after))
    resized = torch.nn.functional.interpolate(
        images.float(), (size, size), mode="bilinear", align_corners=False, antialias=True
    )
    return resized.round().clamp(0, 255).to(torch.uint8)


@registry.register("folder", examples=())
@door
def folder(
    path: str | Path,
    size: int | None = None,
    gray: bool = False,
    held_out: float = 0.0,
    seed: int = 0,
    background: str = "white",
    shape: tuple[int, ...] | None = None,
) -> Points:
    """Your own images: all pictures in a folder and below it. Subfolders of the first level, if any, are classes.

    Args:
        path: the folder.
        size: of all pictures, which become squares: each is cropped to its largest central one and resized. Without
            `size` and `shape`, all must be alike.
        gray: one channel instead of three.
        background: the colour that is seen through transparent pixels, by its name or as "#rrggbb".
        shape: (height, width) in place of `size`: each is cropped to its largest central part of that shape.
        held_out: share kept apart, of every class alike. seed: of that choice.

    Raises:
        ParameterError: where there is no picture, or a file is none. ShapeError: for different sizes without `size`.
    """
    root = Path(path)
    files = sorted(file for file in root.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
    if not files:
        raise ParameterError(
            f"no picture in the folder {root}", f"files ending in {', '.join(SUFFIXES)}", "check the path"
        )
    wanted = _height_and_width(size, shape)
    _colour(background)
    images = [_read(file, wanted, gray, background) for file in files]
    for file, image in zip(files, images, strict=True):
        if image.shape != images[0].shape:
            given = f"{file.name} of shape {image.shape} beside {files[0].name} of {images[0].shape}"
            raise ShapeError(given, "pictures of one shape", "size=64")
    names = [file.relative_to(root).parts[0] if file.parent != root else "" for file in files]
    kinds = sorted(set(names))
    labels = [kinds.index(name) for name in names] if len(kinds) > 1 else None
    points = Points(root.name or "folder", torch.from_numpy(np.stack(images)), labels)
    return points.split(held_out, seed) if held_out else points


def _height_and_width(size: int | None, shape: tuple[int, ...] | None) -> tuple[int, int] | None:
    if shape is None:
        return None if size is None else (size, size)
    if size is not None or len(shape) != 2:
        raise ParameterError(f"size={size}, shape={shape}", "one of size and shape=(height, width)", "shape=(64, 96)")
    return shape[0], shape[1]


def _colour(background: str) -> None:
    from PIL import ImageColor

    try:
        ImageColor.getrgb(background)
    except ValueError as error:
        given = f"background={background!r}"
        raise ParameterError(given, "the name of a colour, or #rrggbb", 'background="white"') from error


def _read(file: Path, size: tuple[int, int] | None, gray: bool, background: str) -> np.ndarray:
    """One picture as bytes (channels, height, width)."""
    from PIL import Image

    try:
        with Image.open(file) as picture:
            image = _opaque(_eight_bits(picture), background).convert("L" if gray else "RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ParameterError(
            f"{file} cannot be read as a picture ({error})", "a picture", "remove or convert it"
        ) from error
    if size is not None:
        height, width = size
        scale = min(image.width / width, image.height / height)
        left, top = (image.width - round(width * scale)) // 2, (image.height - round(height * scale)) // 2
        box = (left, top, left + round(width * scale), top + round(height * scale))
        image = image.resize((width, height), Image.Resampling.LANCZOS, box)
    pixels = np.array(image, dtype=np.uint8)
    return pixels[None] if gray else pixels.transpose(2, 0, 1)


def _opaque(picture: Image, background: str) -> Image:
    """A picture with transparent pixels laid on a background: the colours stored under them mean nothing."""
    from PIL import Image

    if picture.mode not in ("RGBA", "LA", "PA", "La", "RGBa") and "transparency" not in picture.info:
        return picture
    layer = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, background), layer)


def _eight_bits(picture: Image) -> Image:
    """A picture scaled to 8 bits a channel; Pillow would cut at 255. Raises ParameterError for real numbers."""
    from PIL import Image

    if picture.mode == "F":
        raise ParameterError("a picture of real numbers", "8 or 16 bits a channel", "scale and convert it")
    if not picture.mode.startswith("I"):
        return picture
    values = np.asarray(picture).astype(np.int64)
    if values.min() < 0 or values.max() >= 2**16:
        raise ParameterError(
            f"a picture with values from {values.min()} to {values.max()}", "16 bits a channel", "scale it"
        )
    return Image.fromarray(((values * 255 + 2**15 - 1) // (2**16 - 1)).astype(np.uint8), "L")


def channels_first(images: Array, shape: Sequence[int]) -> torch.Tensor:
    """Bytes of any layout as a tensor of the given shape, which shares no memory with a file."""
    return torch.from_numpy(np.array(images, dtype=np.uint8).reshape(tuple(shape)))
