"""Which numbers of a game and a rule a reader may turn, from where to where, and the Python that builds them again."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from ..analysis.parameters.freed import freed, with_value, wrapped
from ..errors import GandynError
from ..lazy import sympy
from ..penalties import Penalty
from ..registry import Entry
from ..types import Game, Rule
from ..worlds import exact, is_symbolic

# Of an iterative solver, or a guard against division by zero: nothing that a reader turns.
NOT_TURNED = ("tolerance", "limit", "eps", "regularization", "alignment")
STEPS_FROM, STEPS_TO = 1e-3, 2.0


@dataclasses.dataclass(frozen=True)
class Slider:
    """A number that is turned: its name, the symbol that stands for it, its value at first, and its range."""

    name: str
    symbol: sympy.Symbol
    value: float
    low: float
    high: float
    logarithmic: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The slider as JSON for the page: every attribute but the symbol, by name."""
        data = dataclasses.asdict(self) | {"symbol": None}
        return {name: value for name, value in data.items() if name != "symbol"}


@dataclasses.dataclass(frozen=True)
class Turned:
    """A game or a rule with symbols in place of the numbers that are turned.

    Attributes:
        item: with a symbol of its own for each slider.
        plain: with the numbers that it was given.
        sliders: in order.
        python: the call that builds it, in which each slider's name stands for its value.
    """

    item: Any
    plain: Any
    sliders: tuple[Slider, ...]
    python: str


def turned_rule(game: Game, rule: Rule) -> Turned:
    """The rule with a slider for each of its parameters that vary continuously, those of wrapped rules included."""
    sliders: list[Slider] = []
    result: Any = rule
    for name in dict.fromkeys(_numbers(rule)):
        given = _first_number(rule, name)
        try:
            result, symbol = freed(game, result, name, real=True)
        except GandynError:  # it counts or chooses, or means two things: it stays as it is
            continue
        in_steps = name in rule.step_sizes or name == "lr" or name.endswith("_lr")
        sliders.append(_ranged(name, symbol, given, in_steps, _builds(result, symbol, game)))
    python = written(result)
    for symbol in {slider.symbol for slider in sliders}:  # of its own: a parameter of the game may have the same name
        own = sympy.Dummy(str(symbol), **symbol.assumptions0)
        result = with_value(result, symbol, own)
        sliders = [dataclasses.replace(s, symbol=own) if s.symbol == symbol else s for s in sliders]
    plain = result
    for slider in sliders:
        plain = with_value(plain, slider.symbol, slider.value)
    return Turned(result, plain, tuple(sliders), python)


def _numbers(rule: Rule) -> Iterator[str]:
    """Names of the fields that hold numbers or symbols, outermost rule first."""
    for field in dataclasses.fields(rule):  # type: ignore[arg-type]
        value = getattr(rule, field.name)
        entries = value if isinstance(value, tuple) else (value,)
        if field.init and field.name not in NOT_TURNED and all(map(_is_number, entries)):
            yield field.name
    for inner in wrapped(rule):
        yield from _numbers(inner)


def _is_number(value: object) -> bool:
    return is_symbolic(value) or (isinstance(value, (int, float)) and not isinstance(value, bool))


def _first_number(rule: Rule, name: str) -> float:
    """The value that `freed` puts the symbol for: the first that is not 0; 0.1 for what is free already."""
    value = getattr(rule, name, None)
    if value is None:
        return next((_first_number(inner, name) for inner in wrapped(rule) if name in set(_numbers(inner))), 0.1)
    entries = [exact(v) for v in (value if isinstance(value, tuple) else (value,))]
    if any(v.free_symbols for v in entries):
        return 0.1
    return float(next((v for v in entries if v != 0), 0))


def _builds(rule: Rule, symbol: sympy.Symbol, game: Game) -> Callable[[float], bool]:
    return lambda number: _refuses_nothing(lambda: with_value(rule, symbol, number).check(game))


def _refuses_nothing(attempt: Callable[[], Any]) -> bool:
    try:
        attempt()
    except (GandynError, TypeError, ValueError, ArithmeticError):
        return False
    return True


def _ranged(name: str, symbol: sympy.Symbol, value: float, in_steps: bool, accepted: Callable[[float], bool]) -> Slider:
    """A range around the value, no further than the builder accepts it."""
    if in_steps and value > 0:
        return Slider(name, symbol, value, min(STEPS_FROM, value), max(STEPS_TO, value), logarithmic=True)
    most = 1.0 if name in ("momentum", "alpha", "beta", "decay") and abs(value) <= 1 else max(2.0, 4 * abs(value))
    high = next((x for x in (most, 0.999 * most, 0.5, value) if accepted(x)), value)
    low = next((x for x in (-most, -0.999 * most, 0.0, most / 1000, value) if accepted(x)), value)
    return Slider(name, symbol, value, min(low, value), max(high, value))


def turned_game(game: Game, values: Mapping[str, float] | None = None) -> Turned:
    """A game as it is given: its free symbols are the sliders, at 1 where no value is given."""
    values = values or {}
    sliders = tuple(_free_parameter(s, float(values.get(str(s), 1.0))) for s in game.parameters)
    numbers = {s.symbol: sympy.Float(s.value) for s in sliders}
    plain = _with_numbers(game, numbers) if numbers else game
    if game.constrained:
        return Turned(game, plain, sliders, f"...  # {game.name}, as it was given to gd.explore")
    costs = [str(e) for e in game.exprs]
    blocks = {p.name: [str(s) for s in game.symbols[b]] for p, b in zip(game.players, game.slices, strict=True)}
    named = ", ".join(f"{s.name!r}: {s.name}" for s in sliders)
    return Turned(game, plain, sliders, f"gd.games.from_sympy({costs!r}, {blocks!r}, {{{named}}})")


