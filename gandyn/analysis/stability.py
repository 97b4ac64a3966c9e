"""For which parameters a fixed point attracts: exact conditions by Routh-Hurwitz and Jury, thresholds, best steps."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ..errors import DomainError, ParameterError
from ..results import Result
from ..types import Game, Rule
from .exact import ExactLinearization
from .freed import freed
from .linearize import linearize
from .routh import boundary_roots, hurwitz, jury

SAMPLES = 512
REACH = 100.0  # how far best() looks along an interval without end, before it takes the limit


@dataclasses.dataclass(frozen=True, repr=False)
class StabilityRegion(Result):
    """Where, in parameter space, every eigenvalue lies strictly on the stable side.

    Attributes:
        game, rule: with the parameters left free; rule is None for the flow.
        parameters: their symbols.
        exact: the exact linearisation in these parameters.
        conditions: expressions that must all be positive, each factored.
    """

    game: Game
    rule: Rule | None
    parameters: tuple[Any, ...]
    exact: ExactLinearization
    expressions: tuple[Any, ...]

    _plot = "stability_region"

    @property
    def conditions(self) -> tuple[Any, ...]:
        """SymPy inequalities, all of which hold exactly where the point attracts."""
        import sympy

        shown = map(_decimals, self.expressions) if self.exact.decimal else self.expressions
        return tuple(sympy.Gt(e, 0) if not e.is_Boolean else e for e in shown)

    @property
    def never(self) -> bool:
        """Whether some condition fails for all parameters of the assumed signs."""
        return any(bool(e.is_nonpositive) for e in self.expressions)

    def contains(self, **values: Any) -> bool:
        """Whether the point attracts at these parameter values."""
        point = self._point(values)
        return all(bool(e.subs(point) > 0) for e in self.expressions)

    def _point(self, values: dict[str, Any]) -> dict[Any, Any]:
        from ..worlds import exact

        names = {str(s): s for s in self.parameters}
        if set(values) != set(names):
            raise ParameterError(
                f"values for {', '.join(values) or 'nothing'}", f"values for {', '.join(names)}", "name each parameter"
            )
        return {names[k]: exact(v) for k, v in values.items()}

    def _symbol(self, name: str) -> Any:
        for s in self.parameters:
            if str(s) == str(name):
                return s
        raise ParameterError(
            f"no free parameter {name}", f"one of {', '.join(map(str, self.parameters))}", "name it in parameters="
        )

    def critical(self, name: str) -> Any:
        """Supremum of the stable interval of one parameter that starts at 0, exactly.

        0 if there is none, infinity if it never ends. With other parameters free, the answer is an expression in them
        when one boundary is met first for all their values; otherwise a `DomainError` says so.
        """
        import sympy

        p = self._symbol(name)
        if self.never:
            return sympy.Integer(0)
        others = set().union(*(e.free_symbols for e in self.expressions)) - {p}
        if others:
            return self._critical_expression(p, sorted(others, key=str))
        crossings = boundary_roots(self.expressions, p)
        edges = [sympy.Integer(0), *crossings]
        end: Any = sympy.Integer(0)
        for low, high in zip(edges, [*edges[1:], None], strict=True):
            middle = sympy.Rational(_between(low, high))
            if not all(bool(e.subs(p, middle) > 0) for e in self.expressions):
                break
            end = sympy.oo if high is None else high
        return sympy.N(end, 15) if self.exact.decimal else end

    def _critical_expression(self, p: Any, others: list[Any]) -> Any:
        """The first boundary in p as an expression in the others, if one boundary serves at every sample of them."""
        import sympy

        candidates = []
        for e in self.expressions:
            if e.has(p):
                candidates.extend(sympy.solve(sympy.numer(sympy.together(e)), p))
        rng = np.random.default_rng(0)
        chosen = None
        for _ in range(12):
            point = {
                o: sympy.Rational(int(k), 7) for o, k in zip(others, rng.integers(1, 40, len(others)), strict=True)
            }
            here = dataclasses.replace(self, expressions=tuple(e.subs(point) for e in self.expressions)).critical(
                str(p)
            )
            matching = {c for c in candidates if abs(sympy.N(c.subs(point), 30) - sympy.N(here, 30)) < 1e-20}
            chosen = matching if chosen is None else chosen & matching
        if not chosen:
            raise DomainError(
                f"the critical {p} meets different boundaries for different {', '.join(map(str, others))}",
                "values for them, or a plot of the region",
                f"fix {others[0]}, or read `.conditions`",
            )
        return sympy.simplify(min(chosen, key=sympy.count_ops))

    def best(self, name: str) -> tuple[Any, Any]:
        """(value, spectral radius): the value of a parameter with the smallest spectral radius, and that radius.

        For a flow, the second entry is the smallest spectral abscissa. Where it only falls towards a limit as the
        parameter grows, the value is infinity and the second entry that limit. Minima lie where eigenvalues meet,
        where two moduli cross, or where one modulus is stationary: the first are roots of the discriminant and exact;
        the others are polished numerically to 12 digits.
        """
        import sympy

        p = self._symbol(name)
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
        top = float(end) if end is not sympy.oo else REACH
        measure = sympy.lambdify(p, self.exact.matrix, "numpy")

        def size(value: float) -> float:
            values = np.linalg.eigvals(np.array(measure(value), dtype=complex))
            return float(values.real.max() if self.rule is None else np.abs(values).max())

        rough = _minimise(size, top)
        limit = self._limit(p) if end is sympy.oo else None
        if limit is not None and float(limit) < size(rough) - 1e-12:
            return sympy.oo, limit
        if self.exact.decimal:
            return rough, size(rough)
        for candidate in self._turning_points(p):
            if abs(float(candidate) - rough) < 1e-4 * top:
                exact_value = self._size_at(p, candidate)
                if exact_value is not None and float(exact_value) <= size(rough) + 1e-9:
                    return candidate, exact_value
        return rough, size(rough)

    def _limit(self, p: Any) -> Any | None:
        """Spectral radius or abscissa as p goes to infinity, if the characteristic polynomial has a limit."""
        import sympy

        f = sympy.Poly(sympy.Mul(*(f.as_expr() ** m for f, m in self.exact.factors)), self.exact.factors[0][0].gen)
        coefficients = [sympy.limit(sympy.cancel(c / f.LC()), p, sympy.oo) for c in f.all_coeffs()]
        if not all(c.is_finite for c in coefficients):
            return None
        roots = sympy.Poly(coefficients, f.gen).all_roots()
        sizes = [sympy.re(r) for r in roots] if self.rule is None else [abs(r) for r in roots]
        return max(sizes, key=sympy.N)

    def _size_at(self, p: Any, value: Any) -> Any:
        matrix = self.exact.matrix.subs(p, value).applyfunc(_simplest)
        here = ExactLinearization(matrix, self.exact.flow, ())
        return here.spectral_abscissa if self.rule is None else here.spectral_radius

    def _turning_points(self, p: Any) -> list[Any]:
        """Values of p where eigenvalues meet, where real ones are opposite, or where a modulus is stationary."""
        import sympy

        gen = self.exact.factors[0][0].gen
        parts = [f.as_expr() for f, _ in self.exact.factors]
        found = [sympy.discriminant(f, gen) for f in parts if sympy.degree(f, gen) > 1]
        found += [sympy.resultant(f, g, gen) for i, f in enumerate(parts) for g in parts[:i]]
        found += [sympy.resultant(f, g.subs(gen, -gen), gen) for f in parts for g in parts]
        for f in parts:
            found += _stationary_moduli(f, gen, p)
        return boundary_roots([e for e in found if e.has(p)], p)

    def latex(self) -> str:
        """The conditions as LaTeX, one aligned line each."""
        import sympy

        lines = (f"&{sympy.latex(c)}" for c in self.conditions)
        return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"

    def summary(self) -> str:
        """What must be positive, and the threshold where there is one parameter."""
        what = "gradient flow" if self.rule is None else repr(self.rule)
        lines = [f"{what} on {self.game.name} attracts exactly where"]
        lines += [f"  {c}" for c in self.conditions]
        if self.never:
            lines.append("  (never)")
        elif len(self.parameters) == 1:
            lines.append(f"critical {self.parameters[0]}: {self.critical(str(self.parameters[0]))}")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Conditions as text, thresholds as text and numbers."""
        data: dict[str, Any] = {
            "game": self.game.name,
            "rule": None if self.rule is None else repr(self.rule),
            "parameters": [str(p) for p in self.parameters],
            "conditions": [str(c) for c in self.conditions],
        }
        if len(self.parameters) == 1:
            critical = self.critical(str(self.parameters[0]))
            data["critical"] = {"exact": str(critical), "value": float(critical)}
        return data

    def __repr__(self) -> str:
        return f"<StabilityRegion {self.summary()}>"


