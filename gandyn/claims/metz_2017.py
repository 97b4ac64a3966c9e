"""Claims of Metz, Poole, Pfau & Sohl-Dickstein 2017, "Unrolled generative adversarial networks"."""

from __future__ import annotations

from typing import Any

from .. import games, rules
from ..games.quadratic import quadratic
from .base import Claim, Evidence, How, Mutant, Origin, Outside, register
from .evidence import all_of, same_numbers

DEPTHS = (0, 1, 2, 4, 8)


def _tends_to_best_response(a: float, b: float, c: float, share: float, point: Any) -> Evidence:
    """The unrolled direction of player 1 less the slope of max_y f, beside b (1 - e c)^2k (y - b x / c)."""
    import numpy as np

    game, (x, y) = quadratic(a, b, c), point
    best, w = (a + b * b / c) * x, np.array(point, dtype=float)
    apart = []
    for k in DEPTHS:
        moved = rules.Unrolled(1.0, k, share / c).step(game, w, rules.Unrolled(1.0, k).init(game, w))[0]
        apart.append(float(w[0] - moved[0]) - best)
    expected = [b * (1 - share) ** (2 * k) * (y - b * x / c) for k in DEPTHS]
    return all_of(
        same_numbers(apart, expected, 1e-9),
        Evidence(abs(apart[-1]) < abs(apart[0]), f"{apart[0]:.3g} to {apart[-1]:.3g}"),
    )


def _quadratics() -> Any:
    from hypothesis import strategies as st

    curvature, number = st.floats(0.2, 3), st.floats(0.1, 2)
    return st.fixed_dictionaries({
        "a": curvature, "b": number, "c": curvature, "share": st.floats(0.05, 1.9),
        "point": st.tuples(number, number.map(lambda value: -value)),
    })  # fmt: skip


register(
    Claim(
        name="metz_2017.between_gradient_and_best_response",
        statement=(
            "On strongly convex-concave quadratic games unrolling leads from the simultaneous gradient (k = 0) "
            "to the slope of "
            "max_y f (k to infinity), for inner steps e < 2/c: the rest is b (1 - e c)^(2k) (y - b x / c)."
        ),
        latex=(
            r"\tfrac{d}{dx} f(x, y_k(x)) = \big(a + \tfrac{b^2}{c}\big)x + b\,(1 - e c)^{2k}\big(y - "
            r"\tfrac{b}{c}x\big)"
        ),
        source="Metz et al. 2017, section 2.2 (equations 5 to 8 and the limits below them); the rest derived here",
        how=How.PROPERTY,
        origin=Origin.SHARPENED,
        conclusion=_tends_to_best_response,
        hypotheses=_quadratics,
        outside=(
            Outside(
                "inner steps beyond 2/c",
                lambda: {"a": 1.0, "b": 1.0, "c": 1.0, "share": 2.1, "point": (1.0, -1.0)},
                restore=lambda: {"share": 1.5},
            ),
        ),
        mutants=(
            Mutant(
                "rules/unrolled.py",
                "g - pulled[..., first], adjoint - pulled[..., second]",
                "g, adjoint - pulled[..., second]",
            ),
        ),
        draws=30,
    )
)


def _settles(k: int = 10) -> Evidence:
    """Whether the generator's point still moves after 800 steps."""
    import numpy as np

    from ..dynamics.iterate import iterate

    game = games.unrolled_toy()
    rule = rules.Unrolled(0.2, k, 0.2)
    theta = np.asarray(iterate(game, rule, game.facts.starts[0], 800, kernel="eager").w)[-200:, 0]
    return Evidence(float(np.ptp(theta)) < 1e-3, f"from {theta.min():.4f} to {theta.max():.4f} in the last 200 steps")


register(
    Claim(
        name="metz_2017.no_more_hopping",
        statement=(
            "A generator of one point that hops between two modes for ever comes to rest when it sees enough "
            "discriminator steps ahead."
        ),
        latex=r"\theta_{t+1} = \theta_t - \eta\,\tfrac{d}{d\theta} f(\theta, \varphi_k(\theta, \varphi_t))",
        source="Metz et al. 2017, section 3.1 and figure 1, in a toy of the same kind",
        how=How.REPRODUCED,
        origin=Origin.SHARPENED,
        conclusion=_settles,
        outside=(Outside("nothing is unrolled", lambda: {"k": 0}),),
        mutants=(Mutant("rules/unrolled.py", "for _ in range(self.k):", "for _ in range(0):"),),
    )
)
