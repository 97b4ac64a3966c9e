"""Claims of Arjovsky, Chintala & Bottou 2017, "Wasserstein GAN": two lines, and what a clipped critic measures."""

from __future__ import annotations

from typing import Any

from .. import games, losses
from .base import Claim, Evidence, How, Mutant, Origin, Outside, register
from .evidence import all_of, same_numbers


def _lines(apart: float) -> Evidence:
    """W1 by optimal assignment of points, JS by a discriminator of logits +-K, beside what the game says."""
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    z = (np.arange(12) + 0.5) / 12
    real, fake = np.stack([0 * z, z], -1), np.stack([0 * z + apart, z], -1)
    distance = np.linalg.norm(real[:, None] - fake[None], axis=-1)
    moved = distance[linear_sum_assignment(distance)].mean()
    minimax, logits = losses.registry["minimax"].build(), np.array([40.0])
    value = -float((minimax.real(logits) + minimax.fake(-logits))[0])  # a discriminator that tells the lines apart
    lines = games.parallel_lines()
    side = 1e-6
    slopes = [(m(apart + side) - m(apart)) / side for m in (lines.earth_mover, lines.jensen_shannon)]
    return all_of(
        same_numbers([lines.earth_mover(apart), lines.jensen_shannon(apart)], [moved, (value + np.log(4)) / 2], 1e-12),
        same_numbers([lines.jensen_shannon(apart)], [np.log(2)], 1e-15),
        same_numbers(slopes, [np.sign(apart), 0], 1e-8),
    )


def _places() -> Any:
    from hypothesis import strategies as st

    return st.fixed_dictionaries({"apart": st.floats(-3, 3).filter(lambda x: abs(x) > 1e-2)})


register(
    Claim(
        name="arjovsky_2017.parallel_lines",
        statement="Between two parallel lines at distance theta != 0 the Jensen-Shannon divergence is log 2, without "
        "any "
        "slope, while the earth mover's distance is |theta|, with slope sign(theta).",
        latex=r"W_1 = |\theta|, \qquad \mathrm{JS} = \log 2 \;(\theta \ne 0)",
        source="Arjovsky et al. 2017, example 1 and figure 1",
        how=How.PROPERTY,
        origin=Origin.PAPER,
        conclusion=_lines,
        hypotheses=_places,
        outside=(
            Outside(
                "theta = 0: the lines are one, and JS jumps to 0",
                lambda: {"apart": 0.0},
                restore=lambda: {"apart": 1.0},
            ),
        ),
        mutants=(
            Mutant("games/parallel_lines.py", "return worlds.absolute(theta)", "return theta**2"),
            Mutant("games/parallel_lines.py", "float(np.log(2))", "1.0"),
        ),
        draws=30,
    )
)


def _clipped(apart: float, bound: float, phi: float) -> Evidence:
    """The best clipped critic, its value K |theta|, and the generator's slope there beside a difference quotient."""
    import numpy as np

    lines = games.parallel_lines(lipschitz=bound)
    best = np.asarray(lines.project(np.array([apart, -10 * bound * np.sign(apart)])))
    value = float(lines.costs(best)[0])
    others = np.asarray(lines.project(np.array([apart, phi])))
    slope = float(lines.field(best)[0])
    step = 1e-6

    def worst(theta: float) -> float:
        return max(float(lines.costs(np.array([theta, p]))[0]) for p in (-bound, bound))

    quotient = (worst(apart + step) - worst(apart)) / step
    return all_of(
        same_numbers([value], [bound * abs(apart)], 1e-12),
        Evidence(bool(lines.costs(others)[0] <= value + 1e-12), "no other clipped critic does better"),
        same_numbers([slope, quotient], [bound * np.sign(apart)] * 2, 1e-7),
    )


def _clips() -> Any:
    from hypothesis import strategies as st

    place = st.floats(-3, 3).filter(lambda x: abs(x) > 1e-2)
    return st.fixed_dictionaries({"apart": place, "bound": st.floats(0.01, 3), "phi": st.floats(-9, 9)})


register(
    Claim(
        name="arjovsky_2017.clipped_critic",
        statement="On the parallel lines the best linear critic with weights clipped to K has the value K W1 = K "
        "|theta|, "
        "and the generator's gradient against it is that of K W1: it never vanishes away from theta = 0.",
        latex=r"\max_{|\varphi| \le K} f(\theta, \varphi) = K\,|\theta|, \qquad \nabla_\theta K W_1 = "
        r"K\,\mathrm{sign}(\theta)",
        source="Arjovsky et al. 2017, equation 2, theorem 3 (the envelope) and algorithm 1, on example 1",
        how=How.PROPERTY,
        origin=Origin.SHARPENED,
        conclusion=_clipped,
        hypotheses=_clips,
        outside=(
            Outside(
                "theta = 0: the value has a corner",
                lambda: {"apart": 0.0, "bound": 1.0, "phi": 0.5},
                restore=lambda: {"apart": 1.0},
            ),
        ),
        mutants=(
            Mutant("games/parallel_lines.py", "[-theta * phi, theta * phi]", "[theta * phi, -theta * phi]"),
            Mutant("games/parallel_lines.py", "(-lipschitz, lipschitz)", "(-lipschitz / 2, lipschitz / 2)"),
        ),
        draws=30,
    )
)