def _free_parameter(symbol: sympy.Symbol, value: float) -> Slider:
    return _ranged(str(symbol), symbol, value, False, lambda x: not (symbol.is_positive and x <= 0))


def _with_numbers(game: Game, numbers: Mapping[sympy.Symbol, sympy.Expr]) -> Game:
    from ..games import from_sympy

    blocks = {p.name: game.symbols[b] for p, b in zip(game.players, game.slices, strict=True)}
    costs = [e.subs(numbers) for e in game.exprs]
    return from_sympy(costs, blocks, name=game.name, projection=game.projection)


def turned_entry(entry: Entry, given: Mapping[str, object]) -> Turned:
    """A registered game: a slider for each number of its builder, and of the penalties among its arguments."""
    parameters = inspect.signature(entry.build).parameters
    arguments = {n: p.default for n, p in parameters.items() if p.default is not p.empty} | dict(given)
    plain = entry.build(**given)
    symbolic, sliders = dict(given), list[Slider]()
    for path, value in _turnable(arguments):
        symbol = sympy.Symbol(path[-1], real=True)
        trial = _put(arguments, symbolic, path, symbol)
        if str(symbol) in {*map(str, plain.symbols), *(s.name for s in sliders)}:
            continue

        build = functools.partial(_built_with, entry, arguments, given, path)
        slider = _ranged(path[-1], symbol, value, False, functools.partial(_builds_game, build))
        if _varies_as_built(entry, trial, sliders, slider, build):
            symbolic = trial
            sliders.append(slider)
    named = ", ".join(f"{n}={written(v)}" for n, v in symbolic.items())
    return Turned(entry.build(**symbolic), plain, tuple(sliders), f"gd.games.{entry.name}({named})")


def _built_with(entry: Entry, arguments: Any, given: Any, path: tuple[str, ...], number: Any) -> Any:
    return entry.build(**_put(arguments, given, path, number))


def _builds_game(build: Callable[[float], Any], number: float) -> bool:
    return _refuses_nothing(lambda: build(number))


def _turnable(arguments: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], float]]:
    """Numbers by name, those in penalties too; not the zeros, which leave a whole term out of the costs."""
    for name, value in arguments.items():
        if _is_number(value) and value != 0:
            yield (name,), float(value)
        if isinstance(value, Penalty) and dataclasses.is_dataclass(value):
            for field in dataclasses.fields(value):
                inside = getattr(value, field.name)
                if _is_number(inside) and inside != 0:
                    yield (name, field.name), float(inside)


def _put(
    arguments: Mapping[str, object], into: Mapping[str, Any], path: tuple[str, ...], value: float | sympy.Expr
) -> dict[str, Any]:
    """The arguments with one number, or one field of a penalty, replaced."""
    name, *field = path
    held = into.get(name, arguments[name])
    return dict(into) | {name: dataclasses.replace(held, **{field[0]: value}) if field else value}


def _varies_as_built(entry: Entry, trial: dict[str, Any], sliders: list[Slider], slider: Slider, build: Any) -> bool:
    """Whether the game built with the symbol is, at both ends of the range, the game built with the number there.

    A builder may branch on a number; a symbol then takes one of the branches everywhere.
    """
    if slider.low == slider.high:
        return False
    try:
        free = entry.build(**trial)
        if free.dim != build(slider.value).dim or slider.symbol not in free.parameters:
            return False
        for number in (slider.low, slider.value, slider.high):
            values = {s.symbol: s.value for s in sliders} | {slider.symbol: number}
            for point in np.random.default_rng(0).normal(size=(3, free.dim)):
                at = dict(zip(free.symbols, map(float, point), strict=True)) | values
                field = [complex(e.subs(at)) for e in free.field_exprs]
                if not np.allclose(field, build(number).field(point), rtol=1e-9, atol=1e-9):
                    return False
    except (GandynError, TypeError, ValueError, ArithmeticError):
        return False
    return True


def written(value: object) -> str:
    """A rule, penalty, tuple or number as Python that builds it; symbols by name.

    Example:
        >>> import gandyn as gd
        >>> written(gd.rules.Lookahead(gd.rules.GDA("lr"), k=3))
        'gd.rules.Lookahead(inner=gd.rules.SimultaneousGD(lr=lr), k=3)'
    """
    room = "rules" if isinstance(value, Rule) else "penalties" if isinstance(value, Penalty) else None
    if room is not None and dataclasses.is_dataclass(value):
        fields = [f for f in dataclasses.fields(value) if f.init]
        shown = [f for f in fields if not _same(getattr(value, f.name), f.default)]
        call = ", ".join(f"{f.name}={written(getattr(value, f.name))}" for f in shown)
        return f"gd.{room}.{type(value).__name__}({call})"
    if isinstance(value, tuple):
        return f"({', '.join(map(written, value))}{',' * (len(value) == 1)})"
    return str(value) if is_symbolic(value) else repr(value)


def _same(value: object, default: object) -> bool:
    return type(value) is type(default) and bool(value == default)
