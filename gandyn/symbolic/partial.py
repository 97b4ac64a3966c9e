"""A cost f(x, y) without a formula, known by its partial derivatives: a rule traced on it runs on every cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import sympy

FIRST, SECOND = 3, 4


class Partial(sympy.Function):  # type: ignore[misc]
    """d^(i+j) f / dx^i dy^j at (x, y), as `Partial(i, j, x, y)`.

    Its derivatives are again partial derivatives of f, so that a rule's step on the game of f is written in them alone.
    Of all backends only JavaScript prints it, as a call `partial(i, j, x, y)`.

    Example:
        >>> x, y = sympy.symbols("x y", real=True)
        >>> sympy.diff(Partial(0, 0, x * y, y), x)
        y*Partial(1, 0, x*y, y)
    """

    nargs: ClassVar[tuple[int, ...]] = (4,)
    lowered_to: ClassVar[str] = "partial"

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """The derivative with respect to argument `argindex`: 3 is x and 4 is y; 0 for the others."""
        i, j, x, y = self.args
        return {FIRST: Partial(i + 1, j, x, y), SECOND: Partial(i, j + 1, x, y)}.get(argindex, sympy.Integer(0))

    def _eval_is_real(self) -> bool:
        return True


def orders(expressions: Sequence[sympy.Expr]) -> int:
    """The highest order of a derivative in some expressions."""
    found = set().union(*(e.atoms(Partial) for e in expressions)) if expressions else set()
    return max((int(node.args[0]) + int(node.args[1]) for node in found), default=0)
