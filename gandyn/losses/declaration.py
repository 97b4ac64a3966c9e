"""What every file of a loss uses: registration, and what its fields hold."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable
from typing import Any, TypeVar

from ..errors import ParameterError
from ..parameters import declared, declared_number
from . import registry, resolve
from .loss import Loss

L = TypeVar("L", bound=type[Loss])


def parameter(*, default: object = dataclasses.MISSING) -> Any:
    """A field that holds a number, an expression, or the name of a free parameter."""
    return declared_number(default=default)


def share(*, default: object = dataclasses.MISSING) -> Any:
    """A field that holds a number between 0 and 1, an expression, or the name of a free parameter."""
    return declared_number(0, 1, "a share between 0 and 1", default=default)


def wrapped(*, separable: bool = True, default: object = dataclasses.MISSING) -> Any:
    """A field that holds another loss, given as an object or in text; one with three link functions if `separable`."""

    def read(item: object, name: str, value: Loss | str) -> Loss:
        loss: Loss = resolve(value)
        if separable and not loss.separable:
            given = f"{type(item).__name__} of {type(loss).__name__}, which acts on batches"
            raise ParameterError(given, "a separable loss", f'pass "{default}"')
        return loss

    return declared(read, default=default)


@typing.dataclass_transform(frozen_default=True, field_specifiers=(parameter, share, wrapped))
def register(
    name: str, examples: tuple[dict[str, object], ...] = ({},), aliases: tuple[str, ...] = ()
) -> Callable[[L], L]:
    """Class decorator: make a loss a frozen dataclass, and list it with examples that the contract tests run."""
    return registry.register(name, examples, aliases, frozen=True)
