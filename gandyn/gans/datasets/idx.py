"""The IDX format of MNIST and its relatives (Fashion-MNIST, KMNIST, EMNIST): the user's own files, perhaps gzipped."""

from __future__ import annotations

import gzip
import math
import struct
from pathlib import Path
from typing import IO

import numpy as np

from ...doors import door
from ...errors import ParameterError, ShapeError
from ..registries import datasets as registry
from .images import channels_first, fitted
from .points import Points

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
LARGEST = 8 * 2**30


def read_idx(path: str | Path) -> np.ndarray:
    """The array of an IDX file: two zero bytes, a type, the number of dimensions, their sizes, the data, big-endian.
    Raises ParameterError for a file that is not one, is cut short, or has bytes left over.
    """
    path = Path(path)
    try:
        with path.open("rb") as plain:
            zipped = plain.read(2) == b"\x1f\x8b"
            plain.seek(0)
            return _parse(gzip.open(plain) if zipped else plain, path.name)  # type: ignore[arg-type]
    except (OSError, EOFError, struct.error) as error:
        raise ParameterError(f"{path} cannot be read as IDX ({error})", "an IDX file", "check the path") from error


def _parse(file: IO[bytes], name: str) -> np.ndarray:
    zeros, kind, dimensions = struct.unpack(">HBB", file.read(4))
    if zeros or kind not in TYPES or not dimensions:
        raise ParameterError(f"{name} does not begin as an IDX file", "0, 0, a type and dimensions", "check the file")
    shape = struct.unpack(f">{dimensions}I", file.read(4 * dimensions))
    size = math.prod(shape) * np.dtype(TYPES[kind]).itemsize
    if size > LARGEST:
        raise ParameterError(f"{name} claims {size} bytes", f"at most {LARGEST}", "check the file")
    content = file.read(size + 1)
    if len(content) != size:
        relation = "more" if len(content) > size else f"only {len(content)}"
        raise ParameterError(f"{name} should hold {size} bytes and holds {relation}", "a whole file", "fetch it again")
    return np.frombuffer(content, TYPES[kind]).reshape(shape)


@registry.register("idx", examples=())
@door
def idx(
    images: str,
    labels: str | None = None,
    test_images: str | None = None,
    test_labels: str | None = None,
    size: int | None = None,
    fit: str = "pad",
) -> Points:
    """Gray images of IDX files, (1, size, size) in [-1, 1].

    Args:
        images, labels: files of bytes (N, side, side) and (N,).
        test_images, test_labels: the same for the held-out part.
        size, fit: as for `digits`.
    """
    held_out = None if test_images is None else _points(test_images, test_labels, size, fit, None)
    return _points(images, labels, size, fit, held_out)


def _points(images: str, labels: str | None, size: int | None, fit: str, held_out: Points | None) -> Points:
    pixels, name = read_idx(images), Path(images).name
    if pixels.ndim != 3 or pixels.dtype != np.uint8 or pixels.shape[1] != pixels.shape[2]:
        raise ShapeError(f"{name} holds {pixels.dtype} {pixels.shape}", "bytes (N, side, side)", "use the images' file")
    kinds = None if labels is None else read_idx(labels).astype(np.int64)
    shaped = channels_first(pixels, (len(pixels), 1, *pixels.shape[1:]))
    return Points(name.split(".")[0], fitted(shaped, size, fit), kinds, held_out=held_out)
