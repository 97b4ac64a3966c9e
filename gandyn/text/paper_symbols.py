"""Formulas in LaTeX with the letters that papers use: a step size is η, whatever the argument of the rule is called."""

from __future__ import annotations

from ..lazy import sympy

PAPERS = {
    "lr": r"\eta", "inner_lr": r"\eta_{\mathrm{in}}", "opponent_lr": r"\eta_{\mathrm{o}}", "momentum": r"\beta",
    "lam": r"\lambda", "gamma": r"\gamma", "extrapolation": r"\epsilon",
}  # fmt: skip


def in_papers(e: sympy.Basic) -> str:
    r"""An expression, or a matrix of expressions, as LaTeX.

    Example:
        >>> import sympy
        >>> in_papers(1 + sympy.Symbol("lr", positive=True) ** 2)
        '\\eta^{2} + 1'
    """
    names = {s: PAPERS[str(s)] for s in e.free_symbols if str(s) in PAPERS}
    text: str = sympy.latex(e, symbol_names=names)
    return text