def stability_region(
    game: Game, rule: Rule | None = None, parameters: Sequence[str] = ("lr",), at: Any = None
) -> StabilityRegion:
    """Exact conditions under which a fixed point attracts, with the named parameters left free.

    The characteristic polynomial of the (augmented) linearisation is factored; each factor gives the Hurwitz
    determinants of a flow, or those of a map after z = (1 + s)/(1 - s), which is Jury's test. For z^2 + a z + b these
    are 1 + a + b > 0, 1 - a + b > 0, 1 - b > 0. Free parameters are positive.

    Args:
        game: the game; its own free symbols may be among the parameters.
        rule: the rule, or None for the flow.
        parameters: names of free symbols of the rule or the game, which are kept, or of fields of the rule or of rules
            inside it: values per player keep their ratio to the first, so that `GDA((0.1, 0.4))` becomes
            `GDA((lr, 4 lr))`. "lr" of a rule that wraps others frees all their step sizes, in one ratio.
        at: the fixed point; the game's first known equilibrium by default.

    Raises:
        ParameterError: for a name that is neither. DomainError: without an exact linearisation at the point.

    Example:
        >>> import gandyn as gd
        >>> gd.stability_region(gd.games.bilinear(), gd.rules.OptimisticGD(0.1)).critical("lr")
        sqrt(3)/3
    """
    import sympy

    names = tuple(map(str, (parameters,) if isinstance(parameters, (str, sympy.Symbol)) else parameters))
    if rule is None and names == ("lr",) and "lr" not in map(str, getattr(game, "parameters", ())):
        names = tuple(map(str, getattr(game, "parameters", ())))
    symbols = []
    for name in names:
        rule, symbol = freed(game, rule, name, positive=True)
        symbols.append(symbol)
    lin = linearize(game, rule, at)
    if lin.residual > 1e-8:
        raise DomainError(
            f"({', '.join(map(str, lin.at))}), which is no fixed point of {game.name}",
            "a fixed point",
            "at=gd.fixed_points(game)[0].point",
        )
    if lin.exact is None:
        raise DomainError(
            f"no exact linearisation of {game.name} at this point", "an exact fixed point", lin.reason or "at=..."
        )
    remaining = tuple(s for s in lin.exact.parameters if s not in symbols)
    expressions = _conditions(lin.exact, flow=rule is None)
    return StabilityRegion(game, rule, (*symbols, *remaining), lin.exact, expressions)


