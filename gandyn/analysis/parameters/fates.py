"""What becomes of starts near a point, interval by interval of one free parameter."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from fractions import Fraction

from ...budget import Budget
from ...errors import DomainError
from ...lazy import sympy
from ...types import Game, Rule
from ..local.exact_linearization import ExactLinearization
from ..local.fate import Fate
from ..local.linearization import Linearization
from ..local.linearize import linearize
from ..local.verdicts import Verdict
from .freed import valued
from .thresholds import Root, where_positive


@dataclasses.dataclass(frozen=True)
class Stretch:
    """An open interval of positive values of a parameter in which no eigenvalue changes sides.

    Attributes:
        low, high: its ends, exact; 0 and infinity among them.
        inside: a rational number between them.
        verdict: of the linear part, the same in the whole interval.
        fate: of starts near the point, in the whole interval where `throughout` holds and else at every value in
            `looked`; "undecided" where it differs there.
        looked: (value, fate at it), in order; `inside` is one of the values.
        throughout: whether the fate is proved for the whole interval: the linear part decides it, or the dynamics is
            affine. Terms beyond the linear part may change sign where no eigenvalue does.
    """

    low: sympy.Expr
    high: sympy.Expr
    inside: sympy.Expr
    verdict: str
    fate: str
    looked: tuple[tuple[sympy.Expr, str], ...]
    throughout: bool


def fates(
    game: Game, rule: Rule | None, at: object = None, budget: float | Budget | None = 60.0
) -> tuple[Stretch, ...]:
    """The fate of starts near a fixed point, for each interval of the one free parameter of game and rule.

    An eigenvalue leaves or reaches the boundary of stability only where an irreducible factor f of the characteristic
    polynomial shares a root with its mirror image, f*(z) = z^n f(1/z) for a map and f(-z) for a flow: at a root of
    their resultant. A factor that is its own mirror image, up to sign, has eigenvalues on the boundary throughout and
    others in pairs; they meet at roots of its discriminant, and those of two such factors at roots of their resultant.
    Between two roots of these polynomials in the parameter the verdict is therefore that of one value. Where it is
    marginal and the dynamics is not affine, terms beyond the linear part decide, at three values of each interval:
    see `Stretch.throughout`.

    Args:
        game: a symbolic game.
        rule: a rule, or None for the flow.
        at: the fixed point; the first known equilibrium by default. It may not move with the parameter.
        budget: seconds.

    Raises:
        DomainError: unless one parameter is free and the polynomials have rational coefficients; and if an eigenvalue
            that stays on the boundary is repeated, and not semisimple for every value.
        OutOfTimeError: when the budget is spent.

    Example:
        >>> import gandyn as gd
        >>> from gandyn.analysis.parameters.fates import fates
        >>> [(s.low, s.high, s.verdict, s.fate) for s in fates(gd.games.bilinear(), gd.rules.AlternatingGD("lr"))]
        [(0, 2, 'marginal', 'conservative'), (2, oo, 'saddle', 'saddle')]
    """
    return Budget.of(budget).run(lambda: _fates(game, rule, at), "the fates along a parameter")


def _fates(game: Game, rule: Rule | None, at: object) -> tuple[Stretch, ...]:
    exact = linearize(game, rule, at).exact
    if exact is None or len(exact.parameters) != 1:
        raise DomainError(f"the fates of {game.name} along a parameter", "one free parameter", "set the others")
    (p,) = exact.parameters
    cut = where_positive(_boundaries(exact), p) if p.is_positive else None
    if cut is None:
        raise DomainError(f"the fates of {game.name} along {p}", "rational coefficients, p > 0", "single values")
    roots, found = cut[0].roots, []

    def decided(value: sympy.Expr) -> Linearization:
        return linearize(*valued(game, rule, {p: value}), at=at)

    for low, high in zip((None, *roots), (*roots, None), strict=True):
        ends = sympy.Integer(0) if low is None else low.exact(p), sympy.oo if high is None else high.exact(p)
        found.append(_stretch(low, high, ends, decided))
    return tuple(_joined(found, decided))


def _stretch(
    low: Root | None,
    high: Root | None,
    ends: tuple[sympy.Expr, sympy.Expr],
    decided: Callable[[sympy.Expr], Linearization],
) -> Stretch:
    """The interval between two neighbouring roots, looked at in one place or in three."""
    left = Fraction(0) if low is None else low.bracket[1]
    right = None if high is None else high.bracket[0]
    inside = _between(left, right)
    there = decided(_rational(inside))
    throughout = there.verdict is not Verdict.MARGINAL or there.describes_all
    further = [] if throughout else [_between(left, inside), 4 * inside if right is None else _between(inside, right)]
    fate = {x: str((there if x == inside else decided(_rational(x))).fate) for x in sorted([inside, *further])}
    told = fate[inside] if len(set(fate.values())) == 1 else str(Fate.UNDECIDED)
    looked = tuple((_rational(x), f) for x, f in fate.items())
    return Stretch(*ends, _rational(inside), str(there.verdict), told, looked, throughout)


def _boundaries(exact: ExactLinearization) -> list[sympy.Expr]:
    """Expressions in the parameter, one of which vanishes wherever an eigenvalue changes sides, goes to infinity, or
    meets another on the boundary.

    Raises:
        DomainError: if an eigenvalue on the boundary is repeated and defective for some value: it need not be for all.
    """
    found: list[sympy.Expr] = []
    staying: list[sympy.Poly] = []
    bare = sympy.Integer(1)
    for f, count in exact.factors:
        z, poly = f.gen, sympy.Poly(sympy.numer(sympy.together(f.as_expr())), f.gen)
        mirror = poly.compose(sympy.Poly(-z, z)) if exact.flow else sympy.Poly(poly.all_coeffs()[::-1], z)
        own = any(sympy.expand((poly - sign * mirror).as_expr()) == 0 for sign in (1, -1))
        bare *= poly.as_expr() if own else poly.as_expr() ** count
        if own:
            found += [sympy.resultant(poly, other, z) for other in staying]
            staying.append(poly)
        if own and poly.degree() == 1:
            continue  # z = 0, or z = 1 or -1, whatever the parameter is
        found.append(sympy.discriminant(poly, z) if own else sympy.resultant(poly, mirror, z))
        found.append(poly.LC())
    if sum(count for _, count in exact.factors) > len(exact.factors) and not _annihilates(bare, exact):
        raise DomainError("an eigenvalue on the boundary that is repeated", "simple ones there", "single values")
    return [sympy.expand(e) for e in found if e.free_symbols]


def _annihilates(e: sympy.Expr, exact: ExactLinearization) -> bool:
    """Whether a polynomial in the eigenvalue is zero at the matrix, whatever the parameter is.

    One in which the factors that stay on the boundary stand once is zero exactly if no eigenvalue there is defective.
    """
    matrix = sympy.Matrix(exact.matrix)
    one, value = sympy.eye(matrix.rows), sympy.zeros(*matrix.shape)
    for coefficient in sympy.Poly(e, exact.factors[0][0].gen).all_coeffs():
        value = (value * matrix + coefficient * one).applyfunc(sympy.cancel)
    return bool(value.is_zero_matrix)


def _between(left: Fraction, right: Fraction | None) -> Fraction:
    """A number between two others with a small denominator; None stands for infinity."""
    if right is None:
        return Fraction(int(left) + 1)
    middle, most = (left + right) / 2, 1
    while not left < middle.limit_denominator(most) < right:
        most *= 2
    return middle.limit_denominator(most)


def _rational(x: Fraction) -> sympy.Expr:
    return sympy.Rational(x.numerator, x.denominator)


def _joined(stretches: list[Stretch], decided: Callable[[sympy.Expr], Linearization]) -> list[Stretch]:
    """Neighbours of one fate joined where the end between them is rational and has it too."""
    joined = stretches[:1]
    for one in stretches[1:]:
        last = joined[-1]
        same = (last.verdict, last.fate) == (one.verdict, one.fate) and one.fate != Fate.UNDECIDED
        if same and one.low.is_Rational and _told(decided(one.low)) == (one.verdict, one.fate):
            looked = (*last.looked, (one.low, one.fate), *one.looked)
            both = last.throughout and one.throughout
            joined[-1] = dataclasses.replace(last, high=one.high, looked=looked, throughout=both)
        else:
            joined.append(one)
    return joined


def _told(lin: Linearization) -> tuple[str, str]:
    return str(lin.verdict), str(lin.fate)
