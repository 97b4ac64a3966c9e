"""The Dirac-GAN: data at 0, a generator that is one point theta, a linear discriminator (Mescheder et al. 2018)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import worlds
from ..lazy import sympy
from ..losses import Loss
from ..losses import resolve as resolve_loss
from ..oracles.known_facts import Facts
from ..oracles.symbolic import SymbolicGame
from ..penalties import Penalty
from ..penalties import resolve as resolve_penalties
from ..types import Array, FeasibleSet
from ..types.signs import is_zero
from ..worlds import exact
from . import registry


class DiracCritic:
    """The discriminator of the Dirac-GAN for penalties: logit s(x) = -phi x, real point 0, fake point theta.

    Random numbers are symbols, and `mean` takes the expectation over them.
    """

    def __init__(self, theta: sympy.Expr, phi: sympy.Expr, penalties: Sequence[Penalty]) -> None:
        self.theta, self.penalties = theta, penalties
        weight = np.array([[phi]], dtype=object)
        self.weights: Sequence[Array] = [weight]
        for penalty in penalties:
            weight = penalty.transform(weight)
        self.slope = -weight[0, 0]
        self._random: dict[Any, str] = {}
        self.real, self.fake = self._perturbed(sympy.Integer(0)), self._perturbed(theta)

    def _perturbed(self, point: sympy.Expr) -> sympy.Expr:
        for penalty in self.penalties:
            point = penalty.perturb(point, self)
        return point

    def logit(self, points: sympy.Expr) -> sympy.Expr:
        """s(x) = -phi x."""
        return self.slope * points

    def squared_slope(self, points: sympy.Expr) -> sympy.Expr:
        """|ds/dx|^2 at the points."""
        x = sympy.Dummy("x", real=True)
        return (sympy.diff(self.logit(x), x) ** 2).subs(x, points)

    def squared_distance(self, points: sympy.Expr, others: sympy.Expr) -> sympy.Expr:
        """(x - y)^2."""
        return (points - others) ** 2

    def deviation(self, points: sympy.Expr) -> sympy.Expr:
        """Standard deviation over the noise: the distributions themselves are single points."""
        return sympy.sqrt(sympy.expand(self.mean(points**2) - self.mean(points) ** 2))

    def mean(self, values: sympy.Expr) -> sympy.Expr:
        """Expectation over the random symbols in `values`."""
        from ..symbolic.expectation import Expectation

        values = self._rotated(values)
        for symbol, law in self._random.items():
            values = Expectation(values, symbol, law)
        return values

    def _rotated(self, values: sympy.Expr) -> sympy.Expr:
        """Two normals turned by 45 degrees, if that leaves one of them: pairs see only the difference of noises."""
        normals = [n for n, law in self._random.items() if law == "normal" and values.has(n)]
        if len(normals) != 2:
            return values
        first, second = normals
        half = 1 / sympy.sqrt(2)
        rotation = {first: half * (first + second), second: half * (first - second)}
        turned = sympy.expand(values.xreplace(rotation))
        return turned if len(turned.free_symbols & set(normals)) < 2 else values

    def uniform(self, like: sympy.Expr, per_point: bool = False) -> sympy.Expr:
        """A new random symbol, uniform on [0, 1]."""
        return self._draw("u", "uniform")

    def normal(self, like: sympy.Expr) -> sympy.Expr:
        """A new random symbol, standard normal."""
        return self._draw("n", "normal")

    def _draw(self, letter: str, law: str) -> sympy.Expr:
        symbol = sympy.Dummy(f"{letter}{len(self._random) + 1}", real=True)
        self._random[symbol] = law
        return symbol

    def reconstruct(self, points: sympy.Expr) -> sympy.Expr:
        """theta, the only point that the generator can make."""
        return self.theta


@dataclasses.dataclass(frozen=True)
class Projection:
    """(theta, phi) -> (theta, every penalty's projection of phi)."""

    penalties: tuple[Penalty, ...]

    @property
    def feasible(self) -> FeasibleSet | None:
        """The box that the penalties keep phi in; None where one of them keeps it in another set."""
        bounds = [penalty.bounds for penalty in self.penalties if penalty.constrained]
        if any(pair is None for pair in bounds):
            return None
        low, high = zip(*(pair for pair in bounds if pair is not None), strict=True)
        return FeasibleSet.box([None, (max(map(exact, low)), min(map(exact, high)))])

    def __call__(self, w: Array) -> Array:
        """The point of the feasible set nearest to w."""
        parameters = w[..., 1:]
        for penalty in self.penalties:
            parameters = penalty.project(parameters)
        return worlds.concatenate([w[..., :1], parameters])


@registry.register(
    "dirac_gan",
    examples=(
        {},
        {"loss": "nonsaturating"},
        {"loss": "wasserstein"},
        {"penalty": "R1(0.3)"},
        {"loss": "nonsaturating", "penalty": "R1(0.3)"},
        {"loss": "wasserstein", "clip": 1.0},
        {"loss": "wasserstein", "penalty": "WGANGP(0.7)"},
        {"noise": 0.49},
        {"loss": "relativistic", "penalty": "ModeRegularizer(0.2)"},
        {"loss": "label_smoothing(least_squares, 0.9)", "penalty": "R2(0.5)"},
    ),
    aliases=("dirac-gan", "dirac"),
)
def dirac_gan(
    loss: Loss | str = "minimax",
    penalty: Penalty | str | Sequence[Penalty | str] | None = None,
    noise: object = 0.0,
    clip: object = None,
) -> SymbolicGame:
    """The Dirac-GAN with any loss of the catalogue, and any penalties, instance noise and weight clipping.

    Data are the point 0, samples the point theta, and D(x) = phi x is high on fakes, so the catalogue's logit, high on
    real, is s = -phi x. With L(t) = -log(1 + exp(-t)) the minimax game is f(theta, phi) = L(theta phi) + L(0); the
    Wasserstein game has L(t) = t; the non-saturating generator's cost is -L(-theta phi). Penalties are derived from
    their one definition: R1 adds (gamma / 2) phi^2 to the discriminator's cost. Equilibrium (0, 0), unless a penalty
    pushes phi away from 0 (WGAN-GP); flow eigenvalues there -gamma/2 +- sqrt(gamma^2/4 - L'(0)^2), L'(0) = 1/2 for the
    logistic losses and 1 for Wasserstein (Mescheder et al. 2018, lemma 2.3 and 4.1), and with noise of variance v
    L''(0) v +- sqrt(L''(0)^2 v^2 - L'(0)^2), L''(0) = -1/4 (lemma 3.2).

    The unpenalised minimax and non-saturating games have the same eigenvalues, +-i/2: the first conserves
    theta^2 + phi^2 and circles, the second spirals in slowly.

    Args:
        loss: a loss, its name, or a call of one as text, such as "least_squares(-1, 1, 0)".
        penalty: one or several penalties, or calls of them as text, such as "R1(0.3)".
        noise: variance of Gaussian noise on real and fake points. Costs are expectations over it: exact where they are
            polynomials in the noise, as all derivatives at phi = 0 are, and by 32-point Gauss-Hermite rules elsewhere.
        clip: |phi| <= clip, by projection; no bound by default.

    Raises:
        ParameterError: for a loss that needs more than points (auxiliary classes), and for parameters out of range.

    Example:
        >>> import gandyn as gd
        >>> gd.games.dirac_gan(loss="wasserstein").field_exprs
        (phi, -theta)
        >>> game = gd.games.dirac_gan(noise="v")
        >>> game.jacobian_expr.subs(dict.fromkeys(game.symbols, 0))
        Matrix([
        [   0, 1/2],
        [-1/2, v/2]])
    """
    loss, penalties = resolve_loss(loss), resolve_penalties(penalty)
    if noise != 0:
        penalties = (*penalties, *resolve_penalties(_build("InstanceNoise", noise)))
    if clip is not None:
        penalties = (*penalties, *resolve_penalties(_build("WeightClipping", clip)))
    theta, phi = sympy.symbols("theta phi", real=True)
    critic = DiracCritic(theta, phi, penalties)
    distance = sympy.sqrt(critic.squared_distance(critic.real, critic.fake)) if "distance" in loss.needs else None
    batch = {"real": critic.logit(critic.real), "fake": critic.logit(critic.fake)}
    costs = [
        loss.generator_cost(**batch, mean=critic.mean, distance=distance),
        loss.discriminator(**batch, mean=critic.mean, distance=distance),
    ]
    for p in penalties:
        costs = [costs[0] + p.generator_cost(critic), costs[1] + p.cost(critic)]
    names = ", ".join(type(p).__name__ for p in penalties)
    game = SymbolicGame(
        f"Dirac-GAN with {names}" if names else "Dirac-GAN",
        costs,
        {"generator": [theta], "discriminator": [phi]},
        projection=Projection(penalties) if any(p.constrained for p in penalties) else None,
        facts=_facts(loss, penalties, theta, phi),
    )
    game.equilibria = _equilibria(game)
    return game


def _build(name: str, value: object) -> Penalty:
    from ..penalties import registry as penalties

    penalty: Penalty = penalties[name].build(value)
    return penalty


def _facts(loss: Loss, penalties: Sequence[Penalty], theta: sympy.Expr, phi: sympy.Expr) -> Facts:
    """For zero-sum costs of theta phi alone, theta v_theta + phi v_phi = 0: the flow circles."""
    circles = loss.zero_sum and loss.separable and not any(not p.constrained for p in penalties)
    return Facts(source="Mescheder et al. 2018, definition 2.1", conserved=(theta**2 + phi**2,) if circles else ())


def _equilibria(game: SymbolicGame) -> tuple[tuple[sympy.Expr, ...], ...]:
    """(0, 0), if the field tends to zero from both sides of phi = 0: at a corner its value alone means nothing."""
    theta, phi = game.symbols
    small = sympy.Dummy("small", positive=True)
    sides = ({theta: sympy.Integer(0), phi: side * small} for side in (1, -1))
    limits = [e.xreplace(side).xreplace({small: sympy.Integer(0)}) for side in sides for e in game.field_exprs]
    zero = sympy.Integer(0)
    return ((zero, zero),) if all(map(is_zero, limits)) else ()
