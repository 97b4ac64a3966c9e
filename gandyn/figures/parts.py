"""Parts of a figure's data, each kept as soon as it is done: an interrupted run loses only the part that it was in."""

from __future__ import annotations

import contextlib
import contextvars
import dataclasses
import pathlib
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..gans.training.stop import Stop
from . import store
from .keys import digest


@dataclasses.dataclass
class Place:
    """Where the parts of some data are kept, and how long those took that an earlier call had finished."""

    folder: pathlib.Path
    key: str
    seconds: float = 0.0


_PLACE: contextvars.ContextVar[Place | None] = contextvars.ContextVar("place of parts", default=None)


@contextlib.contextmanager
def keeping(stem: pathlib.Path, key: str) -> Iterator[Place]:
    """Keep the parts of the data with this key in the folder `STEM.parts` until `drop` removes them."""
    place = Place(store.with_suffix(stem, ".parts"), key)
    token = _PLACE.set(place)
    try:
        yield place
    finally:
        _PLACE.reset(token)


def drop(stem: pathlib.Path) -> None:
    """Remove the parts, which the whole data have made superfluous."""
    shutil.rmtree(store.with_suffix(stem, ".parts"), ignore_errors=True)


def whole(compute: Callable[[], Mapping[str, object]]) -> dict[str, Any]:
    """The data that `compute()` returns.

    Raises:
        KeyboardInterrupt: where a signal has stopped a training in it. The training returns what it has, and data made
            of it would look like those of the whole.
    """
    heard = Stop.heard
    data = dict(compute())
    if Stop.heard != heard:
        raise KeyboardInterrupt("a training of the figure was stopped by a signal")
    return data


def part(name: str, compute: Callable[[], Mapping[str, object]]) -> dict[str, Any]:
    """The data that `compute()` returns, or those that an interrupted run of the same figure has kept of this part.

    A figure calls it once a method or a seed. Outside of `make` nothing is kept, and `compute` is called.

    Args:
        name: of the part, another for each. compute: its data: arrays, numbers, texts and lists of them.

    Raises:
        ParameterError: for data that cannot be saved. KeyboardInterrupt: where a signal has stopped a training in it.

    Example:
        >>> part("squares", lambda: {"squares": [k * k for k in range(4)]})
        {'squares': [0, 1, 4, 9]}
    """
    place = _PLACE.get()
    if place is None:
        return whole(compute)
    stem, key = place.folder / re.sub(r"\W+", "-", name), digest(place.key, name)
    known = store.read(stem, key)
    if known is not None:
        place.seconds += store.read_record(stem)["seconds"]
        return known
    began = time.perf_counter()
    data = whole(compute)
    place.folder.mkdir(parents=True, exist_ok=True)
    store.write(stem, key, data, {"part": name, "seconds": time.perf_counter() - began})
    return store.read(stem, key) or data
