"""What a penalty is: a term, a projection or a change of what the discriminator sees, defined once for every world.

A penalty speaks to the discriminator through a `Critic`. The Dirac-GAN's critic holds SymPy expressions and a GAN's
holds batches of tensors, so each specialisation is derived from the one definition and never retyped.
"""

from __future__ import annotations

import abc
import math
from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

from .. import worlds
from ..lazy import sympy
from ..parameters import read_fields
from ..worlds import Array, is_symbolic, number


class Critic(Protocol):
    """The discriminator as a penalty sees it."""

    # real, fake: points of data and samples, after every penalty's `perturb`: expressions, or tensors (N, ...)
    real: Any
    fake: Any
    # the discriminator's weights with two or more dimensions, the first being the output; no biases
    weights: Sequence[Array]

    def logit(self, points: Array) -> Array:
        """s(x) for each of the points: (N,)."""

    def squared_slope(self, points: Array) -> Array:
        """|grad_x s(x)|^2 for each of the points: (N,), differentiable in the discriminator's weights."""

    def squared_distance(self, points: Array, others: Array) -> Array:
        """|x - y|^2 for each pair of points: (N,)."""

    def deviation(self, points: Array) -> Array:
        """Standard deviation over all points and coordinates: one number."""

    def mean(self, values: Array) -> Array:
        """Expectation over points, and over the randomness drawn below."""

    def uniform(self, like: Array, per_point: bool = False) -> Array:
        """Fresh uniforms on [0, 1] of the shape of `like`; `per_point`: one for each point, broadcast to its shape.

        Fixed by the batch token: the same calls in the same order give the same numbers. So for `normal`.
        """

    def normal(self, like: Array) -> Array:
        """Fresh standard normals of the shape of `like`."""

    def reconstruct(self, points: Array) -> Array:
        """G(E(x)), where the game has an encoder E."""


class Penalty:
    """Regularises the discriminator by any of five hooks; each does nothing unless a subclass says otherwise.

    Parameters may be numbers, SymPy expressions, or names of free positive parameters.

    Attributes:
        constrained: `project` is not the identity.
        stochastic: it draws random numbers from the critic.
    """

    constrained: ClassVar[bool] = False
    stochastic: ClassVar[bool] = False

    def __post_init__(self) -> None:
        read_fields(self)

    @property
    def bounds(self) -> tuple[Any, Any] | None:
        """(low, high) where `project` clips every parameter to one interval; None where it does something else."""
        return None

    def cost(self, critic: Critic) -> Array | int:
        """The term added to the discriminator's cost."""
        return 0

    def generator_cost(self, critic: Critic) -> Array | int:
        """The term added to the generator's cost."""
        return 0

    def perturb(self, points: Array, critic: Critic) -> Array:
        """The points, real or fake, as the discriminator is to see them, in the loss and in every penalty."""
        return points

    def project(self, parameters: Array) -> Array:
        """The discriminator's parameters, a vector (..., d), brought back to the feasible set by `game.project`."""
        return parameters

    def transform(self, weight: Array) -> Array:
        """A weight of two or more dimensions as the logit is to use it."""
        return weight


class GradientPenalty(Penalty, abc.ABC):
    """E h(|grad_x s(x)|^2) over points that a subclass chooses, h being its own too."""

    @abc.abstractmethod
    def points(self, critic: Critic) -> Array:
        """Where the slope is taken."""

    @abc.abstractmethod
    def value(self, squared_slope: Array) -> Array:
        """h, elementwise."""

    def cost(self, critic: Critic) -> Array:
        """E h(|grad_x s|^2)."""
        return critic.mean(self.value(critic.squared_slope(self.points(critic))))


def interpolates(critic: Critic) -> Array:
    """real + u (fake - real), one uniform u for each pair."""
    return critic.real + critic.uniform(critic.real, per_point=True) * (critic.fake - critic.real)


def length(squared: Array) -> Array:
    """The square root, with slope 0 instead of infinity at 0, where autograd would make nan of the whole gradient."""
    if worlds.world_of(squared) != worlds.TORCH:
        return worlds.sqrt(squared)
    ones = worlds.ones_like(squared)
    above = worlds.positive(squared)
    return worlds.sqrt(worlds.where(above, squared, ones)) * worlds.where(above, ones, 0 * ones)


def root(value: float | sympy.Expr, like: Array) -> float | sympy.Expr:
    """The square root of a parameter, exact beside symbols."""
    value = number(value, like)
    return worlds.sqrt(value) if is_symbolic(value) else math.sqrt(value)
