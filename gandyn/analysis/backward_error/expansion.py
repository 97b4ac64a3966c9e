"""A rule's step as a power series in its step size, from which backward error analysis starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import sympy

from ...dynamics.trace import UpdateMap
from ...dynamics.trace import traced as trace
from ...errors import DomainError, ParameterError
from ...rules.wrapper import scaled
from ...types import Array, Game, Implicit, Rule, residual_of
from ...types.signs import is_zero
from ...worlds import SYMBOLS, exact, object_vector

STEP = sympy.Symbol("lr", positive=True)
Series = tuple[sympy.Expr, ...]


def step_sizes(game: Game, rule: Rule) -> tuple[sympy.Expr, ...]:
    """The exact step size lr of each player, of the rule or of the rule that it wraps.

    Raises DomainError where there is none.
    """
    lr = getattr(rule, "lr", None)
    if lr is not None:
        return tuple(exact(value) for value in game.per_player(lr))
    inner = getattr(rule, "inner", None)
    if isinstance(inner, Rule):
        return step_sizes(game, inner)
    if isinstance(inner, tuple) and inner and all(isinstance(r, Rule) for r in inner):
        return tuple(step_sizes(game, r)[i] for i, r in enumerate(game.per_player(inner)))
    raise DomainError(f"{rule.name}, which has no lr", "a rule with a step size", "analyse the rules inside it")


def with_steps(game: Game, rule: Rule, sizes: Iterable[object]) -> Rule:
    """The rule with player i's lr set to sizes[i]; other step sizes, in wrapped rules too, keep their ratio."""
    ratios = tuple(size / lr for size, lr in zip(sizes, step_sizes(game, rule), strict=True))
    return scaled(rule, game, ratios)


def in_proportion(game: Game, rule: Rule) -> Rule:
    """The rule with player 1's lr set to the symbol `STEP`; all other step sizes keep their ratio to it.

    Raises ParameterError where the game has a parameter of that name.
    """
    if str(STEP) in map(str, game.parameters):
        raise ParameterError(f"a parameter {STEP} of {game.name}", f"another name: {STEP} is the step", "rename it")
    sizes = step_sizes(game, rule)
    return with_steps(game, rule, (STEP * size / sizes[0] for size in sizes))


def traced(game: Game, rule: Rule) -> UpdateMap:
    """The update map of the rule with the symbolic step size `STEP`. Raises DomainError for rules that count steps."""
    result = trace(game, in_proportion(game, rule))
    if result.counters:
        raise DomainError(
            f"{rule!r}, whose step depends on the step count",
            "a rule that is the same at every step",
            "a rule without schedule, bias correction or uniform average",
        )
    return result


def step_series(game: Game, rule: Rule, order: int) -> list[sympy.Matrix]:
    """The terms d_1, ..., d_order of one step w + sum_j lr^j d_j(w) of a rule without memory, as SymPy columns (d, 1).

    An implicit rule's step is expanded from its residual. Raises DomainError for rules with memory, with step counts,
    with kinks, or without an expansion in powers of lr.
    """
    if SYMBOLS not in game.worlds or not (rule.domain.smooth and game.smooth):
        raise DomainError(
            f"{rule!r} on {game.name}, whose step is not a smooth expression",
            "a smooth symbolic game, and a rule without kinks",
            "linearize it, or iterate it",
        )
    w: Array = game.symbols
    if isinstance(rule, Implicit):
        rows = _implicit(game, in_proportion(game, rule), order)
    else:
        step = traced(game, rule)
        if len(step.symbols) > game.dim:
            raise DomainError(
                f"the flow of {rule!r}, which has memory",
                "a rule whose state is empty",
                "gd.high_resolution describes it as a flow in a larger space",
            )
        rows = program_series(step, step.outputs, {s: (s,) for s in w}, order)
    refuse_displacement(rule, game, [row[0] - s for row, s in zip(rows, w, strict=True)])
    return [sympy.Matrix([row[j] for row in rows]) for j in range(1, order + 1)]


def refuse_displacement(rule: Rule, game: Game, rest: Sequence[sympy.Expr]) -> None:
    """Raise DomainError unless `rest`, the displacement of a step in the limit lr -> 0, vanishes identically."""
    if any(vanishing(e) != 0 for e in rest):
        raise DomainError(
            f"{rule!r} on {game.name}, whose step does not vanish with lr: what is left is {list(rest)}",
            "a step that is small when lr is",
            "analyse the rule that it wraps",
        )


def program_series(
    step: UpdateMap, outputs: Sequence[sympy.Expr], known: Mapping[sympy.Symbol, Sequence[sympy.Expr]], order: int
) -> list[Series]:
    """Taylor coefficients in lr, up to lr^order, of each output of a traced program.

    `known` gives for each coordinate of the program its coefficients of lr^0, lr^1, and so on. The program is followed
    line by line, so that no long expression is differentiated.
    """
    values: dict[sympy.Expr, Series] = {s: _padded(series, order) for s, series in known.items()}
    for name, e in step.bindings:
        values[name] = taylor(e, values, order)
    return [taylor(e, values, order) for e in outputs]


