"""The iterated prisoner's dilemma between memory-one policies, with its discounted value and derivatives exact."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np

from .. import worlds
from ..errors import ParameterError
from ..oracles.known_facts import Facts
from ..types import Array, Batch, Game, Player
from ..worlds import NUMPY, TORCH
from . import registry

# Joint states (CC, CD, DC, DD), player 1's action first: what each player earns, and where player 2 sees them.
REWARDS = ((-1.0, -1.0), (-3.0, 0.0), (0.0, -3.0), (-2.0, -2.0))
MIRROR = (0, 1, 3, 2, 4)


class PrisonersDilemma(Game):
    """What `prisoners_dilemma` returns. Values and derivatives come from linear systems in the four joint states.

    With cooperation probabilities a_k, b_k in the five situations k (start, then the states), rows
    R_k = (ab, a(1-b), (1-a)b, (1-a)(1-b)), transition matrix P = R_{1..4} and start R_0, let U = (I - gamma P)^-1 r be
    the values of the states and z = (I - gamma P)^-T R_0 the discounted visits. Then V = R_0 U and
    dV/da_k = m_k (dR_k/da_k) U with m = (1, gamma z). Products with J differentiate this once more.
    """

    name = "iterated prisoner's dilemma"
    players = (Player("x", 5), Player("y", 5))
    worlds = frozenset({NUMPY, TORCH})

    def __init__(self, gamma: float, normalized: bool) -> None:
        self.gamma, self.scale = float(gamma), (1 - float(gamma)) if normalized else 1.0
        self.facts = Facts(
            source="Foerster et al. 2018 (LOLA), section 4.1",
            notes=(
                "Always defecting and tit-for-tat are fixed points at infinite logits only.",
                "Both defecting cost each player 2 / (1 - gamma), tit-for-tat against itself 1 / (1 - gamma).",
            ),
        )

    def _costs(self, w: Array, batch: Batch) -> tuple[Array, ...]:
        rows, state_values, _ = self._solve(*self._probabilities(w))
        total = rows[..., :1, :] @ state_values
        return tuple(-self.scale * total[..., 0, i] for i in range(2))

    def _field(self, w: Array, batch: Batch, only: int | None) -> Array:
        own = self._own(self._gradients(w))
        if only is None:
            return own
        blocks = [worlds.zeros_like(block) for block in self.split(own)]
        blocks[only] = self.split(own)[only]
        return worlds.concatenate(blocks)

    def _cost_gradients(self, w: Array, batch: Batch) -> Array:
        to_x, to_y = self._gradients(w)
        return worlds.stack([worlds.concatenate([to_x[..., i], to_y[..., i]]) for i in range(2)], axis=0)

    def _jvp(self, w: Array, u: Array, batch: Batch) -> Array:
        return self._own(self._gradients(w, u))

    def _vjp(self, w: Array, u: Array, batch: Batch) -> Array:
        unit = worlds.zeros_like(w[..., None, :]) + _constant(np.eye(self.dim), w)
        columns = self._jvp(w[..., None, :] + 0 * unit, unit, batch)
        return (columns @ u[..., None])[..., 0]

    def _own(self, gradients: tuple[Array, Array]) -> Array:
        return worlds.concatenate([gradients[0][..., 0], gradients[1][..., 1]])

    def _probabilities(self, w: Array) -> tuple[Array, Array]:
        x, y = self.split(w)
        return worlds.sigmoid(x), worlds.sigmoid(y[..., MIRROR])

    def _solve(self, a: Array, b: Array) -> tuple[Array, Array, Array]:
        """Rows R (..., 5, 4), state values U (..., 4, 2) for both players, and multipliers m (..., 5)."""
        rows = worlds.stack([a * b, a * (1 - b), (1 - a) * b, (1 - a) * (1 - b)])
        system = _constant(np.eye(4), a) - self.gamma * rows[..., 1:, :]
        solve = _solver(a)
        rewards = _constant(np.array(REWARDS), a) + 0 * system[..., :, :2]
        visits = solve(system.swapaxes(-1, -2), rows[..., 0, :, None])[..., 0]
        return rows, solve(system, rewards), worlds.concatenate([worlds.ones_like(a[..., :1]), self.gamma * visits])

    def _gradients(self, w: Array, u: Array | None = None) -> tuple[Array, Array]:
        """d cost_i / d logits of x and of y, each (..., 5, 2) with i last; with u, their change along it."""
        a, b = self._probabilities(w)
        rows, values, m = self._solve(a, b)
        slope_a, slope_b = a * (1 - a), b * (1 - b)
        by_a = worlds.stack([b, 1 - b, -b, b - 1])
        by_b = worlds.stack([a, -a, 1 - a, a - 1])
        to_a, to_b = m[..., None] * (by_a @ values), m[..., None] * (by_b @ values)
        if u is None:
            result = slope_a[..., None] * to_a, slope_b[..., None] * to_b
        else:
            move_x, move_y = self.split(u)
            da, db = slope_a * move_x, slope_b * move_y[..., MIRROR]
            mixed = _constant(np.array([1.0, -1.0, -1.0, 1.0]), a)
            moved = by_a * da[..., None] + by_b * db[..., None]
            system = _constant(np.eye(4), a) - self.gamma * rows[..., 1:, :]
            solve = _solver(a)
            dvalues = solve(system, self.gamma * (moved[..., 1:, :] @ values))
            push = moved[..., :1, :] + m[..., None, 1:] @ moved[..., 1:, :]
            dvisits = solve(system.swapaxes(-1, -2), push.swapaxes(-1, -2))[..., 0]
            dm = worlds.concatenate([worlds.zeros_like(a[..., :1]), self.gamma * dvisits])
            change = [
                dm[..., None] * (by @ values) + m[..., None] * ((mixed * other[..., None]) @ values + by @ dvalues)
                for by, other in ((by_a, db), (by_b, da))
            ]
            result = (
                slope_a[..., None] * (((1 - 2 * a) * move_x)[..., None] * to_a + change[0]),
                slope_b[..., None] * (((1 - 2 * b) * move_y[..., MIRROR])[..., None] * to_b + change[1]),
            )
        return -self.scale * result[0], -self.scale * result[1][..., MIRROR, :]


def _constant(values: np.ndarray, like: Array) -> Array:
    if worlds.world_of(like) == TORCH:
        return sys.modules["torch"].as_tensor(values, dtype=like.dtype, device=like.device)
    return values


def _solver(like: Array) -> Callable[[Array, Array], Array]:
    return sys.modules["torch"].linalg.solve if worlds.world_of(like) == TORCH else np.linalg.solve


@registry.register("prisoners_dilemma", aliases=("ipd",))
def prisoners_dilemma(gamma: float = 0.96, normalized: bool = False) -> PrisonersDilemma:
    """The iterated prisoner's dilemma between memory-one policies: five logits of cooperation for each player.

    The logits are for the first move and after (own, other) = CC, CD, DC, DD. Rewards are -1 each for CC, -2 each for
    DD, -3 for the one who cooperates alone and 0 for the other. f_i = -R_0 (I - gamma P)^-1 r_i is minus the expected
    discounted return (Foerster et al. 2018, section 4.1 and appendix A). Plain gradient play ends close to mutual
    defection, at cost 2 / (1 - gamma); opponent shaping finds tit-for-tat, at 1 / (1 - gamma).

    It lives in NumPy and torch only: on symbols the inverse of I - gamma P would put thousands of terms into every
    entry of the Jacobian. It has no equilibrium at finite logits that is known in closed form.

    Args:
        gamma: discount, at least 0 and below 1.
        normalized: multiply by 1 - gamma, the mean cost per move.

    Raises:
        ParameterError: for another discount.

    Example:
        >>> import numpy as np, gandyn as gd
        >>> game = gd.games.prisoners_dilemma(normalized=True)
        >>> [round(float(c), 6) for c in game.costs(np.full(10, -40.0))]
        [2.0, 2.0]
    """
    if not 0 <= gamma < 1:
        raise ParameterError(f"gamma={gamma!r}", "0 <= gamma < 1", "gamma=0.96")
    return PrisonersDilemma(gamma, normalized)
