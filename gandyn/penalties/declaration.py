"""What every file of a penalty uses: registration, and what its fields hold."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable
from typing import Any, TypeVar

from ..parameters import declared_number
from . import registry
from .penalty import Penalty

P = TypeVar("P", bound=type[Penalty])


def weight(*, default: object = dataclasses.MISSING) -> Any:
    """A field that holds a number that is not negative, an expression, or the name of a free parameter."""
    return declared_number(0, needed="{name} >= 0", default=default)


@typing.dataclass_transform(frozen_default=True, field_specifiers=(weight,))
def register(
    name: str, examples: tuple[dict[str, object], ...] = ({},), aliases: tuple[str, ...] = ()
) -> Callable[[P], P]:
    """Class decorator: make a penalty a frozen dataclass, and list it with examples that the contract tests run."""
    return registry.register(name, examples, aliases, frozen=True)