def taylor(e: sympy.Expr, values: Mapping[sympy.Symbol, Series], order: int) -> Series:
    """Taylor coefficients in lr of an expression whose symbols are themselves power series in lr.

    `values` gives for each symbol that depends on lr its coefficients of lr^0, ..., lr^order, as they are returned.
    Raises DomainError where the expression has no expansion in whole powers.
    """
    moving = sorted(e.free_symbols & values.keys(), key=str)
    rates = {s: [s, *(sympy.Dummy(f"{s}_{j}", real=True) for j in range(1, order + 1))] for s in moving}
    back = {STEP: sympy.Integer(0)}
    for s, names in rates.items():
        back |= {name: sympy.factorial(j) * c for j, (name, c) in enumerate(zip(names, values[s], strict=True))}
    result, derivative = [], e
    for j in range(order + 1):
        coefficient = derivative.xreplace(back) / sympy.factorial(j)
        if coefficient.has(sympy.nan, sympy.zoo, sympy.oo):
            raise DomainError(f"{e}, which has no expansion at lr = 0", "a step that is smooth in lr", "another rule")
        result.append(expanded(coefficient) if coefficient.is_polynomial() else coefficient)
        if j < order:
            derivative = derivative.diff(STEP) + sum(
                derivative.diff(name) * names[k + 1]
                for names in rates.values()
                for k, name in enumerate(names[: j + 1])
                if derivative.has(name)
            )
    return tuple(result)


def tidy(e: sympy.Expr) -> sympy.Expr:
    """A polynomial expanded as by `expanded`; other expressions with common factors in front, 0 where they vanish."""
    found = expanded(e)
    return found if found.is_polynomial() else sympy.factor_terms(vanishing(found))


def expanded(e: sympy.Expr) -> sympy.Expr:
    """The expression expanded in powers of x - c, where c is the only offset of the coordinate x in it.

    The fully expanded form of (x - 1000)^7 loses all its digits near 1000. Offsets are read off the factors a x + b. An
    expression with several offsets of one coordinate, or with sums of several coordinates inside powers or products, is
    only factored, unless its expanded form is linear.
    """
    e = sympy.sympify(e, strict=True)
    offsets = _offsets(e)
    whole = sympy.expand(e)
    if whole == 0 or (not offsets and not _compound(e)) or _linear(whole):
        return whole
    if any(c is None for c in offsets.values()):
        return sympy.factor_terms(e)
    moved = {s: sympy.Dummy(str(s), real=True) for s in offsets}
    centred = e.xreplace({s: moved[s] + c for s, c in offsets.items()})
    if _compound(centred):
        return sympy.factor_terms(e)
    return sympy.expand(centred).xreplace({moved[s]: s - c for s, c in offsets.items()})


def _linear(e: sympy.Expr) -> bool:
    free = e.free_symbols - {STEP}
    return not free or (bool(e.is_polynomial(*free)) and sympy.Poly(e, *free).total_degree() <= 1)


def _sums(e: sympy.Expr) -> list[sympy.Expr]:
    """The sums inside its powers and products, which expanding would multiply out."""
    inside = [b for p in e.atoms(sympy.Pow) for b in p.args if b.is_Add]
    for product in e.atoms(sympy.Mul):
        symbolic = [f for f in product.args if f.free_symbols]
        inside += [f for f in symbolic if f.is_Add and len(symbolic) > 1]
    return inside


def _offsets(e: sympy.Expr) -> dict[sympy.Symbol, sympy.Expr]:
    """c of each symbol x that stands in sums a x + b = a (x - c) with numbers a, b; None where there are several."""
    found: dict[sympy.Symbol, sympy.Expr] = {}
    for part in _sums(e):
        free = part.free_symbols
        if STEP not in free and len(free) == 1 and part.is_polynomial():
            (s,) = free
            poly = sympy.Poly(part, s)
            if poly.degree() == 1 and poly.nth(0) != 0:
                c = -poly.nth(0) / poly.nth(1)
                found[s] = c if found.get(s, c) == c else None
    return found


def _compound(e: sympy.Expr) -> bool:
    """Whether a difference of coordinates stands inside a power or product: near its zero the expanded form cancels."""
    return any(len(part.free_symbols - {STEP}) > 1 for part in _sums(e))


def vanishing(e: sympy.Expr) -> sympy.Expr:
    """0 where an expression vanishes identically, else the expression."""
    e = sympy.sympify(e, strict=True)
    if not e.free_symbols or e.is_polynomial():
        return sympy.expand(e)
    return sympy.Integer(0) if is_zero(e.rewrite(sympy.exp)) else e


def _padded(series: Sequence[sympy.Expr], order: int) -> Series:
    return (*series, *[sympy.Integer(0)] * order)[: order + 1]


def _implicit(game: Game, rule: Rule, order: int) -> list[Series]:
    """Coefficients of w+ where r(w+, w) = 0 and dr/dw+ = I at lr = 0, by iterating w+ -> w+ - r: one more each time."""
    w: Array = object_vector(game.symbols)
    ahead = object_vector(sympy.Dummy(f"{s}+", real=True) for s in w)
    rule.check(game)
    residual = [exact(e) for e in residual_of(rule, game, ahead, w)]
    rows: list[Series] = [_padded((s,), order) for s in w]
    for _ in range(order):
        values = dict(zip(ahead, rows, strict=True))
        corrections = [taylor(e, values, order) for e in residual]
        rows = [tuple(a - b for a, b in zip(row, c, strict=True)) for row, c in zip(rows, corrections, strict=True)]
    return [tuple(tidy(c) for c in row) for row in rows]
