"""Claims of Yong, Huang, Hua & Zhang 2020, "Gradient centralization"."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from .. import rules
from ..errors import DomainError
from ..types import Array, Batch, Game, Player, Rule
from ..worlds import NUMPY
from .declare import Evidence, Paper, drawn, fails, formula

yong = Paper("yong_2020")
ROWS = 3, 4


class Layer(Game):
    """Two players with a weight matrix and a bias each, and an affine field that couples all of it.

    Args:
        seed: of the field's coefficients.
    """

    name = "two layers"
    worlds = frozenset({NUMPY})
    players = (Player("generator", 15), Player("discriminator", 15))
    tensor_shapes = ((ROWS, (3,)), (ROWS, (3,)))

    def __init__(self, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.matrix, self.shift = rng.normal(size=(self.dim, self.dim)) / 5, rng.normal(size=self.dim)

    def _field(self, w: Array, batch: Batch, only: int | None) -> Array:
        v = w @ self.matrix.T + self.shift
        if only is None:
            return v
        kept = 0 * v
        kept[..., self.slices[only]] = v[..., self.slices[only]]
        return kept

    def _costs(self, w: Array, batch: Batch) -> tuple[Array, ...]:
        """The field is no gradient: there are none."""
        raise DomainError(f"the costs of {self.name}", "a game that has costs", "ask for the field")

    def means(self, w: Array) -> Array:
        """The mean of every row of both matrices, (..., 2, 3)."""
        return np.stack([w[..., own][..., :12].reshape(*w.shape[:-1], *ROWS).mean(-1) for own in self.slices], -2)


@yong.says("Yong et al. 2020, section 4.2 (weight space regularisation) and equation 5")
@formula(
    r"\hat g = g - \tfrac1n \mathbf{1}\mathbf{1}^\top g \;\Rightarrow\; \mathbf{1}^\top w_{t+1} = "
    r"\mathbf{1}^\top w_t"
)
@drawn(
    30,
    rule=(
        st.floats(0.001, 0.05).map(rules.SimultaneousGD)
        | st.builds(rules.SGDM, st.floats(0.001, 0.05), st.floats(0, 0.95))
        | st.builds(rules.HeavyBall, st.floats(0.001, 0.05), st.floats(-0.5, 0.9))
    ).map(rules.GradientCentralization),
    seed=st.integers(0, 99),
)
@fails(
    "Adam scales the coordinates one by one",
    lambda: {"rule": rules.GradientCentralization(rules.Adam(0.01)), "seed": 0},
    rule=rules.GradientCentralization(rules.SGDM(0.01, 0.9)),
)
def means_stay(rule: Rule, seed: int) -> Evidence:
    """Gradient centralisation constrains the weights to a hyperplane: under SGD, with momentum or without, the mean of
    each output's weights keeps its initial value, while biases move.
    """
    game = Layer(seed)
    w = start = np.random.default_rng(seed + 1).normal(size=game.dim)
    state = rule.init(game, w)
    for _ in range(20):
        w, state, _ = rule.step(game, w, state)
    means = float(np.abs(game.means(w) - game.means(start)).max())
    moved = float(np.abs(w - start).max())
    return Evidence(means < 1e-12 and moved > 1e-3, f"means moved by {means:.1e}, weights by {moved:.3g}")
