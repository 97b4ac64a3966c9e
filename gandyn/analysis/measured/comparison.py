"""Rules compared at equal cost, each with the step size that did best on a held-out seed, over several seeds."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ...arguments import returned
from ...doors import door
from ...dynamics.iterate import iterate
from ...errors import ParameterError
from ...results import Result, table
from ...rules.declaration import each
from ...types import Array, Counts, Game, Parameter, Rule
from ...worlds import NUMPY, is_symbolic, world_of
from .regression import length

UNITS = ("gradients", "products", "seconds")
STEP_SIZES = tuple(float(x) for x in np.geomspace(1e-3, 1.0, 13))
POINTS = 100
PRODUCT_COST = 2.0
HELD_OUT = 10_000

Metric = Callable[[Game, Array], Array]


@dataclasses.dataclass(frozen=True)
class Contender:
    """One rule's runs in a comparison."""

    label: str
    rule: Rule  # with the step size that was best on the held-out seed
    tried: dict[float, float]  # the last metric on the held-out seed for each step size; inf where it is no number
    spent: Array  # the cost after each recorded step, (T,), in the comparison's unit
    values: Array  # the metric, (seeds, T)
    steps: int  # number of steps that the budget allows
    diverged: int  # number of seeds that diverged

    @property
    def final(self) -> tuple[float, float, float]:
        """(median, lower quartile, upper quartile) over seeds of the last metric; values that are no number are inf."""
        last = self.values[:, -1]
        last = np.where(np.isfinite(last), last, np.inf)
        shares = [0.25, 0.5, 0.75]
        if np.isfinite(last).all():
            low, middle, high = np.quantile(last, shares)
        else:  # nothing lies half way to infinity
            low, middle, high = np.quantile(last, shares, method="inverted_cdf")
        return float(middle), float(low), float(high)


@dataclasses.dataclass(frozen=True, repr=False)
class Comparison(Result):
    """Rules that ran on one game at the same cost.

    Attributes:
        game: the game.
        budget, unit: what each rule could spend.
        metric: the name of the metric.
        contenders: a `Contender` for each rule, the smallest median of the last metric first.
    """

    game: Game
    budget: float
    unit: str
    metric: str
    contenders: tuple[Contender, ...]

    _plot = "comparison"

    def summary(self) -> str:
        """A table: rule, tuned step size, steps, median and quartiles of the last metric, and diverged seeds."""
        heads = ("rule", "lr", "steps", f"{self.metric}, median", "quartiles", "diverged")
        lines = [heads]
        for c in self.contenders:
            middle, low, high = c.final
            lr = step_size(c.rule)
            size = f"{lr:.3g}" if isinstance(lr, (int, float)) else str(lr)
            shares = (f"{middle:.3e}", f"{low:.2e} to {high:.2e}", f"{c.diverged} of {len(c.values)}")
            lines.append((c.label, size, str(c.steps), *shares))
        return "\n".join([f"{self.game.name}, {self.budget:g} {self.unit} each", *table(lines)])


