"""Many steps of a linear map at once: z after k steps is A^k z, where nothing has to be seen in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..types import Array
from .program import Program

SHORTEST, LONGEST = 4, 256  # steps at once


def is_affine(program: Program) -> bool:
    """Whether z+ = A z + c with A and c the same at every step: sums, and products with what does not vary."""
    if program.draws or program.counter_outputs != program.counters:
        return False
    varies = {*program.inputs, *(line.name for line in program.varying)}
    for line in program.varying:
        moving = [arg in varies for arg in line.args]
        scaled = (line.op == "mul" and sum(moving) == 1) or (line.op == "div" and not moving[1])
        if not (scaled or line.op in {"add", "sub", "neg"}):
            return False
    return True


class Powers:
    """A^k of a linear map.

    Args:
        program: of which `is_affine` holds.
        step: one step of members in columns: an array (D, n), to D arrays (n,) and perhaps more.

    Attributes:
        linear: whether zero is mapped to zero, and A is finite.
    """

    def __init__(self, program: Program, step: Callable[[Array], Sequence[Array]]) -> None:
        size = program.size
        columns = step(np.eye(size, size + 1))  # of A, and last the image of zero
        self._map = np.array(columns[:size])
        self.linear = bool(np.isfinite(self._map).all()) and not self._map[:, size].any()
        self._known: dict[int, Array] = {}

    def jump(self, steps: int, columns: Sequence[Array]) -> list[Array]:
        """The members after some steps, coordinate by coordinate, so that no member changes the last bit of another."""
        power = self._known.get(steps)
        if power is None:
            a = self._map[:, :-1].astype(np.longdouble)  # powers to more digits than they are used with
            power = self._known[steps] = np.linalg.matrix_power(a, steps).astype(float)
        return [_combined(row, columns) for row in power]


def _combined(row: Array, columns: Sequence[Array]) -> Any:
    total = np.zeros_like(columns[0])
    for factor, column in zip(row, columns, strict=True):
        if factor:
            total += factor * column
    return total
