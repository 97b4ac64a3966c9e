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


def powers(polynomial: sympy.Poly, letter: str) -> str:
    r"""A polynomial in one variable as LaTeX, written in `letter`, its powers descending.

    Example:
        >>> import sympy
        >>> z, lr = sympy.symbols("z lr")
        >>> powers(sympy.Poly((z - 1 + lr) ** 2 - lr, z), r"\lambda")
        '\\lambda^{2} + \\left(2 \\eta - 2\\right) \\lambda + \\eta^{2} - 3 \\eta + 1'
    """
    text = ""
    for (power,), coefficient in polynomial.terms():
        monomial = letter if power == 1 else f"{letter}^{{{power}}}" if power else ""
        factor, several = in_papers(coefficient), coefficient.is_Add
        negative = factor.startswith("-")
        if negative and not (several and not monomial):
            factor = in_papers(-coefficient)
        elif negative:  # a sum at the end stands without brackets
            factor = factor.removeprefix("-").strip()
        if several and monomial:
            factor = rf"\left({factor}\right)"
        term = monomial if monomial and factor == "1" else f"{factor} {monomial}".strip()
        sign = " - " if negative else " + " if text else ""
        text += f"{sign}{term}"
    return text.strip()