@door
def compare(
    game: Game,
    rules: Sequence[Rule] | Mapping[str, Rule],
    start: object,
    budget: float,
    unit: str = "gradients",
    *,
    metric: Metric | None = None,
    step_sizes: Sequence[float] | None = STEP_SIZES,
    seeds: int = 8,
    spread: float = 0.1,
) -> Comparison:
    """Run every rule for the same cost, each with the step size that did best on a held-out seed.

    The cost of a step is what the game's oracle counts for it. In "gradients" a field costs 1 and a product with the
    Jacobian 2, about its price on a network. "products" counts Jacobian products alone; a rule that uses none is
    charged 1 a step. "seconds" is the wall time of `rule.step`, measured on twenty steps, also where generated code
    then runs faster.

    Args:
        game: the game.
        rules: rules, or a mapping from labels to rules. While tuning, the first player's `lr` takes the values tried,
            and the other players' step sizes, in wrapped rules too, keep their ratio to it.
        start: array (d,), the centre of the starts; for a GAN the tensor `game.w0`, at which every seed then starts.
        budget: what each rule may spend, in the unit.
        unit: "gradients", "products" or "seconds".
        metric: a function of the game and points (..., d) that returns numbers (...), smaller is better. By default the
            distance to the nearest known equilibrium, or the length of the field where no equilibrium is known. That is
            so for a GAN, for which it says little about the samples.
        step_sizes: values tried for every rule as the first player's step size; None keeps the rules' own.
        seeds: number of runs beside the held-out one: of starts, or from a tensor of orders of batches. For bands over
            initial networks, train a `gd.gans.Ensemble` by each rule and draw them by `gd.plots.bands`.
        spread: standard deviation of the starts, which are normal around `start`; no effect on a tensor.

    Returns:
        A `Comparison`: for each rule one of `.contenders`, with its tuned step size and its metric over the budget.

    Raises:
        ParameterError: for an unknown unit, several starts, a metric of the wrong shape, or a budget that does not
            allow one step.

    Example:
        >>> import gandyn as gd
        >>> rules = [gd.rules.GDA(0.1), gd.rules.Extragradient(0.1)]
        >>> gd.compare(gd.games.bilinear(), rules, [1.0, 0.0], budget=400).contenders[0].label
        'Extragradient'
    """
    if step_sizes is not None and not len(step_sizes):
        raise ParameterError("step_sizes=()", "at least one, or None for the rules' own", "step_sizes=(0.01, 0.1)")
    if not np.isfinite(float(budget)):
        raise ParameterError(f"budget={budget!r}", f"a finite number of {unit}", "budget=1000")
    if unit not in UNITS:
        raise ParameterError(f"unit={unit!r}", f"one of {', '.join(UNITS)}", 'unit="gradients"')
    if not isinstance(seeds, int) or seeds < 1:
        raise ParameterError(f"seeds={seeds!r}", "a whole number >= 1", "seeds=8")
    named = dict(rules) if isinstance(rules, Mapping) else _labels(rules)
    measure, name = (metric, getattr(metric, "__name__", "metric")) if metric is not None else _default_metric(game)
    centre: Array = start
    if np.ndim(centre) != 1:
        given = f"start of shape {np.shape(centre)}"
        raise ParameterError(given, "one point", "give its centre: `seeds` draws around it")
    setting = _Setting(game, measure, float(budget), unit, start, spread)
    contenders = [setting.contender(label, rule, step_sizes, seeds) for label, rule in named.items()]
    ranked = sorted(contenders, key=lambda c: (np.isnan(c.final[0]), c.final[0]))
    return Comparison(game, float(budget), unit, name, tuple(ranked))


def step_size(rule: Rule) -> Parameter:
    """The first player's `lr`, of the rule or of the rule that it wraps; None where there is none."""
    lr = getattr(rule, "lr", None)
    if lr is not None:
        return each(lr)[0]
    _, wrapped = _wrapped(rule)
    return step_size(wrapped[0]) if wrapped else None


def with_step_size(rule: Rule, lr: float) -> Rule:
    """The rule with `lr` for the first player; all other step sizes, in wrapped rules too, keep their ratio to it."""
    return _times(rule, lr / step_size(rule))


def _times(rule: Rule, factor: float) -> Rule:
    lr = getattr(rule, "lr", None)
    if isinstance(lr, Mapping):
        return dataclasses.replace(rule, lr={name: value * factor for name, value in lr.items()})  # type: ignore[type-var]
    if lr is not None:
        many = isinstance(lr, tuple)
        return dataclasses.replace(rule, lr=tuple(v * factor for v in lr) if many else lr * factor)  # type: ignore[type-var]
    name, wrapped = _wrapped(rule)
    changed = tuple(_times(inner, factor) for inner in wrapped)
    several = isinstance(getattr(rule, name), tuple)
    return dataclasses.replace(rule, **{name: changed if several else changed[0]})  # type: ignore[type-var]


def _wrapped(rule: Rule) -> tuple[str, tuple[Rule, ...]]:
    """The field in which a rule keeps those that move its players, and them."""
    for name in ("outer", "inner"):
        inner = getattr(rule, name, None)
        if inner is not None:
            return name, inner if isinstance(inner, tuple) else (inner,)
    return "", ()


def _labels(rules: Sequence[Rule]) -> dict[str, Rule]:
    names = [rule.name for rule in rules]
    return {(rule.name if names.count(rule.name) == 1 else repr(rule)): rule for rule in rules}


