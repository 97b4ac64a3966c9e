"""Memory that a request would take, estimated before it is taken, and memory that may be taken over."""

from __future__ import annotations

import contextlib
import contextvars
import functools
import os
from collections.abc import Iterable, Iterator
from typing import Any

from .errors import ParameterError

FALLBACK = 2**34


@functools.cache
def physical() -> int:
    """The machine's memory in bytes."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return FALLBACK


def afford(size: int, what: str, fix: str) -> None:
    """Refuse what would take more bytes than the machine has. Raises ParameterError with the number."""
    most = physical()
    if size > most:
        raise ParameterError(f"{what}, which would take {readable(size)}", f"at most {readable(most)}", fix)


def readable(size: int) -> str:
    """Bytes in the unit that a person reads."""
    value = float(size)
    for unit in ("bytes", "KiB", "MiB", "GiB", "TiB"):
        if value < 1024:
            return f"{value:.3g} {unit}"
        value /= 1024
    return f"{value:.3g} PiB"


_given_away: contextvars.ContextVar[frozenset[int]] = contextvars.ContextVar("given_away", default=frozenset())


@contextlib.contextmanager
def giving_away(tensors: Iterable[Any]) -> Iterator[None]:
    """While it lasts, torch tensors that the caller needs no more may be written over (see `Rule.overwrites`)."""
    token = _given_away.set(frozenset(t.untyped_storage().data_ptr() for t in tensors))
    try:
        yield
    finally:
        _given_away.reset(token)


def keep_all() -> None:
    """Take back, until the end of the innermost `giving_away`, what was given away and is not yet written over."""
    if _given_away.get():
        _given_away.set(frozenset())


def is_given_away(tensor: Any) -> bool:
    """Whether a torch tensor, or what it is a view of, may be written over."""
    kept = _given_away.get()
    return bool(kept) and tensor.untyped_storage().data_ptr() in kept
