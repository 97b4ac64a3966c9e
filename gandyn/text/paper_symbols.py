"""Formulas in LaTeX with the letters that papers use: a step size is η, whatever the argument of the rule is called."""

from __future__ import annotations

from collections.abc import Collection

from ..lazy import sympy

PAPERS = {
    "lr": r"\eta", "inner_lr": r"\eta_{\mathrm{in}}", "opponent_lr": r"\eta_{\mathrm{o}}", "momentum": r"\beta",
    "lam": r"\lambda", "gamma": r"\gamma", "extrapolation": r"\epsilon",
}  # fmt: skip


def in_papers(e: sympy.Basic, beside: Collection[sympy.Symbol] = (), own: Collection[sympy.Symbol] = ()) -> str:
    r"""An expression, or a matrix of expressions, as LaTeX.

    A letter that stands for another symbol already is not given to a second one, whose name is then written out.

    Args:
        e: the expression.
        beside: symbols of the other formulas around it, which need letters of their own.
        own: coordinates, which are no parameters of a rule whatever they are called.

    Example:
        >>> import sympy
        >>> in_papers(1 + sympy.Symbol("lr", positive=True) ** 2)
        '\\eta^{2} + 1'
        >>> in_papers(sympy.Symbol("momentum") + sympy.Symbol("beta"))
        '\\beta + \\mathrm{momentum}'
    """
    every = {*e.free_symbols, *beside, *own}
    known = {s for s in every if str(s) in PAPERS and s not in own}
    taken = {sympy.latex(s) for s in every - known}
    names = {s: PAPERS[str(s)] if PAPERS[str(s)] not in taken else _written_out(s) for s in known}
    text: str = sympy.latex(e, symbol_names=names)
    return text


def _written_out(s: sympy.Symbol) -> str:
    return rf"\mathrm{{{str(s).replace('_', chr(92) + '_')}}}"


def powers(polynomial: sympy.Poly, letter: str, beside: Collection[sympy.Symbol] = ()) -> str:
    r"""A polynomial in one variable as LaTeX, written in `letter`, its powers descending; `beside` as in `in_papers`.

    Example:
        >>> import sympy
        >>> z, lr = sympy.symbols("z lr")
        >>> powers(sympy.Poly((z - 1 + lr) ** 2 - lr, z), r"\lambda")
        '\\lambda^{2} + \\left(2 \\eta - 2\\right) \\lambda + \\eta^{2} - 3 \\eta + 1'
    """
    text = ""
    for (power,), coefficient in polynomial.terms():
        monomial = letter if power == 1 else f"{letter}^{{{power}}}" if power else ""
        factor, several = in_papers(coefficient, beside), coefficient.is_Add
        negative = factor.startswith("-")
        if negative and not (several and not monomial):
            factor = in_papers(-coefficient, beside)
        elif negative:  # a sum at the end stands without brackets
            factor = factor.removeprefix("-").strip()
        if several and monomial:
            factor = rf"\left({factor}\right)"
        term = monomial if monomial and factor == "1" else f"{factor} {monomial}".strip()
        sign = " - " if negative else " + " if text else ""
        text += f"{sign}{term}"
    return text.strip()
