"""Rules that ask their step count a question: on a symbol `if t % 2` and `t % 2 == 0` have one answer for all steps."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence

import sympy

from ..errors import DomainError
from ..types import Array, Game, Rule, State
from ..worlds import exact

STEPS = (*range(13), 99, 100, 1000)  # at which the traced step is held to steps that know their count
NEAR = 1e-9

Program = tuple[Sequence[tuple[sympy.Symbol, sympy.Expr]], Sequence[sympy.Expr]]
Step = Callable[[State], Program]


def from_outside(rule: Rule) -> bool:
    """Whether a rule, or one that it wraps, is not of this package, whose own are tested."""
    inner = [v for value in vars(rule).values() for v in (value if isinstance(value, tuple) else (value,))]
    return not type(rule).__module__.startswith("gandyn.") or any(from_outside(v) for v in inner if isinstance(v, Rule))


def refuse_asked_counts(
    game: Game, rule: Rule, traced: Program, template: State, counters: Sequence[sympy.Symbol], step: Step
) -> None:
    """Refuse a rule whose step on symbolic counts is another than on numbers.

    Args:
        traced: bindings and outputs of the step on symbols, with those of the counters.
        template: the state that it was traced with.
        step: the same for any state.

    Raises:
        DomainError: where they differ.
    """
    for k in STEPS:
        counts = [sympy.Integer(k)] * len(counters)
        arrays = (array for _, array in template.leaves())
        found = step(template.replace_leaves(arrays, iter(counts)))
        if not _alike(_values(traced, dict(zip(counters, counts, strict=True))), _values(found, {})):
            raise DomainError(
                f"{rule!r} on {game.name}, which does in step {k} something else than on a symbol for the count",
                "a formula of the step count: `if` and == of a symbol have the same answer at all steps",
                'where of gandyn.worlds, an own rule for each phase, or gd.iterate(..., kernel="eager")',
            )


def limit_of_counts(e: sympy.Expr, t: sympy.Symbol, what: str) -> sympy.Expr:
    """The limit of an expression as a count grows. Raises DomainError where there is none, or an infinite one."""
    e = e.replace(lambda p: p.is_Pow and p.base.is_number and _counts_up(p.exp, t), _decayed)
    try:
        found = sympy.limit(e, t, sympy.oo) if e.has(t) else e
    except (NotImplementedError, TypeError, ValueError):  # SymPy knows no answer, as for (-1)^t
        found = sympy.nan
    if found.has(sympy.oo, -sympy.oo, sympy.zoo, sympy.nan, sympy.AccumBounds, sympy.Limit):
        raise DomainError(
            f"{what}, whose step has no limit that is known as {t} grows", "a step that settles", "gd.iterate"
        )
    return found


def _counts_up(exponent: sympy.Expr, t: sympy.Symbol) -> bool:
    """Whether an exponent grows without bound with the count, as a t + b for a > 0 and numbers a, b."""
    slope = sympy.diff(exponent, t)
    return bool(slope.is_number and slope.is_positive)


def _decayed(power: sympy.Expr) -> sympy.Expr:
    """beta^t at t = infinity for |beta| < 1."""
    return sympy.Integer(0) if abs(power.base) < 1 else power


def _values(program: Program, counts: Mapping[sympy.Expr, sympy.Expr]) -> Iterator[complex]:
    """The outputs at one point in general position."""
    bindings, outputs = program
    values = dict(counts)
    known = {name for name, _ in bindings} | counts.keys()
    free = set().union(*(e.free_symbols for e in (*(e for _, e in bindings), *outputs))) - known
    values |= {s: sympy.Float(0.31 + zlib.crc32(str(s).encode()) / 2**32) for s in free}
    for name, e in bindings:
        values[name] = e.xreplace(values)
    return (complex(sympy.N(e.xreplace(values))) for e in outputs)


def _alike(first: Iterator[complex], second: Iterator[complex]) -> bool:
    return all(abs(a - b) <= NEAR * (1 + abs(a)) or (a != a and b != b) for a, b in zip(first, second, strict=True))


def as_program(bindings: Sequence[tuple[sympy.Symbol, sympy.Expr]], w: Array, state: State) -> Program:
    """A step's bindings, and its next point, state and counts as expressions."""
    arrays = [w, *(array for _, array in state.leaves())]
    counts = (exact(e) for _, e in state.counter_leaves())
    return bindings, (*(exact(e) for array in arrays for e in array), *counts)
