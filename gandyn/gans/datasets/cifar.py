"""CIFAR-10 and CIFAR-100 from files of their *binary* version. The Python version is pickle, which is never read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...doors import door
from ...errors import ParameterError
from ..registries import datasets as registry
from .images import channels_first, fitted
from .points import Points

PIXELS = 3 * 32 * 32
VERSIONS = {10: ("data_batch_*.bin", "test_batch.bin", 1), 100: ("train.bin", "test.bin", 2)}


@registry.register("cifar", examples=())
@door
def cifar(path: str | Path, classes: int = 10, size: int | None = None, fit: str = "pad") -> Points:
    """Colour images (3, 32, 32) in [-1, 1] with labels; the test batch is held out.

    Args:
        path: the folder that the binary version unpacks to, with data_batch_1.bin and so on (train.bin for 100).
        classes: 10, or 100 (its fine labels).
        size, fit: as for `digits`.

    Raises:
        ParameterError: without such files, for a file that is cut short, or for the Python version, whose files are
            pickle and could run code.
    """
    if classes not in VERSIONS:
        raise ParameterError(f"cifar with classes={classes}", "10 or 100", "classes=10")
    pattern, test, bytes_before = VERSIONS[classes]
    root = Path(path)
    training = sorted(root.glob(pattern))
    if not training:
        raise _nothing(root, pattern)
    apart = [root / test] if (root / test).exists() else []
    held_out = _points("CIFAR test", apart, classes, bytes_before, size, fit, None) if apart else None
    return _points(f"CIFAR-{classes}", training, classes, bytes_before, size, fit, held_out)


def _points(
    name: str, files: list[Path], classes: int, before: int, size: int | None, fit: str, held_out: Points | None
) -> Points:
    records = np.concatenate([_records(file, before + PIXELS) for file in files])
    images = channels_first(records[:, before:], (len(records), 3, 32, 32))
    return Points(name, fitted(images, size, fit), records[:, before - 1].astype(np.int64), classes, held_out)


def _records(file: Path, length: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """One record a row: the labels' bytes, then a plane of red, of green and of blue."""
    content = np.fromfile(file, np.uint8)
    if not len(content) or len(content) % length:
        needed = f"records of {length} bytes"
        raise ParameterError(f"{file.name} of {len(content)} bytes", needed, "fetch the binary version again")
    return content.reshape(-1, length)


def _nothing(root: Path, pattern: str) -> ParameterError:
    pickled = [name for name in ("data_batch_1", "train", "batches.meta") if (root / name).exists()]
    if pickled:
        given = f"{root} holds {pickled[0]}, the Python version of CIFAR, which is pickle and could run code"
        return ParameterError(given, f"the binary version, {pattern}", "fetch the archive named 'binary version'")
    return ParameterError(f"no {pattern} in {root}", "the folder of the binary version", "check the path")
