"""How a text that means nothing is refused: quoted, in one line."""

from __future__ import annotations

from typing import NoReturn

from ..errors import TextError

SHOWN = 60


def shorten(text: str) -> str:
    """A text as messages quote it: on one line, not longer than a person reads."""
    shown = repr(text)
    return shown if len(shown) <= SHOWN else f"{shown[: SHOWN - 4]}...{shown[0]} ({len(text)} letters)"


def refuse(text: str, why: str, needed: str, fix: str) -> NoReturn:
    """Raise the one kind of error of this room."""
    raise TextError(f"the value {shorten(text)}, {why}", needed, fix)
