"""A linearisation as a formula: its matrix and characteristic polynomial, with the symbols that papers use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...lazy import sympy
from ...results import aligned

if TYPE_CHECKING:
    from .exact_linearization import ExactLinearization

PAPERS = {
    "lr": r"\eta", "inner_lr": r"\eta_{\mathrm{in}}", "opponent_lr": r"\eta_{\mathrm{o}}", "momentum": r"\beta",
    "lam": r"\lambda", "gamma": r"\gamma", "extrapolation": r"\epsilon",
}  # fmt: skip
MOST_ROWS = 6


def formula(exact: ExactLinearization, measure: float | None) -> str:
    r"""The matrix and det(z I - matrix) of an `ExactLinearization`, aligned; empty where it is larger than 6 x 6.

    Args:
        exact: the exact linear part.
        measure: spectral radius or abscissa in decimals, where no parameter is free.
    """
    if exact.matrix.rows > MOST_ROWS or not exact.matrix.rows:
        return ""
    names = {s: PAPERS[str(s)] for s in exact.matrix.free_symbols if str(s) in PAPERS}

    def written(e: object) -> str:
        text: str = sympy.latex(e, symbol_names=names)
        return text

    left = r"-J(w^*)" if exact.flow else r"DF(w^*)"
    lines = [f"{left} &= {written(exact.matrix)}", rf"\chi(z) &= {written(exact.charpoly)}"]
    if measure is not None:
        letter = r"\max \operatorname{Re} \lambda" if exact.flow else r"\rho"
        lines.append(rf"{letter} &\approx {measure:.7g}")
    return aligned(lines)