def _decimals(e: Any) -> Any:
    """A condition whose long fractions stand for decimals, scaled to a largest coefficient of one and shortened."""
    import sympy

    largest = max((abs(c) for c in e.as_coefficients_dict().values()), default=sympy.Integer(1))
    return sympy.N(sympy.expand(e / largest), 12)


def _conditions(linearization: ExactLinearization, flow: bool) -> tuple[Any, ...]:
    import sympy

    found: dict[Any, None] = {}
    for f, _ in linearization.factors:
        for e in hurwitz(f) if flow else jury(f):
            for part in _signed_parts(sympy.factor(e)):
                found.setdefault(part)
    positive = _without_known(e for e in map(_settled, found) if not e.is_positive)
    never = [e for e in positive if e.is_nonpositive]
    return tuple(never[:1] or _binding(positive)) or (sympy.Integer(1),)


def _binding(conditions: list[Any]) -> list[Any]:
    """The conditions that some value of their one positive parameter breaks alone, kept simplest first; else all."""
    import sympy

    symbols = set().union(*(e.free_symbols for e in conditions))
    if len(conditions) < 2 or len(symbols) != 1 or not all(p.is_positive for p in symbols):
        return conditions
    (p,) = symbols
    if not all(e.is_polynomial(p) and all(c.is_Rational for c in sympy.Poly(e, p).coeffs()) for e in conditions):
        return conditions
    edges = [sympy.Integer(0), *boundary_roots(conditions, p)]
    between = [sympy.Rational(_between(a, b)) for a, b in zip(edges, [*edges[1:], None], strict=True)]
    samples = [*between, *edges[1:]]
    broken = {e: {k for k, x in enumerate(samples) if not e.subs(p, x) > 0} for e in conditions}
    for e in sorted(conditions, key=sympy.count_ops, reverse=True):
        if len(broken) > 1 and broken[e] <= set().union(*(b for other, b in broken.items() if other is not e)):
            del broken[e]
    return list(broken)


