"""The law that a noisy rule settles to around an equilibrium: covariance, mean, noise floor, error of averages."""

from __future__ import annotations

import dataclasses
import functools
import math

import numpy as np

from ...arguments import positive, several
from ...budget import Budget, OutOfTimeError
from ...doors import door
from ...errors import NotDifferentiableError, ParameterError
from ...lazy import sympy
from ...noise import Additive, Measured, Sampled, of
from ...results import Result, table
from ...types import Array, Game, Rule
from ..backward_error.expansion import step_sizes, with_steps
from . import stein
from .at_bounds import refuse_cut_off
from .exact_moments import exact_moments, pulled
from .final_error import final_error, smallest
from .measured_map import measured_map
from .random_map import RandomMap
from .traced_map import freed_map, random_map


@dataclasses.dataclass(frozen=True, repr=False)
class Stationary(Result):
    """The stationary law of a rule with noise at an equilibrium z* = (at, the rule's memory at rest).

    One step is z+ - z* = c + M (z - z*) + B xi. The mean u = E[z - z*] solves u = E[M] u + E[c], and the second moment
    P = E[M P M^T] + E[c c^T] + E[M u c^T] + E[c u^T M^T] + E[B C B^T]; the covariance is P - u u^T.

    Attributes:
        game, rule: what was analysed, rule and game without the noise.
        noise: its law, in words.
        at: the equilibrium.
        step: one noisy step as a random affine map.
        seconds: that formulas may take.
    """

    game: Game
    rule: Rule
    noise: str
    at: tuple[sympy.Expr, ...]
    step: RandomMap
    seconds: float = 20.0

    _data = (
        "game rule noise at exists reason kind spectral_radius mean bias covariance mean_square_distance "
        "autocorrelation_time exact=formulas"
    )
    _plot = "stationary"

    @property
    def kind(self) -> str:
        """Either "exact": the step is affine and the moments are the rule's own; or "local", of its linear part."""
        return self.step.kind

    @property
    def parameters(self) -> tuple[sympy.Symbol, ...]:
        """Free symbols; while there are any, formulas stand in `exact` and there are no numbers."""
        return self.step.parameters

    @functools.cached_property
    def spectral_radius(self) -> float | None:
        """Of E[M (x) M]: second moments of the distance to the law shrink by it in a step. None with free symbols."""
        return None if self.parameters else stein.spectral_radius(self.step)

    @functools.cached_property
    def exists(self) -> bool | None:
        """Whether a law with a finite covariance is stationary (local: for the linear part); None with free symbols."""
        return None if self.parameters else stein.stable(self.step)

    @property
    def reason(self) -> str:
        """Why there is a law, or none."""
        if self.exists is None:
            return f"it depends on {', '.join(map(str, self.parameters))}"
        what = "M (x) M" if self.step.single else "E[M (x) M]"
        radius = f"the spectral radius of {what} is {self.spectral_radius:.8g}"
        if self.exists:
            return f"{radius}, below 1"
        near = "small distances do not shrink to first order; further out there may be a law"
        always = "second moments grow or never settle, whatever the size of the noise"
        return f"{radius}, not below 1: {near if self.kind == 'local' else always}"

    @functools.cached_property
    def _moments(self) -> tuple[Array, Array]:
        """(u, P - u u^T) in floats; infinite where there is no law."""
        size, _ = self.step.size, self.step.numbers  # asks for the values of parameters
        if not self.exists:
            return np.full(size, np.nan), np.full((size, size), np.inf)
        m, c = self.step.first_moments
        mean = np.linalg.solve(np.eye(size) - m, c)
        return mean, stein.solve(self.step, self.step.forcing(mean)) - np.outer(mean, mean)

    @functools.cached_property
    def bias(self) -> Array:
        """E[w] - at, (d,); nan where there is no law.

        It is u where the step is affine: look-aheads on one batch have E[J v] other than J v. Elsewhere curvature moves
        the mean too, at the order of the noise: (I - E[M]) b = E[c] + h, h the mean of the step's second-order part
        over the law. For gradient steps that is J b = -(1/2) D^2v[covariance].
        """
        if not self.exists:
            return np.full(self.game.dim, np.nan)
        m, c = self.step.first_moments
        found: Array = np.linalg.solve(np.eye(len(m)) - m, c if self._bent is None else c + self._bent)[: self.game.dim]
        return found

    @functools.cached_property
    def _bent(self) -> Array | None:
        """h; None where it is not known: of epochs, without a second derivative, or when time is out."""
        if self.kind == "exact" or self.step.bend is None:
            return None
        linear, covariance = self._moments
        second = covariance + np.outer(linear, linear)
        try:
            task = functools.partial(self.step.bend.added, self.step, linear, second)
            return np.asarray(Budget(self.seconds).run(task, "the second-order part of the step"))
        except (OutOfTimeError, NotDifferentiableError):
            return None

    @property
    def augmented(self) -> Array:
        """Covariance of z = (w, the rule's memory), (D, D).

        Raises:
            ParameterError: while a parameter has no value.
        """
        return self._moments[1]

    @property
    def covariance(self) -> Array:
        """Covariance of w, (d, d); infinite where there is no law."""
        return self.augmented[: self.game.dim, : self.game.dim]

    @property
    def mean(self) -> Array:
        """E[w] = at + `bias`, (d,); nan where there is no law."""
        return np.array([float(x) for x in self.at]) + self.bias

    @property
    def mean_square_distance(self) -> float:
        """E|w - at|^2 = trace of the covariance + |mean - at|^2: the noise floor, in the unit of w squared."""
        return float(np.trace(self.covariance) + np.sum(self.bias**2)) if self.exists else math.inf

    @property
    def shown(self) -> list[list[str]]:
        """The covariance as text, without the rounding errors of zeros."""
        least = 1e-12 * float(np.abs(self.covariance).max())
        return [[f"{x if abs(x) > least else 0.0:.6g}" for x in row] for row in self.covariance]

    @functools.cached_property
    def average_covariance(self) -> Array:
        """T times the covariance of the average of T iterates, as T grows: sum over k of Cov(w_0, w_k), (d, d).

        With A = E[M] it is (I - A)^{-1} P + P (I - A)^{-T} - P: the central limit theorem of the Polyak average.
        """
        if not self.exists:
            return self.covariance
        p, d = self.augmented, self.game.dim
        summed = np.linalg.solve(np.eye(len(p)) - self.step.first_moments[0], p)
        return (summed + summed.T - p)[:d, :d]

    @property
    def autocorrelation_time(self) -> float:
        """Steps for one independent sample: trace of `average_covariance` over that of `covariance`; nan for 0/0.

        Of a shuffled sum, steps of the epochs at whose ends the law is seen.
        """
        if not self.exists:
            return math.inf
        total = float(np.trace(self.covariance))
        return self.step.period * float(np.trace(self.average_covariance)) / total if total > 0 else math.nan

    def after(self, steps: int) -> tuple[Array, Array]:
        """E[w_T] (d,) and the covariance (d, d) of w_T after T steps from the point, whether they settle or not.

        The memory is at rest at first. Of a shuffled sum, T is rounded down to epochs.
        """
        steps = several("steps", steps)
        if steps < self.step.period:
            raise ParameterError(f"steps={steps}", f"an epoch of {self.step.period} steps at least", "more steps")
        size, d = self.step.size, self.game.dim
        moved = self.step.moments_after(steps // self.step.period, np.zeros(size), np.zeros((size, size)))
        first, second = moved[0][:d], moved[1][:d, :d]
        return np.array([float(x) for x in self.at]) + first, second - np.outer(first, first)

    def mean_square_field(self, steps: int | None = None) -> float:
        """E|v(w)|^2 of the mean field over the law, tr(J P J^T) + |v + J b|^2 to leading order: what never vanishes.

        J is the field's Jacobian at the point, v the field there (0 at an equilibrium), P and b the covariance and the
        mean of w - at. Square roots of it are floors of the norm that logs of training show.

        Args:
            steps: from the point; None for the stationary law, infinite where there is none.
        """
        if steps is None and not self.exists:
            return math.inf
        mean, covariance = (self.mean, self.covariance) if steps is None else self.after(steps)
        j = self.step.slopes
        left = self.step.field + j @ (mean - np.array([float(x) for x in self.at]))
        return float(np.trace(j @ covariance @ j.T) + left @ left)

    @functools.cached_property
    def exact(self) -> sympy.ImmutableMatrix | None:
        """The covariance of w as a SymPy matrix (d, d), rational in the parameters; None where it is too large.

        With free parameters it is the stationary covariance where there is a law: `gd.mean_square` says where.
        """
        solved, d = self._exact_moments, self.game.dim
        return None if solved is None else sympy.ImmutableMatrix(solved[1][:d, :d].applyfunc(sympy.factor))

    @functools.cached_property
    def exact_mean(self) -> sympy.Matrix:
        """E[w] as a SymPy column, where `exact` is known; None elsewhere."""
        solved = self._exact_moments
        d = self.game.dim
        if solved is None:
            return None
        step, (linear, covariance) = self.step, solved
        offset = step.expected(step.offset)
        if self.kind == "local" and step.bend is not None:
            offset = offset + step.bend.exactly(step, linear, covariance + linear * linear.T)
        return sympy.Matrix(self.at) + pulled(self.step, offset)[:d, :].applyfunc(sympy.factor)

    @functools.cached_property
    def _exact_moments(self) -> tuple[sympy.Matrix, sympy.Matrix] | None:
        return None if self.exists is False else exact_moments(self.step, self.seconds)

    @property
    def formulas(self) -> list[list[str]] | None:
        """The exact entries of the result as text, for `to_dict()`."""
        return None if self.exact is None else [[str(e) for e in row] for row in self.exact.tolist()]

    def best(self, name: str, *, steps: int, distance: float) -> tuple[float, float]:
        """The value of a parameter that leaves the smallest error after so many steps, and that error.

        The error is E|w_T - at|^2, exactly by the moments of the random map, from a start at this distance in a
        direction that is uniform, with the memory that the rule starts from.

        Args:
            name: "lr", or another parameter of the rule or free symbol. steps: T. distance: |w_0 - at|.

        Raises:
            DomainError: where no value gives a law.

        Example:
            >>> import gandyn as gd
            >>> law = gd.stationary(gd.games.quadratic(0.37, 1.13, 0.37), gd.rules.GDA(0.1), noise=1.0)
            >>> [round(x, 6) for x in law.best("lr", steps=50, distance=3)]
            [0.125502, 0.666076]
        """
        free, symbol = freed_map(self, name)
        what = f"{name} of {self.rule!r} on {self.game.name}"
        error = functools.partial(final_error, free, symbol, several("steps", steps), positive("distance", distance))
        return smallest(error, free.unit(symbol), what)

    def extrapolated(self) -> tuple[Array, Array]:
        """Mean (d,) and T times the covariance (d, d) of 2 w(lr/2) - w(lr), averages of two runs of T steps each.

        The bias is a power series in the step that starts at order 1; with half of all steps (Richardson & Romberg)
        that order cancels, and what is left falls with the square of the step. The price is a larger covariance:
        4 times that of the average at lr/2, plus that at lr.
        """
        sizes = step_sizes(self.step.game, self.rule)
        rule = with_steps(self.step.game, self.rule, (size / 2 for size in sizes))
        half = dataclasses.replace(self, rule=rule, step=random_map(self.step.game, rule, at=self.at))
        return 2 * half.mean - self.mean, 4 * half.average_covariance + self.average_covariance

    def summary(self) -> str:
        """Game, rule, noise and point; then the law, or why there is none."""
        head = f"{self._subject()}, {self.noise}"
        if self.exists is None:
            known = "no formula" if self.exact is None else "covariance, where there is a law:"
            rows = [] if self.exact is None else table([[str(e) for e in row] for row in self.exact.tolist()])
            return "\n".join([f"{head}: {known}", *rows, f"{self._argument()}"])
        if not self.exists:
            return f"{head}: no stationary law{' of the linear part' * (self.kind == 'local')}\n{self.reason}"
        return "\n".join([
            f"{head}: mean-square distance {self.mean_square_distance:.6g}",
            f"mean ({', '.join(f'{x:.6g}' for x in self.mean)}), covariance",
            *table(self.shown),
            f"autocorrelation time {self.autocorrelation_time:.4g} steps; {self.reason}",
            self._argument(),
        ])  # fmt: skip

    def _argument(self) -> str:
        if self.kind == "exact":
            return "exact: the step is affine in w, memory and noise, so its first two moments close"
        if self.step.margin is not None:
            return (
                "local: on the face of the bounds that press; noise leaves it beyond "
                f"{self.step.margin:.3g} standard deviations"
            )
        mean = "mean with the curvature's part" if self._bent is not None else "mean without the curvature's part"
        return f"local: covariance of the linear part at the point, {mean}; to leading order in the noise"


@door
def stationary(
    game: Game, rule: Rule, noise: object = None, at: object = None, *, budget: float | None = 20
) -> Stationary:
    """The stationary law of a rule with noise at an equilibrium: its covariance, mean and mean-square distance.

    Exact where the step is affine (quadratic games, finite sums of them, rules that are linear in the field); for other
    games the linear noise approximation at the point. Minibatches are drawn with replacement. With free parameters
    (`GDA("lr")`) the covariance is a formula, `.exact`.

    Args:
        game: a symbolic game, a finite sum of them, or a game of networks.
        rule: the rule. Whether it uses one sample in a step or several it says itself (`Extragradient(fresh=True)`).
        noise: `gd.noise.Additive`, or the covariance of one: a number, one per player, or a matrix (d, d); None for the
            game's own. That of networks is measured at the point: `gd.noise.Measured(game, batches=500)` takes more.
        at: the equilibrium, shape (d,); the game's first known one by default. Networks have none that is known, and a
            field that is not quite zero: the law's mean is where the linear part takes it.
        budget: seconds that a formula may take.

    Returns:
        A `Stationary`: `.mean` and `.covariance` of w, `.mean_square_distance`, whether it `.exists`, and of which
        `.kind` it is.

    Raises:
        DomainError: for a game without noise where none is given; outside the rule's domain; at bounds that cut it off.
        ParameterError: for a covariance that is none, or a point that is no equilibrium.

    Example:
        >>> import gandyn as gd
        >>> game = gd.games.quadratic(0.37, 1.13, 0.37)
        >>> float(gd.stationary(game, gd.rules.Extragradient(0.19), noise=1.0).covariance[0, 0].round(6))
        0.186277
        >>> gd.stationary(gd.games.bilinear(), gd.rules.GDA(0.1), noise=1.0).exists
        False
    """
    law = of(game) if noise is None or (isinstance(noise, Sampled) and noise.game is game) else noise
    if isinstance(law, Measured):
        step: RandomMap = measured_map(game, rule, law, at)
    else:
        law = law if isinstance(law, Sampled) else Additive.read(law)
        step = random_map(game, rule, law if isinstance(law, Additive) and noise is not None else None, at)
    found = Stationary(game, rule, law.described, tuple(step.at), step, Budget.of(budget).seconds)
    if game.constrained and found.exists:
        refuse_cut_off(game, step, found.mean, found.covariance)
    return found
