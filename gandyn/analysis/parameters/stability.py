"""For which parameters a linear part attracts: exact conditions by Routh-Hurwitz and Jury, and thresholds."""

from __future__ import annotations

import dataclasses
import functools
import math
from fractions import Fraction
from typing import Any

import numpy as np

from ...budget import Budget, OutOfTimeError
from ...doors import door
from ...errors import DomainError, ParameterError
from ...lazy import sympy
from ...results import Result, aligned, exact_and_decimal, place, with_decimal
from ...text.paper_symbols import in_papers
from ...types import Game, Rule
from ...types.signs import simplified
from ...worlds import SYMBOLS, exact, object_vector
from ..local.dynamics import refuse_marginal_limit
from ..local.exact_linearization import ExactLinearization
from ..local.linearize import linearize
from .conditions import READABLE, conditions, decimals, shortened
from .crossing import Crossing, attracts, crossing
from .equilibrium import refuse_moving
from .freed import freed, valued
from .thresholds import Root, end_of, intervals, never

CLOSED = 4  # the largest degree whose roots are looked for as expressions in other parameters


@dataclasses.dataclass(frozen=True, repr=False)
class StabilityRegion(Result):
    """Where, in parameter space, every eigenvalue lies strictly on the stable side.

    There starts near the point are attracted. Where an eigenvalue is on the boundary, terms beyond the linear part may
    attract too: see `Linearization.fate`.

    Attributes:
        game, rule: with the parameters left free; rule is None for the flow.
        at: the fixed point, shape (d,).
        parameters: their symbols.
        exact: the exact linearisation in these parameters.
        conditions: expressions that must all be positive, each factored; none where they did not come in time.
        reason: "" or why there are no conditions. Then `contains` still decides exactly at given values, and `critical`
            of one free parameter is a numeric value, with a `bracket` at whose ends it was proved.
        seconds: that were allowed.
    """

    game: Game
    rule: Rule | None
    at: tuple[sympy.Expr, ...]
    parameters: tuple[sympy.Symbol, ...]
    exact: ExactLinearization
    expressions: tuple[sympy.Expr, ...]
    reason: str = ""
    seconds: float = math.inf

    _data = "game rule at parameters conditions kind reason"
    _plot = "stability_region"

    @property
    def conditions(self) -> tuple[sympy.Basic, ...]:
        """SymPy inequalities, all of which hold exactly where the linear part attracts; none where it always does."""
        shown = map(decimals, self.expressions) if self.exact.decimal else self.expressions
        return tuple(c for e in shown if (c := e if e.is_Boolean else sympy.Gt(e, 0)) != sympy.true)

    @property
    def kind(self) -> str:
        """What thresholds are: "exact", or "numeric" where the conditions did not come in time."""
        return "numeric" if self.reason else "exact"

    @functools.cached_property
    def never(self) -> bool:
        """Whether it is proved that no parameters of the assumed signs fulfil all conditions."""
        if never(self.expressions):
            return True
        single = len(self.parameters) == 1 == len(self.exact.parameters) and self.parameters[0].is_positive
        return bool(single) and not self.reason and not intervals(self.expressions, self.parameters[0])

    @property
    def why_never(self) -> str:
        """The condition that holds nowhere, or that the conditions exclude each other; "" where it attracts."""
        if not self.never:
            return ""
        if (single := next((e for e in self.expressions if never([e])), None)) is None:
            return f"{' and '.join(f'{shortened(c)}' for c in self.conditions)} exclude each other"
        names = ", ".join(map(str, self.parameters))
        return f"an eigenvalue is on or beyond {'the imaginary axis' if self.rule is None else 'the unit circle'}" + (
            "" if single.is_number else f", as {shortened(sympy.Gt(single, 0))} for no {names}"
        )

    def contains(self, **values: object) -> bool:
        """Whether the linear part attracts at these parameter values, given by name.

        The conditions are those of parameters of the assumed signs, as a rule positive; elsewhere the eigenvalues at
        the values decide.

        Raises:
            ParameterError: unless each parameter has a value, which rule or game accepts.
        """
        point = self._point(values)
        if any(s.is_positive and v.is_positive is False for s, v in point.items()):
            found = linearize(*valued(self.game, self.rule, point), at=self.at).exact
            assert found is not None
            return attracts(found, {})
        return attracts(self.exact, point) if self.reason else all(bool(e.subs(point) > 0) for e in self.expressions)

    def _point(self, values: dict[str, float | sympy.Expr]) -> dict[sympy.Expr, sympy.Expr]:
        names = {str(s): s for s in self.parameters}
        if set(values) != set(names):
            raise ParameterError(
                f"values for {', '.join(values) or 'nothing'}", f"values for {', '.join(names)}", "name each parameter"
            )
        return {names[k]: exact(v) for k, v in values.items()}

    def _symbol(self, name: str) -> sympy.Symbol:
        for s in self.parameters:
            if str(s) == str(name):
                return s
        raise ParameterError(
            f"no free parameter {name}", f"one of {', '.join(map(str, self.parameters))}", "name it in parameters="
        )

    def critical(self, name: str) -> sympy.Expr:
        """Supremum of the stable interval of one parameter that starts at 0, exactly, or numerically: see `kind`.

        0 if there is none, infinity if it never ends. With other parameters free, the answer is an expression in them
        when one boundary is met first for all their values; otherwise a `DomainError` says so.
        """
        p = self._symbol(name)
        if self.reason:
            return sympy.Float(self._crossing(p).value, 15)
        if self.never:
            return sympy.Integer(0)
        others = set().union(*(e.free_symbols for e in self.expressions)) - {p}
        if others:
            return self._critical_expression(p, sorted(others, key=str))
        return self._exactly(end_of(self.expressions, p), p)

    def intervals(self, name: str) -> tuple[tuple[sympy.Expr, sympy.Expr], ...]:
        """Every open interval of positive values of the one free parameter in which the linear part attracts, in order.

        `critical` is the end of the interval that starts at 0; steps may also attract in one that does not.

        Raises:
            DomainError: while other parameters are free.
            OutOfTimeError: where the exact conditions did not come in time.
        """
        p = self._symbol(name)
        if self.reason:
            raise self._undecided(f"every stable {p}")
        others = set().union(*(e.free_symbols for e in self.expressions)) - {p}
        if others:
            raise DomainError(f"intervals of {p} while {min(map(str, others))} is free", "one free parameter", "fix it")
        found = intervals(self.expressions, p)
        return tuple((self._exactly(low, p), self._exactly(high, p)) for low, high in found)

    def _exactly(self, end: Any, p: sympy.Expr) -> sympy.Expr:
        value = end.exact(p) if isinstance(end, Root) else sympy.sympify(end, strict=True)
        return sympy.N(value, 15) if self.exact.decimal else value

    def bracket(self, name: str) -> tuple[Fraction, Fraction] | None:
        """Fractions around the critical value of one free parameter: an isolating interval; None if it is 0 or oo.

        Of a numeric value, fractions between which the point stops attracting; None where that was not proved.
        """
        if self.reason:
            return self._crossing(self._symbol(name)).bracket
        end = end_of(self.expressions, self._symbol(name))
        if isinstance(end, sympy.Float):  # coefficients are not rational
            return self._crossing(self._symbol(name)).bracket
        return end.bracket if isinstance(end, Root) else None

    def _crossing(self, p: sympy.Expr) -> Crossing:
        if set(self.exact.parameters) - {p}:
            raise self._undecided(f"the critical {p} while others are free")
        known: dict[sympy.Expr, Crossing] = self.__dict__.setdefault("_crossings", {})
        if p not in known:
            known[p] = crossing(self.exact, p, max(self.seconds, 1.0))
        return known[p]

    def _undecided(self, what: str) -> OutOfTimeError:
        return OutOfTimeError(f"{what} is {self.reason}", "the exact conditions", "a larger budget=, or budget=None")

    def _critical_expression(self, p: sympy.Expr, others: list[sympy.Expr]) -> sympy.Expr:
        """The first boundary in p as an expression in the others, if one boundary serves at every sample of them."""
        candidates: list[sympy.Expr] = []
        for e in self.expressions:
            for factor, _ in sympy.factor_list(sympy.numer(sympy.together(e)))[1]:
                if factor.has(p) and sympy.degree(factor, p) <= CLOSED:
                    candidates.extend(sympy.solve(factor, p))
        rng = np.random.default_rng(0)
        chosen = None
        for _ in range(12):
            drawn = rng.integers(1, 40, len(others))
            point = {o: sympy.Rational(int(k), 7) for o, k in zip(others, drawn, strict=True)}
            there = dataclasses.replace(self, expressions=tuple(e.subs(point) for e in self.expressions))
            here = there.critical(str(p))
            gaps = {c: abs(sympy.N(c.subs(point), 30) - sympy.N(here, 30)) for c in candidates}
            matching = {c for c, gap in gaps.items() if gap.is_finite and gap < 1e-20}
            chosen = matching if chosen is None else chosen & matching
        if not chosen:
            raise DomainError(
                f"the critical {p} meets different boundaries for different {', '.join(map(str, others))}",
                "values for them, or a plot of the region",
                f"fix {others[0]}, or read `.conditions`",
            )
        return simplified(min(chosen, key=sympy.count_ops))

    def best(self, name: str) -> tuple[sympy.Expr, sympy.Expr]:
        """(value, spectral radius): the value of a parameter with the smallest spectral radius, and that radius.

        For a flow, the second entry is the smallest spectral abscissa. Where it only falls towards a limit as the
        parameter grows, the value is infinity and the second entry that limit. Minima lie where eigenvalues meet,
        where two moduli cross, or where one modulus is stationary: the first are roots of the discriminant and exact
        where degrees are small; the others are polished numerically to 12 digits.
        """
        from .fastest import fastest

        p = self._symbol(name)
        if self.reason:
            raise self._undecided(f"the best {p}")
        free = self.exact.matrix.free_symbols - {p}
        if free:
            raise DomainError(
                f"the best {p} while {', '.join(map(str, free))} is free", "one free parameter", "fix the others"
            )
        end = self.critical(name)
        if end == 0:
            raise DomainError(
                f"no stable {p}: the point does not attract for small {p}", "a stable interval", "see `.conditions`"
            )
        return fastest(self.exact, p, end)

    def latex(self) -> str:
        """The conditions as LaTeX, one aligned line each."""
        return aligned(f"&{in_papers(c, self.parameters)}" for c in self.conditions)

    def summary(self) -> str:
        """What must be positive, and the threshold where there is one parameter."""
        if self.reason:
            lines = [f"{self._subject()}: {self.reason}"]
            if len(self.exact.parameters) == 1:
                found = self._crossing(self.exact.parameters[0])
                lines.append(f"critical {self.exact.parameters[0]}: {found.value:.9g} ({found})")
            return "\n".join(lines)
        names, moving = ", ".join(map(str, self.parameters)), f"the linear part of {self._dynamics()}"
        if self.never:
            sign = "positive " if all(p.is_positive for p in self.parameters) else ""
            return f"{moving} never attracts to {place(self.at)} for any {sign}{names}: {self.why_never}"
        signs = [str(p) for p in self.parameters if p.is_positive] if len(self.parameters) > 1 else []
        among = f", for positive {' and '.join(signs)}," if signs else ""
        where = "exactly where" if self.conditions else f"for all {names}" if names else "as it is"
        lines = [f"{moving} attracts to {place(self.at)}{among} {where}"]
        lines += [f"  {shortened(c)}" for c in self.conditions]
        if len(self.parameters) == 1:
            value = self.critical(str(self.parameters[0]))
            shown = with_decimal(value) if len(str(value)) <= READABLE else f"{float(value):.15g}"
            lines.append(f"critical {self.parameters[0]}: {shown}")
        return "\n".join(lines)

    def _headline(self) -> str:
        head, *lines = self.summary().split("\n")
        return " ".join([head, " and ".join(line.strip() for line in lines[: len(self.conditions)])]).strip()

    def _contents(self) -> dict[str, object]:
        found = super()._contents()
        if len(self.parameters) == 1:
            found["critical"] = exact_and_decimal(self.critical(str(self.parameters[0])))
        return found