def _default_metric(game: Game) -> tuple[Metric, str]:
    points = [p for p in game.equilibria if not any(is_symbolic(x) and x.free_symbols for x in p)]
    if not points:
        return (lambda g, w: _lengths(g.field(w))), "length of the field"
    targets = np.array([[float(x) for x in p] for p in points])

    def distance(g: Game, w: Array) -> Array:
        return length(np.asarray(w)[..., None, :] - targets).min(-1)

    return distance, "distance to equilibrium"


def _lengths(v: Array) -> Array:
    return length(np.asarray(v if world_of(v) == NUMPY else v.detach().cpu().numpy()))


@dataclasses.dataclass(frozen=True)
class _Setting:
    game: Game
    metric: Metric
    budget: float
    unit: str
    start: object
    spread: float

    def contender(self, label: str, rule: Rule, step_sizes: Sequence[float] | None, seeds: int) -> Contender:
        """Tune a rule's step size on the held-out seed, then run it on the other seeds."""
        tried: dict[float, float] = {}
        if step_sizes is not None and step_size(rule) is not None:
            for lr in step_sizes:
                values, _, _, lost = self._run(with_step_size(rule, lr), [HELD_OUT])
                last = float(values[0, -1])
                tried[lr] = np.inf if lost or np.isnan(last) else last
            rule = with_step_size(rule, min(tried, key=lambda lr: tried[lr]))
        values, spent, steps, lost = self._run(rule, list(range(seeds)))
        return Contender(label, rule, tried, spent, values, steps, lost)

    def _start(self, seed: int) -> Array:
        if world_of(self.start) != NUMPY and hasattr(self.start, "detach"):
            return self.start
        centre = np.asarray(self.start, dtype=float)
        return centre + self.spread * np.random.default_rng(seed).normal(size=centre.shape)

    def _run(self, rule: Rule, seeds: list[int]) -> tuple[Array, Array, int, int]:
        """A rule's runs: metric (seeds, T), cost (T,), number of steps, and seeds that diverged."""
        first, each = self._price(rule)
        steps = int((self.budget - first) / each + 1e-9)
        if steps < 1:
            raise ParameterError(
                f"a budget of {self.budget:g} {self.unit} for {rule!r}, whose steps cost {each:g}",
                f"at least {first + each:g}",
                "raise the budget",
            )
        stride = max(1, steps // POINTS)
        if self.game.deterministic and world_of(self._start(0)) == NUMPY:
            runs = [iterate(self.game, rule, np.stack([self._start(s) for s in seeds]), steps, record=stride)]
            values = np.moveaxis(self._measured(runs[0].w), 0, -1)
        else:
            runs = [iterate(self.game, rule, self._start(s), steps, record=stride, rng=s) for s in seeds]
            values = np.array([[float(self._measured(w)) for w in run.w] for run in runs])
        lost = int(sum(np.sum(run.diverged) for run in runs))
        return values, first + each * np.asarray(runs[0].t), steps, lost

    def _measured(self, w: Array) -> Array:
        """The metric at points (..., d), one number each."""
        found = returned("metric", self.metric(self.game, w))
        if found.shape != tuple(w.shape[:-1]):
            given = f"a metric of shape {found.shape} for points of shape {tuple(w.shape)}"
            raise ParameterError(given, f"shape {tuple(w.shape[:-1])}", "lambda game, w: np.linalg.norm(w, axis=-1)")
        return found

    def _price(self, rule: Rule) -> tuple[float, float]:
        """The cost of a rule's `init` and of one step, in the unit of the comparison."""
        w = self._start(HELD_OUT)
        rng = np.random.default_rng(0)
        before = self.game.counts * 1
        began = time.perf_counter()
        state = rule.init(self.game, w, rng)
        initial, after = self._cost(self.game.counts - before), self.game.counts * 1
        started = time.perf_counter()
        trials = 20 if self.unit == "seconds" else 1
        for _ in range(trials):
            w, state, _ = rule.step(self.game, w, state, rng)
        finished = time.perf_counter()
        if self.unit == "seconds":
            return started - began, (finished - started) / trials
        each = self._cost(self.game.counts - after)
        return initial, max(each, 1.0) if self.unit == "products" else each

    def _cost(self, counts: Counts) -> float:
        products = counts.jvps + counts.vjps
        if self.unit == "products":
            return float(products)
        return counts.fields + PRODUCT_COST * products
