"""Claims of Mescheder, Nowozin & Geiger 2017, "The numerics of GANs": step bounds and consensus optimisation."""

from __future__ import annotations

from typing import Any

from .. import games, rules
from ..types import Game
from .base import Claim, Evidence, How, Mutant, Origin, Outside, register
from .evidence import all_of, attracting, same_expressions, same_numbers, same_spectrum, singular_values


def _planted(pairs: list[tuple[int, int]], seed: int) -> tuple[Game, list[complex]]:
    """A zero-sum game whose flow has the eigenvalues -r +- i w, in tenths; the rotation that hides them by a seed."""
    values = [complex(r, sign * w) / 10 for r, w in pairs for sign in (1, -1)]
    game: Game = games.planted_quadratic(values, seed=seed)
    return game, values


def _step_bound(pairs: Any, seed: int) -> Evidence:
    """The exact critical step beside the smallest 2 |Re| / |lambda|^2 of the planted eigenvalues."""
    from ..analysis.parameters.stability import stability_region

    game, values = _planted(pairs, seed)
    bound = min(2 * value.real / abs(value) ** 2 for value in values)
    critical = float(stability_region(game, rules.SimultaneousGD("lr"), ("lr",)).critical("lr"))
    return same_numbers([critical], [bound], 1e-9)


def _pairs() -> Any:
    from hypothesis import strategies as st

    pair = st.tuples(st.integers(1, 15), st.integers(1, 30))
    return st.fixed_dictionaries({"pairs": st.lists(pair, min_size=1, max_size=2), "seed": st.integers(0, 9)})


register(
    Claim(
        name="mescheder_2017.step_bound",
        statement="Where every eigenvalue of the flow has a negative real part, simultaneous gradient steps converge "
        "locally exactly for steps below the smallest 2 |Re lambda| / |lambda|^2: rotation shrinks the step "
        "quadratically.",
        latex=r"h < \frac{1}{|\mathrm{Re}\,\lambda|}\,\frac{2}{1 + (\mathrm{Im}\,\lambda/\mathrm{Re}\,\lambda)^2}",
        source="Mescheder et al. 2017, section 3 (the eigenvalues of I + hA), on planted spectra of two and four "
        "dimensions",
        how=How.PROPERTY,
        origin=Origin.PAPER,
        conclusion=_step_bound,
        hypotheses=_pairs,
        outside=(
            Outside(
                "a real part of the wrong sign: no step converges",
                lambda: {"pairs": [(-2, 10)], "seed": 0},
                restore=lambda: {"pairs": [(2, 10)]},
            ),
        ),
        mutants=(
            Mutant("rules/gradient.py", "self.lr, w) * v", "self.lr, w) * (v + v)"),
            Mutant("oracles/symbolic.py", "costs.append(-costs[0])", "costs.append(costs[0])"),
        ),
        draws=10,
    )
)


def _consensus_spectrum(game: Game, step: float, gamma: float) -> Evidence:
    """The rule's eigenvalues beside those of I - h (J + gamma J^T J), J by the claim itself; and attraction."""
    import numpy as np

    from ..analysis.local.linearize import linearize

    jacobian = np.array(game.jacobian(np.zeros(game.dim)), dtype=float)
    regularised = jacobian + gamma * jacobian.T @ jacobian
    found = linearize(game, rules.Consensus(step, gamma)).eigenvalues
    rightmost = np.linalg.eigvals(-regularised).real.max()
    return all_of(
        Evidence(bool(rightmost < 0), f"rightmost eigenvalue of the regularised flow {rightmost:.6g}"),
        same_spectrum(found, 1 - step * np.linalg.eigvals(regularised), 1e-8),
    )


def _nash_and_weights() -> Any:
    from hypothesis import strategies as st

    from . import strategies

    nash = st.one_of(
        strategies.bilinear(), strategies.strongly_monotone(mu=0.1, condition=100), strategies.planted(normal=True)
    )
    return st.fixed_dictionaries({"game": nash, "step": strategies.steps(1), "gamma": st.floats(0.05, 2)})