def _settled(e: Any) -> Any:
    """1 or -1 for a polynomial in one parameter that has no root among its values, and with it one sign; else e."""
    import sympy

    if len(e.free_symbols) != 1:
        return e
    (p,) = e.free_symbols
    poly = sympy.Poly(e, p)
    if not all(c.is_Rational for c in poly.all_coeffs()):
        return e
    low = 0 if p.is_positive else None
    at_edge = 1 if p.is_positive and poly.eval(0) == 0 else 0
    if poly.count_roots(low, None) > at_edge or (not p.is_positive and not p.is_real):
        return e
    return sympy.sign(poly.eval(1))


def _without_known(conditions: Iterable[Any]) -> list[Any]:
    """The same conditions, products freed of factors whose sign a single-factor condition among them settles."""
    import sympy

    waiting = {e: dict(sympy.factor_list(e)[1]) for e in conditions}
    signs = {e: sympy.sign(sympy.factor_list(e)[0]) for e in waiting}
    settled: dict[Any, Any] = {}
    while True:
        single = next((e for e, factors in waiting.items() if len(factors) == 1 and set(factors.values()) == {1}), None)
        if single is None:
            break
        (base,) = waiting.pop(single)
        sign = signs[single]
        settled.setdefault(sympy.expand(sign * base))
        for e, factors in waiting.items():
            if base in factors:
                signs[e] *= sign ** factors.pop(base)
    left = [sympy.Mul(signs[e], *(base**power for base, power in factors.items())) for e, factors in waiting.items()]
    return [e for e in dict.fromkeys([*settled, *left]) if not e.is_positive]


def _signed_parts(e: Any) -> list[Any]:
    """A condition e > 0 without factors that are known to be positive; the sign is kept."""
    import sympy

    e = sympy.together(e)
    numerator, denominator = sympy.fraction(e)
    product = sympy.factor_list(numerator * denominator)
    kept = sympy.sign(product[0])
    for base, power in product[1]:
        if power % 2 and not base.is_positive:
            kept *= base
        elif not power % 2 and not base.is_nonzero:
            kept *= base**2
    return [kept]


def _stationary_moduli(f: Any, gen: Any, p: Any) -> list[Any]:
    """Polynomials in p that vanish where the product of two roots of f, as a function of p, has slope zero."""
    import sympy

    y, k = sympy.Symbol("y"), sympy.degree(f, gen)
    if k > 4:
        return []
    products = sympy.resultant(f.subs(gen, y), sympy.expand(y**k * f.subs(gen, gen / y)), y)
    factors = [h for h, _ in sympy.factor_list(products)[1] if h.has(gen) and sympy.degree(h, gen) <= 3]
    return [
        sympy.resultant(h, sympy.diff(h, p), gen) if sympy.diff(h, p).has(gen) else sympy.diff(h, p) for h in factors
    ]


def _between(low: Any, high: Any | None) -> Any:
    import sympy

    if high is None:
        return sympy.floor(low) + 1
    return sympy.nsimplify((sympy.N(low, 40) + sympy.N(high, 40)) / 2, rational=True)


def _simplest(e: Any) -> Any:
    import sympy

    return sympy.nsimplify(sympy.radsimp(sympy.simplify(e)))


def _minimise(size: Callable[[float], float], top: float) -> float:
    """Global scan of (0, top), then a bounded search around the best sample."""
    from scipy.optimize import minimize_scalar

    grid = np.linspace(0, top, SAMPLES + 2)
    k = 1 + int(np.argmin([size(x) for x in grid[1:-1]]))
    return float(minimize_scalar(size, bounds=(grid[k - 1], grid[k + 1]), method="bounded", options={"xatol": 1e-13}).x)
