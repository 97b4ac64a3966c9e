"""A cost of two numbers that is known only by its partial derivatives: what is traced on it runs on every cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import sympy

FIRST, SECOND = 3, 4


class Partial(sympy.Function):  # type: ignore[misc]
    """d^(i+j) f / dx^i dy^j at (x, y), as `Partial(i, j, x, y)`.

    Its derivatives are further ones of its kind, so a rule's step on the game of f is written in them alone. Only
    JavaScript has it, as a call of `partial(i, j, x, y)`.

    Example:
        >>> x, y = sympy.symbols("x y", real=True)
        >>> sympy.diff(Partial(0, 0, x * y, y), x)
        y*Partial(1, 0, x*y, y)
    """

    nargs: ClassVar[Any] = (4,)
    lowered_to: ClassVar[str] = "partial"

    def fdiff(self, argindex: int = 1) -> Any:
        """The derivative by one of the two numbers."""
        i, j, x, y = self.args
        return {FIRST: Partial(i + 1, j, x, y), SECOND: Partial(i, j + 1, x, y)}.get(argindex, sympy.Integer(0))

    def _eval_is_real(self) -> bool:
        return True


def orders(expressions: Sequence[sympy.Expr]) -> int:
    """The highest order of a derivative in some expressions."""
    found = set().union(*(e.atoms(Partial) for e in expressions)) if expressions else set()
    return max((int(node.args[0]) + int(node.args[1]) for node in found), default=0)