register(
    Claim(
        name="mescheder_2017.consensus_stabilises",
        statement="At a local Nash equilibrium of a zero-sum game with invertible Jacobian J the flow of consensus "
        "optimisation, whose Jacobian is J + gamma J^T J, attracts for every gamma > 0, and its steps of size h have "
        "the eigenvalues 1 - h mu, mu those of J + gamma J^T J.",
        latex=r"\mathrm{Re}\,\mu > 0 \quad\text{for}\quad \mu \in \mathrm{sp}(J + \gamma J^\top J)",
        source="Mescheder et al. 2017, section 4 (the regularised vector field)",
        how=How.PROPERTY,
        origin=Origin.PAPER,
        conclusion=_consensus_spectrum,
        hypotheses=_nash_and_weights,
        outside=(
            Outside(
                "a singular game",
                lambda: {"game": games.bilinear(((1, 0), (0, 0))), "step": 0.1, "gamma": 1},
                restore=lambda: {"game": games.bilinear(((1, 0), (0, 1)))},
            ),
            Outside(
                "no equilibrium of either player",
                lambda: {"game": games.quadratic(-1, 1, -1), "step": 0.1, "gamma": 0.1},
                restore=lambda: {"game": games.quadratic(1, 1, 1)},
            ),
        ),
        mutants=(
            Mutant("rules/consensus.py", "change = v + game", "change = v - game"),
            Mutant(
                "rules/consensus.py",
                "* game.vjp(w, v, batch)\n        return game.project(w - game.per_coordinate(self.lr, w) * change)",
                "* game.jvp(w, v, batch)\n        return game.project(w - game.per_coordinate(self.lr, w) * change)",
            ),
        ),
        draws=30,
    )
)


def _consensus_on_bilinear(game: Game, gamma: Any, share: float) -> Evidence:
    """1 - h gamma sigma^2 +- i h sigma, and whether a share of the step 2 gamma / (1 + gamma^2 sigma^2) converges."""
    import numpy as np

    from ..analysis.local.linearize import linearize

    sigmas = singular_values(game)
    step = share * min(2 * float(gamma) / (1 + float(gamma) ** 2 * s**2) for s in sigmas)
    expected = [1 - step * float(gamma) * s**2 + sign * 1j * step * s for s in sigmas for sign in (1, -1)]
    rule = rules.Consensus(step, gamma)
    return all_of(same_spectrum(linearize(game, rule).eigenvalues, np.array(expected), 1e-9), attracting(game, rule))


def _bilinear_and_gamma() -> Any:
    from hypothesis import strategies as st

    from . import strategies

    return st.fixed_dictionaries(
        {"game": strategies.bilinear(), "gamma": strategies.tenths(0.1, 2), "share": st.floats(0.02, 0.99)}
    )


register(
    Claim(
        name="mescheder_2017.consensus_on_bilinear",
        statement="On nonsingular bilinear games consensus steps have the eigenvalues 1 - h gamma sigma^2 +- i h sigma "
        "and converge exactly for h < 2 gamma / (1 + gamma^2 sigma^2), for every singular value sigma.",
        latex=r"h < \frac{2\gamma}{1 + \gamma^2\sigma^2}",
        source="derived from Mescheder et al. 2017, algorithm 2 and section 3",
        how=How.PROPERTY,
        origin=Origin.DERIVED,
        conclusion=_consensus_on_bilinear,
        hypotheses=_bilinear_and_gamma,
        outside=(
            Outside(
                "a step at the bound",
                lambda: {"game": games.bilinear(), "gamma": 1, "share": 1.0},
                restore=lambda: {"share": 0.9},
            ),
            Outside(
                "a step beyond the bound",
                lambda: {"game": games.bilinear(), "gamma": 0.5, "share": 1.01},
                restore=lambda: {"share": 0.9},
            ),
        ),
        mutants=(
            Mutant("rules/consensus.py", "change = v + game", "change = v - game"),
            Mutant("rules/consensus.py", "change = v + game", "change = v + 2 * game"),
        ),
        draws=30,
    )
)


def _dirac(loss: str) -> Evidence:
    """-gamma f'(0)^2 +- i f'(0): the trace and determinant of the rule's map at the Dirac-GAN's equilibrium."""
    import sympy

    from ..dynamics.trace import update_map

    step, gamma = sympy.symbols("h gamma", positive=True)
    slope = sympy.Rational(1, 2) if loss != "wasserstein" else 1
    matrix = update_map(games.dirac_gan(loss), rules.Consensus(step, gamma)).jacobian_at([0, 0])[1]
    pull, turn = 1 - step * gamma * slope**2, step * slope
    return same_expressions([matrix.trace(), matrix.det()], [2 * pull, pull**2 + turn**2])


register(
    Claim(
        name="mescheder_2017.consensus_on_dirac",
        statement="At the equilibrium of the unregularised Dirac-GAN consensus steps have the eigenvalues "
        "1 - h gamma f'(0)^2 +- i h f'(0): the rotation stays, and a real part is added.",
        latex=r"\lambda = 1 - h\gamma f'(0)^2 \pm i h f'(0)",
        source="Mescheder et al. 2018, figure 3 (consensus), after Mescheder et al. 2017, section 4",
        how=How.PROVED,
        origin=Origin.SHARPENED,
        conclusion=lambda loss="minimax": _dirac(loss),
        outside=(Outside("another link: least squares has curvature of its own", lambda: {"loss": "least_squares"}),),
        mutants=(
            Mutant("rules/consensus.py", "change = v + game", "change = v + (1 / 2) * game"),
            Mutant("games/dirac.py", "self.slope = -weight[0, 0]", "self.slope = -2 * weight[0, 0]"),
        ),
    )
)
