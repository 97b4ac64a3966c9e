"""What a GAN loss is: three scalar link functions of the discriminator's logit s, which is high on real data."""

from __future__ import annotations

import abc
import dataclasses
from typing import Any, ClassVar


@dataclasses.dataclass(frozen=True)
class Loss(abc.ABC):
    """Costs per logit, in any world (a SymPy expression, a NumPy array, a torch tensor).

    The discriminator minimises E real(s(x)) over data plus E fake(s(x)) over samples. The generator minimises
    E generator(s(x)) over samples, and in the zero-sum case the whole of minus the discriminator's cost.
    """

    zero_sum: ClassVar[bool] = False

    @abc.abstractmethod
    def real(self, s: Any) -> Any:
        """The discriminator's cost of a real point with logit s."""

    @abc.abstractmethod
    def fake(self, s: Any) -> Any:
        """The discriminator's cost of a fake point with logit s."""

    @abc.abstractmethod
    def generator(self, s: Any) -> Any:
        """The generator's cost of a fake point with logit s."""
