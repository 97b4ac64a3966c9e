"""A number for every point of a grid of parameters: spectra, where runs end, or a function of the user's own."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ...arguments import returned
from ...budget import Budget
from ...doors import door
from ...dynamics.iterate import iterate
from ...errors import DomainError, ParameterError, UnknownNameError
from ...memory import afford
from ...results import Result, Trajectory
from ...symbolic.members import PerMember
from ...types import Array, Game, Rule
from ..local.ensemble import known_point, linearize_ensemble
from .freed import freed, valued

CHUNK_BYTES, CHUNK = 1 << 26, 1 << 17
Measure = Callable[[Trajectory], object]


@dataclasses.dataclass(frozen=True, repr=False)
class Sweep(Result):
    """A measure over a grid of parameters.

    Attributes:
        game, rule: as given. parameters: name -> its values, in the order of the axes.
        measure: the name of what was measured. values: one entry for each point of the grid.
        reason: "" or why entries are missing; those are not a number, or None where the measure is a status.
    """

    game: Game
    rule: Rule | None
    parameters: dict[str, Array]
    measure: str
    values: Array
    reason: str = ""

    _data = "game rule parameters measure values reason"
    _plot = "parameter_sweep"

    def best(self) -> dict[str, float]:
        """The parameters at which a numeric measure is smallest, and its value under "value".

        Raises:
            DomainError: where no entry is a number.
        """
        numbers = self.values if self.values.dtype != object else np.full(self.values.shape, np.nan)
        if not np.isfinite(numbers).any():
            raise DomainError(f"the smallest {self.measure}", "entries that are finite numbers", "another measure")
        place = np.unravel_index(int(np.nanargmin(numbers)), numbers.shape)
        found = {name: float(v[k]) for (name, v), k in zip(self.parameters.items(), place, strict=True)}
        return found | {"value": float(numbers[place])}

    def summary(self) -> str:
        """The grid, the range of the measure, and where it is smallest."""
        axes = " x ".join(f"{len(v)} {name} in [{v.min():g}, {v.max():g}]" for name, v in self.parameters.items())
        lines = [f"{self._dynamics()}: {self.measure} at {axes}"]
        if self.values.dtype == object:
            kinds, counts = np.unique(self.values.astype(str), return_counts=True)
            lines += [f"{count} of {self.values.size}: {kind}" for kind, count in zip(kinds, counts, strict=True)]
        elif np.isfinite(self.values).any():
            best = self.best()
            where = ", ".join(f"{name}={value:.6g}" for name, value in best.items() if name != "value")
            largest = float(np.nanmax(self.values))
            lines.append(f"from {best['value']:.6g} at {where} to {largest:.6g} (floating point)")
        return "\n".join([*lines, self.reason] if self.reason else lines)


@door
def sweep(
    game: Game,
    rule: Rule | None,
    parameters: object,
    measure: str | Measure = "spectral_radius",
    *,
    start: object = None,
    steps: int = 1000,
    at: object = None,
    budget: float | Budget | None = 300.0,
) -> Sweep:
    """Measure a game under a rule, or its gradient flow (rule=None), at every point of a grid of parameters.

    All points of the grid are members of one ensemble, taken in chunks of bounded memory. The names are those of
    `stability_region`: a symbol that is free in the rule or the game, `GDA("lr")`, or else a field of the rule or of
    those that it wraps, whose value is then replaced (values per player keep their ratios).

    What can be measured, besides a function:

    * "spectral_radius" of the derivative of the rule's augmented map at the fixed point.
    * "spectral_abscissa" of the flow's derivative there.
    * "final_distance": |w - at| after the steps from `start`, infinite where the run diverged.
    * "cost": player 1's cost after the steps, not a number where the run diverged.
    * "status": how the run ended, a `Status`.

    Args:
        game: a game given by symbols.
        rule: the rule, or None.
        parameters: name -> values, one sequence of numbers for each axis of the grid, in the order of the axes.
        measure: one of these names, or a function of the trajectory of one point of the grid, with all its steps, that
            returns a number. A function is called once for each point, which takes about a millisecond.
        start: where runs start, shape (d,); the start that the game suggests, or `at` + (1, 1/2, 1/3, ...).
        steps: their length.
        at: the fixed point, shape (d,); the game's known equilibrium by default.
        budget: seconds; what is not computed by then is left out, and `reason` says so.

    Returns:
        A `Sweep`: `.values` of shape (number of values of each parameter, in order).

    Raises:
        ParameterError: for names that rule and game do not have, values that they refuse, and grids beyond the memory.
        UnknownNameError: for another measure. DomainError: for games without symbols, and as `linearize` and `iterate`.

    Example:
        >>> import gandyn as gd
        >>> swept = gd.sweep(gd.games.bilinear(), gd.rules.GDA("lr"), {"lr": [0.1, 0.2]})
        >>> swept.values.round(6).tolist()
        [1.004988, 1.019804]
    """
    axes = _axes(parameters)
    shape = tuple(map(len, axes.values()))
    size = math.prod(shape)
    afford(size * 8, f"a grid of {size} points", "fewer values")
    named = measure if isinstance(measure, str) else getattr(measure, "__name__", "measure")
    compute = _Measurement(game, rule, list(axes), measure, start, steps, at)
    limit = Budget.of(budget)
    values: Array = np.full(size, None, dtype=object) if measure == "status" else np.full(size, np.nan)
    done = 0
    while done < size and not limit.out:
        chunk = np.arange(done, min(size, done + compute.chunk))
        places = np.unravel_index(chunk, shape)
        found = compute([v[p] for v, p in zip(axes.values(), places, strict=True)], limit)
        values[chunk[: len(found)]] = found
        done += len(found)
    left = size - done
    reason = f"undecided: out of time after {limit.seconds:g} s, {left} of {size} points missing" if left else ""
    return Sweep(game, rule, axes, named, values.reshape(shape), reason)


class _Measurement:
    """The measure as a function of the parameters' values over some points of the grid."""

    def __init__(
        self,
        game: Game,
        rule: Rule | None,
        names: list[str],
        measure: str | Measure,
        start: object,
        steps: int,
        at: object,
    ) -> None:
        self.game, self.names, self.measure, self.steps, self.at = game, names, measure, steps, at
        self.symbols = []
        for name in names:
            rule, symbol = freed(game, rule, name)
            self.symbols.append(symbol)
        self.rule = rule
        if isinstance(measure, str) and measure not in NAMED:
            raise UnknownNameError.among("measure", measure, list(NAMED))
        if not isinstance(measure, str) and not callable(measure):
            raise ParameterError(f"measure={measure!r}", f"a function, or one of {', '.join(NAMED)}", "spectral_radius")
        if rule is None and measure != "spectral_abscissa":
            raise DomainError(f"{measure} of a gradient flow", "measure='spectral_abscissa', or a rule", "a rule")
        self.start = self._start(start)
        rows = 1 if isinstance(measure, str) else steps + 1
        self.chunk = max(1, min(CHUNK, CHUNK_BYTES // (8 * (rows * game.dim + 4 * game.dim**2))))

    def _start(self, start: object) -> Array:
        if start is not None:
            return start
        facts = getattr(self.game, "facts", None)
        if facts is not None and facts.starts:
            return facts.starts[0]
        if self.at is None and not self.game.equilibria:
            return np.ones(self.game.dim)
        return self._place(self.game) + 1.0 / np.arange(1, self.game.dim + 1)  # not along (1, ..., 1): a simplex

    def _place(self, game: Game) -> Array:
        """The fixed point, shape (d,) or (members, d)."""
        return known_point(game, self.at)

    def __call__(self, values: Sequence[Array], limit: Budget) -> Array:
        """The measure of each point; with a function, of those that the time suffices for."""
        carried = [PerMember(v, name) for name, v in zip(self.names, values, strict=True)]
        if not isinstance(self.measure, str):
            return self._one_by_one(carried, values, limit)
        game, rule = self._with(carried)
        return NAMED[self.measure](self, game, rule)

    def _with(self, numbers: Sequence[object]) -> tuple[Game, Rule | None]:
        """Game and rule with numbers, or symbols that carry them, in the place of the swept symbols."""
        return valued(self.game, self.rule, dict(zip(self.symbols, numbers, strict=True)))

    def _run(self, game: Game, rule: Any, record: str = "last") -> Trajectory:
        return iterate(game, rule, self.start, self.steps, record)

    def _one_by_one(self, carried: Sequence[object], values: Sequence[Array], limit: Budget) -> Array:
        assert not isinstance(self.measure, str)
        game, rule = self._with(carried)
        run = self._run(game, rule, "all")
        found: list[float] = []
        for k, numbers in enumerate(zip(*(v.tolist() for v in values), strict=True)):
            if limit.out:
                break
            own, its = self._with(numbers)
            ended: dict[str, Any] = {"status": run.status[k], "steps": int(run.steps[k]), "state": None, "counts": None}
            alone = dataclasses.replace(run, w=run.w[:, k], game=own, rule=its, **ended)
            answer = returned("measure", self.measure(alone))
            if answer.size != 1:
                given = f"a measure of shape {answer.shape} for one point of the grid"
                raise ParameterError(given, "one number", "lambda run: np.linalg.norm(run.w[-1])")
            found.append(answer.item())
        return np.array(found)


def _axes(parameters: object) -> dict[str, Array]:
    if not isinstance(parameters, Mapping) or not parameters:
        raise ParameterError(f"parameters={parameters!r}"[:80], "name -> values", '{"lr": np.linspace(0.1, 1, 50)}')
    axes = {}
    for name, values in parameters.items():
        try:
            array = np.asarray(values, dtype=float)
        except (TypeError, ValueError):
            array = np.empty(0)
        if array.ndim != 1 or not array.size or not np.isfinite(array).all():
            raise ParameterError(f"{name}={values!r}"[:80], "a sequence of finite numbers", "np.linspace(0.1, 1, 50)")
        axes[str(name)] = array
    return axes


def _final_distance(self: _Measurement, game: Game, rule: Rule) -> Array:
    run = self._run(game, rule)
    distance = np.linalg.norm(run.w - self._place(game), axis=-1)
    return np.where(run.diverged, np.inf, distance)


def _final_cost(self: _Measurement, game: Game, rule: Rule) -> Array:
    run = self._run(game, rule)
    return np.where(run.diverged, np.nan, run.costs[0])


NAMED: dict[str, Callable[[_Measurement, Game, Any], Array]] = {
    "spectral_radius": lambda self, game, rule: linearize_ensemble(game, rule, self.at).spectral_radius,
    "spectral_abscissa": lambda self, game, rule: linearize_ensemble(game, rule, self.at).spectral_abscissa,
    "final_distance": _final_distance,
    "cost": _final_cost,
    "status": lambda self, game, rule: self._run(game, rule).status,
}
