"""Attributes of a wrapper that are those of the game it wraps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Wrapper = TypeVar("Wrapper", bound=type)


class Forwarded:
    """An attribute or method that is the wrapped game's, unless the view sets one of its own."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, view: Any, owner: object = None) -> Any:
        return self if view is None else getattr(view.game, self.name)


def forwards(*names: str) -> Callable[[Wrapper], Wrapper]:
    """Class decorator: the attributes and methods of these names are those of `self.game`."""

    def decorate(cls: Wrapper) -> Wrapper:
        for name in names:
            setattr(cls, name, Forwarded(name))
        return cls

    return decorate