@door
def stability_region(
    game: Game,
    rule: Rule | None = None,
    parameters: object = ("lr",),
    at: Any = None,
    budget: float | Budget | None = 60.0,
) -> StabilityRegion:
    """Exact conditions under which a fixed point attracts to first order, with the named parameters left free.

    The characteristic polynomial of the (augmented) linearisation is factored; each factor gives the Hurwitz
    determinants of a flow, or those of a map after z = (1 + s)/(1 - s), which is Jury's test. For z^2 + a z + b these
    are 1 + a + b > 0, 1 - a + b > 0, 1 - b > 0. Free parameters are positive.

    Args:
        game: the game; its own free symbols may be among the parameters.
        rule: the rule, or None for the flow.
        parameters: names of free symbols of the rule or the game, which are kept, or of fields of the rule or of rules
            inside it: values per player keep their ratio to the first, so that `GDA((0.1, 0.4))` becomes `GDA((lr, 4
            lr))`. "lr" of a rule that wraps others frees all their step sizes, in one ratio.
        at: the fixed point; the game's first known equilibrium by default.
        budget: seconds.

    Returns:
        A `StabilityRegion`: `.conditions`, `.critical(name)`, `.best(name)` and `.contains(...)`; `.kind` says whether
        they are exact.

    Raises:
        ParameterError: for a name that is neither.
        DomainError: without an exact linearisation at an equilibrium, or where a changing step has a marginal limit.
        OutOfTimeError: when not even the linearisation came in time. Where the conditions did not, the region says so
            and has numeric thresholds: see `StabilityRegion.kind`.

    Example:
        >>> import gandyn as gd
        >>> gd.stability_region(gd.games.bilinear(), gd.rules.OptimisticGD(0.1)).critical("lr")
        sqrt(3)/3
    """
    if SYMBOLS not in game.worlds:
        fix = "bisect on gd.linearize(game, GDA(x), at=w).spectral_radius at numbers x"
        raise DomainError(f"a stability region of {game.name}, which has no expressions", "a game of from_sympy", fix)
    given = (parameters,) if isinstance(parameters, (str, sympy.Symbol)) else parameters
    if not (isinstance(given, (list, tuple)) and given and all(isinstance(p, (str, sympy.Symbol)) for p in given)):
        raise ParameterError(f"parameters={parameters!r}", "names, or symbols, at least one", 'parameters=("lr",)')
    names = tuple(map(str, given))
    if rule is None and names == ("lr",) and "lr" not in map(str, game.parameters):
        names = tuple(map(str, game.parameters))
    symbols = []
    for name in names:
        rule, symbol = freed(game, rule, name, positive=True)
        symbols.append(symbol)
    limit = Budget.of(budget)
    lin = limit.run(lambda: linearize(game, rule, at), f"the linearisation of {game.name}")
    if lin.exact is None:
        raise DomainError(
            f"no exact linearisation of {game.name} at this point", "an exact fixed point", lin.reason or "at=..."
        )
    if lin.constraints is None:
        refuse_moving(game, object_vector(map(exact, game.equilibria[0] if at is None else at)))
    elif not lin.constraints.holds or lin.constraints.weak or lin.constraints.obstacle:
        raise DomainError(
            f"({', '.join(map(str, lin.at))}), where the constraints of {game.name} leave the linear part undecided: "
            f"{lin.reason}",
            "a solution of the constrained game at which every active bound presses",
            "gd.linearize at single values",
        )
    if lin.counted:
        refuse_marginal_limit(game, rule, lin.exact.matrix)
    remaining = tuple(s for s in lin.exact.parameters if s not in symbols)
    exactly, found, reason = lin.exact, (), ""
    try:
        found = limit.run(lambda: conditions(exactly), f"the stability region of {game.name}")
    except OutOfTimeError:
        reason = limit.reason
    return StabilityRegion(game, rule, lin.at, (*symbols, *remaining), exactly, found, reason, limit.seconds)
