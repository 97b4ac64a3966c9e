"""What a penalty is: a cost added to the discriminator's, defined once through a critic that any world provides."""

from __future__ import annotations

import abc
from typing import Any, Protocol


class Critic(Protocol):
    """The discriminator's logit as a penalty sees it: points of data and samples, and its slope at any point.

    A SymPy critic holds expressions and differentiates them; a network critic holds batches and uses autograd.
    """

    real: Any
    fake: Any

    def squared_slope(self, points: Any) -> Any:
        """|grad_x s(x)|^2 for each of the points."""

    def mean(self, values: Any) -> Any:
        """Expectation over points."""


class Penalty(abc.ABC):
    """A term of the discriminator's cost. `gamma` may be a number, a SymPy expression, or a free parameter's name."""

    @abc.abstractmethod
    def cost(self, critic: Critic) -> Any:
        """The term, for a critic of any world."""


class GradientPenalty(Penalty):
    """E h(|grad_x s(x)|^2) over points that a subclass chooses, h being its own too."""

    @abc.abstractmethod
    def points(self, critic: Critic) -> Any:
        """Where the slope is taken."""

    @abc.abstractmethod
    def value(self, squared_slope: Any) -> Any:
        """h, elementwise."""

    def cost(self, critic: Critic) -> Any:
        """E h(|grad_x s|^2)."""
        return critic.mean(self.value(critic.squared_slope(self.points(critic))))
