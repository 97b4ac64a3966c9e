"""Two parallel lines, for which Jensen-Shannon is flat and earth mover is not (Arjovsky et al. 2017)."""

from __future__ import annotations

import numpy as np

from .. import worlds
from ..errors import ParameterError
from ..lazy import sympy
from ..oracles.known_facts import Facts
from ..oracles.projections import Box
from ..oracles.symbolic import SymbolicGame
from ..types import Array
from . import registry


class ParallelLines(SymbolicGame):
    """What `parallel_lines` returns: the game, and the divergences between the lines in closed form."""

    def earth_mover(self, theta: Array) -> Array:
        """W1 = |theta|: every point moves straight across."""
        return worlds.absolute(theta)

    def jensen_shannon(self, theta: Array) -> Array:
        """log 2 nats for theta != 0, and 0 at 0."""
        return self._apart(theta, float(np.log(2)))

    def total_variation(self, theta: Array) -> Array:
        """1 for theta != 0, and 0 at 0."""
        return self._apart(theta, 1.0)

    def kullback_leibler(self, theta: Array) -> Array:
        """Infinite for theta != 0, and 0 at 0."""
        return self._apart(theta, float("inf"))

    @staticmethod
    def _apart(theta: Array, value: float) -> Array:
        return np.where(np.asarray(theta, dtype=float) == 0, 0.0, value)


@registry.register("parallel_lines")
def parallel_lines(lipschitz: float = 1) -> ParallelLines:
    """f(theta, phi) = -theta phi with |phi| <= K: real points (0, z), fake points (theta, z), z uniform on [0, 1].

    The critic is D(x) = phi x_1, high on real data, so f = E D(real) - E D(fake). Among K-Lipschitz critics a linear
    one is optimal: max_phi f = K |theta|, K times the earth mover's distance, whose slope leads the generator home.
    The optimal unrestricted discriminator tells the lines apart perfectly for every theta != 0: the Jensen-Shannon
    divergence is log 2 there, with slope zero (Arjovsky, Chintala & Bottou 2017, example 1). The game has methods
    `earth_mover`, `jensen_shannon`, `total_variation` and `kullback_leibler`.

    Args:
        lipschitz: K, the bound that projection keeps phi to.

    Raises:
        ParameterError: unless K is positive.

    Example:
        >>> import gandyn as gd
        >>> lines = gd.games.parallel_lines()
        >>> lines.jensen_shannon([-1.0, 0.0, 0.01]).round(4).tolist()
        [0.6931, 0.0, 0.6931]
    """
    if not lipschitz > 0:
        raise ParameterError(f"lipschitz={lipschitz!r}", "a positive number", "lipschitz=1")
    theta, phi = sympy.symbols("theta phi", real=True)
    players = {"generator": [theta], "discriminator": [phi]}
    facts = Facts(
        source="Arjovsky, Chintala & Bottou 2017, example 1",
        flow_eigenvalues=((sympy.I, -sympy.I),),
        starts=((1.0, 0.0),),
    )
    projection = Box((None, (-lipschitz, lipschitz)))
    return ParallelLines("parallel lines", [-theta * phi, theta * phi], players, [(0, 0)], projection, facts)
