"""A linearisation as a formula: its matrix and characteristic polynomial, with the symbols that papers use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...lazy import sympy
from ...results import aligned
from ...text.paper_symbols import in_papers, powers
from ..exact_numbers.roots import Z

if TYPE_CHECKING:
    from .exact_linearization import ExactLinearization

MOST_ROWS = 6
LETTERS = (r"\lambda", r"\mu", r"\nu", r"\xi", r"\zeta", r"\mathsf{z}")


def formula(exact: ExactLinearization, measure: float | None) -> str:
    r"""The matrix and det(λ I - matrix) of an `ExactLinearization`, aligned; empty where it is larger than 6 x 6.

    Eigenvalues are λ as in the papers, or the next letter where a parameter is λ already, such as the weight of SGA.

    Args:
        exact: the exact linear part.
        measure: spectral radius or abscissa in decimals, where no parameter is free.
    """
    if exact.matrix.rows > MOST_ROWS or not exact.matrix.rows:
        return ""
    left = r"-J(w^*)" if exact.flow else r"DF(w^*)"
    matrix = in_papers(exact.matrix)
    letter = next(name for name in LETTERS if name not in matrix)
    polynomial = powers(sympy.Poly(exact.charpoly, Z), letter, exact.parameters)
    lines = [f"{left} &= {matrix}", rf"\chi({letter}) &= {polynomial}"]
    if measure is not None:
        extreme = rf"\max \operatorname{{Re}} {letter}" if exact.flow else r"\rho"
        lines.append(rf"{extreme} &\approx {measure:.7g}")
    return aligned(lines)
