"""Memory that a request would take, estimated before it is taken."""

from __future__ import annotations

import functools
import os

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
    """Refuse what would take more bytes than the machine has.

    Raises:
        ParameterError: with the number.
    """
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
