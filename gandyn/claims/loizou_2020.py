"""Claims of Loizou et al. 2020, "Stochastic Hamiltonian gradient methods for smooth games"."""

from __future__ import annotations

from hypothesis import strategies as st

from .. import analysis, games, rules
from .declare import Evidence, Paper, drawn, fails, formula
from .evidence import all_of, same_numbers

loizou = Paper("loizou_2020")


@loizou.says("Loizou et al. 2020, section 3: the unbiased estimator of the Hamiltonian's gradient")
@formula(r"\mathbb{E}\,\tfrac12\big(J_i^\top v_j + J_j^\top v_i\big) = J^\top v \implies \mathbb{E}\,w_\infty = w^*")
@drawn(6, seed=st.integers(0, 40), step=st.floats(0.005, 0.02))
@fails("one batch for both factors", lambda: {"seed": 0, "step": 0.02, "fresh": False})
def two_batches_are_unbiased(seed: int, step: float, fresh: bool = True) -> Evidence:
    """Stochastic Hamiltonian gradient steps with two independent summands settle, for small constant steps, to a law
    whose mean is the saddle of the whole sum.
    """
    game = games.stochastic_bilinear(size=1, summands=4, seed=seed)
    found = analysis.stationary(game, rules.HamiltonianGradient(step, fresh=fresh))
    return all_of(
        Evidence(bool(found.exists), found.reason),
        same_numbers(found.mean, [float(x) for x in game.equilibria[0]], 1e-10),
    )
