"""A linearisation as a formula: its matrix and characteristic polynomial, with the symbols that papers use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...results import aligned
from ...text.paper_symbols import in_papers

if TYPE_CHECKING:
    from .exact_linearization import ExactLinearization

MOST_ROWS = 6


def formula(exact: ExactLinearization, measure: float | None) -> str:
    r"""The matrix and det(z I - matrix) of an `ExactLinearization`, aligned; empty where it is larger than 6 x 6.

    Args:
        exact: the exact linear part.
        measure: spectral radius or abscissa in decimals, where no parameter is free.
    """
    if exact.matrix.rows > MOST_ROWS or not exact.matrix.rows:
        return ""
    left = r"-J(w^*)" if exact.flow else r"DF(w^*)"
    lines = [f"{left} &= {in_papers(exact.matrix)}", rf"\chi(z) &= {in_papers(exact.charpoly)}"]
    if measure is not None:
        letter = r"\max \operatorname{Re} \lambda" if exact.flow else r"\rho"
        lines.append(rf"{letter} &\approx {measure:.7g}")
    return aligned(lines)
