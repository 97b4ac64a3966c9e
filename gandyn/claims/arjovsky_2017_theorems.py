"""Theorems 1 and 2 of Arjovsky, Chintala & Bottou 2017: what is continuous, and which convergence implies which."""

from __future__ import annotations

from typing import Any

from .base import Claim, Evidence, How, Mutant, Origin, Outside, register
from .evidence import all_of


def _lipschitz(real: Any, base: Any, moves: Any, theta: Any, rough: bool = False) -> Evidence:
    """|W(theta) - W(theta')| <= E |g_theta - g_theta'| <= E |dg/dtheta| |theta - theta'|, W by optimal pairing."""
    import numpy as np

    from ..gans.metrics.transport import wasserstein

    x, z, b = (np.array(v, dtype=float) for v in (real, base, moves))

    def made(t: float) -> Any:
        return z + np.tanh(t) * b + (rough and t > 0) * 2.0

    def distance(points: Any) -> float:
        return float(wasserstein(x, points).value)

    first, second = (made(t) for t in theta)
    apart = abs(distance(first) - distance(second))
    moved = float(np.linalg.norm(first - second, axis=-1).mean())
    bound = float(np.linalg.norm(b, axis=-1).mean()) * abs(theta[0] - theta[1])
    return all_of(
        Evidence(apart <= bound + 1e-6, f"W changes by {apart:.5g}, at most {bound:.5g}"),
        Evidence(apart <= moved + 1e-6, f"and at most by the mean move {moved:.5g}"),
    )


def _moving() -> Any:
    from hypothesis import strategies as st

    pair = st.tuples(st.floats(-2, 2), st.floats(-2, 2))
    points = st.lists(pair, min_size=4, max_size=4)
    theta = st.tuples(st.floats(-1, 1), st.floats(-1, 1)).filter(lambda t: abs(t[0] - t[1]) > 1e-2)
    return st.fixed_dictionaries({"real": points, "base": points, "moves": points, "theta": theta})


SQUARE = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)]

register(
    Claim(
        name="arjovsky_2017.wasserstein_is_continuous",
        statement=(
            "If the generator is Lipschitz in theta, so is W1(data, generator), with the mean Lipschitz constant: "
            "continuous everywhere and differentiable almost everywhere. JS is neither, as parallel lines show."
        ),
        latex=r"|W(P, P_\theta) - W(P, P_{\theta'})| \le \mathbb{E}\,\|g_\theta(z) - g_{\theta'}(z)\| "
        r"\le \bar L\,|\theta - \theta'|",
        source="Arjovsky et al. 2017, theorem 1 (points 1 and 2; point 3 is the claim parallel_lines)",
        how=How.PROPERTY,
        origin=Origin.PAPER,
        conclusion=_lipschitz,
        hypotheses=_moving,
        outside=(
            Outside(
                "the generator jumps at theta = 0",
                lambda: {
                    "real": SQUARE, "base": SQUARE, "moves": [(0.1, 0.0)] * 4, "theta": (-0.1, 0.1), "rough": True,
                },
            ),
        ),
        mutants=(
            Mutant("gans/metrics/transport.py", "float(pairs.mean()) ** (1 / order)", "float(pairs.sum()) ** 2"),
        ),
        draws=20,
    )
)  # fmt: skip


def _ordered(p: Any, q: Any, places: Any, pinsker: float = 0.5) -> Evidence:
    """W <= diam TV, TV^2/2 <= JS <= log 2 TV, TV^2 <= KL/2: KL -> 0 forces JS and TV to 0, and they force W."""
    import numpy as np
    from scipy.stats import wasserstein_distance

    from ..losses.divergences import JENSEN_SHANNON, KL, TOTAL_VARIATION

    a, b, x = (np.array(v, dtype=float) for v in (p, q, places))
    a, b = a / a.sum(), b / b.sum()
    variation, js, kl = (float(d.between(a, b)) for d in (TOTAL_VARIATION, JENSEN_SHANNON, KL))
    moved, diameter = float(wasserstein_distance(x, x, a, b)), float(np.ptp(x))
    slack = 1e-12
    return all_of(
        Evidence(moved <= diameter * variation + slack, f"W {moved:.4g} at most diam TV {diameter * variation:.4g}"),
        Evidence(variation**2 / 2 <= js + slack, f"TV^2/2 {variation**2 / 2:.4g} at most JS {js:.4g}"),
        Evidence(js <= np.log(2) * variation + slack, f"JS at most log 2 TV {np.log(2) * variation:.4g}"),
        Evidence(variation**2 <= pinsker * kl + slack, f"TV^2 {variation**2:.4g} at most KL/2 {kl / 2:.4g}"),
    )


def _histograms() -> Any:
    from hypothesis import strategies as st

    weights = st.lists(st.floats(1e-3, 1), min_size=4, max_size=4)
    places = st.lists(st.floats(-3, 3), min_size=4, max_size=4, unique=True)
    return st.fixed_dictionaries({"p": weights, "q": weights, "places": places})


register(
    Claim(
        name="arjovsky_2017.order_of_topologies",
        statement=(
            "On a compact set convergence in KL implies convergence in total variation, which is convergence in JS, "
            "and that implies convergence in W1; here by W1 <= diam TV, TV^2/2 <= JS <= log 2 TV, TV^2 <= KL/2."
        ),
        latex=r"W_1 \le \mathrm{diam}\,\mathrm{TV},\ \tfrac12\mathrm{TV}^2 \le \mathrm{JS} \le \log 2\,\mathrm{TV},"
        r"\quad \mathrm{TV}^2 \le \tfrac12\mathrm{KL}",
        source="Arjovsky et al. 2017, theorem 2 (points 1 to 4), with constants; the last is Pinsker's inequality",
        how=How.PROPERTY,
        origin=Origin.SHARPENED,
        conclusion=_ordered,
        hypotheses=_histograms,
        outside=(
            Outside(
                "a constant smaller than Pinsker's 1/2",
                lambda: {
                    "p": (0.5, 0.5, 1e-9, 1e-9),
                    "q": (0.51, 0.49, 1e-9, 1e-9),
                    "places": (0, 1, 2, 3),
                    "pinsker": 0.4,
                },
            ),
        ),
        mutants=(
            Mutant("losses/divergences.py", "(_kl(p, middle) + _kl(q, middle)) / 2", "_kl(p, middle) + _kl(q, middle)"),
            Mutant("losses/divergences.py", "worlds.absolute(p - q) / 2", "worlds.absolute(p - q)"),
        ),
        draws=40,
    )
)
