"""Theorem 4.1 of Mescheder et al. 2018 and theorem 3.1 of Nagarajan & Kolter 2017 on GANs in general position."""

from __future__ import annotations

from typing import Any

from .. import rules
from .base import Claim, Evidence, How, Mutant, Origin, Outside, register
from .evidence import all_of, same_numbers
from .feature_gans import STRICT, curvatures, draws, feature_gan

SLOPES = {"minimax": (0.5, 0.5), "nonsaturating": (0.5, 0.5), "wasserstein": (1.0, 0.0)}


def _attracts(points: Any, sizes: tuple[int, int], loss: str, gamma: float = 0.0) -> Evidence:
    """J = [[0, -K'^T], [K', c K_DD + gamma L_DD]] by sums; the flow and short steps of both kinds attract."""
    import numpy as np

    from ..analysis.local.linearize import linearize

    features, moves = sizes
    game = feature_gan(points, features, moves, loss, gamma)
    j = np.array(game.jacobian(np.zeros(game.dim)), dtype=float)
    own, slope, coupling = curvatures(points, features, moves)
    values = np.linalg.eigvals(j)
    if float(values.real.min()) <= 1e-9 * float(np.abs(values).max()):
        return Evidence(False, f"an eigenvalue of the flow has the real part {-values.real.min():.3g}")
    step = 0.02 * float((2 * values.real / np.abs(values) ** 2).min())
    radii = [float(np.abs(np.linalg.eigvals(linearize(game, r(step)).matrix)).max()) for r in RULES]
    _, curvature = SLOPES[loss]
    return all_of(
        Evidence(max(radii) < 1, f"spectral radii {radii[0]:.10f} at once, {radii[1]:.10f} in turn"),
        same_numbers(j[moves:, moves:], curvature * own + gamma * slope, 1e-9),
        same_numbers(np.abs(j[moves:, :moves]), SLOPES[loss][0] * np.abs(coupling), 1e-9),
    )


RULES = (rules.SimultaneousGD, rules.AlternatingGD)


def _full_rank(points: Any, sizes: tuple[int, int], **_: Any) -> bool:
    """K_DG of full column rank and L_DD, K_DD positive definite, by a margin."""
    import numpy as np

    own, slope, coupling = curvatures(points, *sizes)
    least = float(np.linalg.svd(coupling, compute_uv=False)[-1]) if coupling.size else 0.0
    return least > 0.05 and min(np.linalg.eigvalsh(own)[0], np.linalg.eigvalsh(slope)[0]) > 1e-3


def _penalised() -> Any:
    from hypothesis import strategies as st

    return draws(("minimax", "nonsaturating", "wasserstein"), gamma=st.sampled_from([0.1, 0.5, 2.0, 10.0]))


WANTED = {"points": (0.5, -1.0, 1.2), "sizes": (2, 2)}

register(
    Claim(
        name="mescheder_2018.r1_in_general",
        statement=(
            "With R1 of any weight gamma > 0 an equilibrium where the generator's points are the data and D is "
            "constant attracts, also with the Wasserstein loss, under short simultaneous or alternating steps, "
            "provided E grad_w D' grad_w D'^T is positive definite and K_DG has full column rank."
        ),
        latex=r"J = \begin{pmatrix} 0 & -K_{DG}^\top \\ K_{DG} & K_{DD} + \gamma L_{DD} \end{pmatrix}",
        source="Mescheder et al. 2018, theorem 4.1, on finite data and discriminators linear in their parameters",
        how=How.PROPERTY,
        origin=Origin.PAPER,
        conclusion=_attracts,
        hypotheses=_penalised,
        where=_full_rank,
        outside=(
            Outside(
                "no penalty, with a loss that does not bend: it circles",
                lambda: {**WANTED, "loss": "wasserstein", "gamma": 0.0},
                restore=lambda: {"gamma": 0.5},
            ),
            Outside(
                "K_DG has no full column rank: two moves against one feature",
                lambda: {"points": (0.5, -1.0, 1.2), "sizes": (1, 2), "loss": "minimax", "gamma": 0.5},
                restore=lambda: {"sizes": (2, 2)},
            ),
        ),
        mutants=(
            Mutant(
                "rules/gradient.py",
                "w - game.per_coordinate(self.lr, w) * v",
                "w + game.per_coordinate(self.lr, w) * v",
            ),
            Mutant("losses/logistic.py", "return worlds.softplus(s)", "return worlds.softplus(s) / 2"),
        ),
        draws=6,
    )
)


register(
    Claim(
        name="nagarajan_2017.in_general",
        statement=(
            "Without a penalty an equilibrium where the generator's points are the data and D is constant attracts, "
            "exponentially, where the loss bends (f'' < 0 at 0), K_DD is positive definite and K_DG has full column "
            "rank, although the generator's cost has no curvature of its own."
        ),
        latex=r"J = \begin{pmatrix} 0 & -K_{DG}^\top \\ K_{DG} & K_{DD} \end{pmatrix}, \quad K_{DD} \succ 0",
        source="Nagarajan & Kolter 2017, theorem 3.1, on finite data and discriminators linear in their parameters",
        how=How.PROPERTY,
        origin=Origin.PAPER,
        conclusion=_attracts,
        hypotheses=lambda: draws(STRICT),
        where=_full_rank,
        outside=(
            Outside(
                "the loss does not bend: Wasserstein",
                lambda: {**WANTED, "loss": "wasserstein"},
                restore=lambda: {"loss": "minimax"},
            ),
            Outside(
                "K_DG has no full column rank: two moves against one feature",
                lambda: {"points": (0.5, -1.0, 1.2), "sizes": (1, 2), "loss": "minimax"},
                restore=lambda: {"sizes": (2, 2)},
            ),
        ),
        mutants=(
            Mutant("losses/logistic.py", "return worlds.softplus(s)", "return worlds.softplus(s) / 2"),
            Mutant(
                "rules/gradient.py",
                "w - game.per_coordinate(self.lr, w) * v",
                "w + game.per_coordinate(self.lr, w) * v",
            ),
        ),
        draws=6,
    )
)
