"""Claims of Grnarova et al. 2019, "A domain agnostic measure for monitoring and evaluating GANs"."""

from __future__ import annotations

from typing import Any

from .. import games
from ..games.quadratic import quadratic
from ..types import Game
from .base import Claim, Evidence, How, Mutant, Origin, Outside, register


def _zero_at_equilibria(game: Game, point: Any, method: str = "exact", **how: Any) -> Evidence:
    import numpy as np

    from ..analysis.gap.measure import duality_gap

    there = float(duality_gap(game, np.zeros(game.dim), method, **how).value)
    here = float(duality_gap(game, np.resize(point, game.dim), method, **how).value)
    return Evidence(there == 0 and here > 0, f"{there:.6g} at the equilibrium, {here:.6g} at {point}")


def _strongly_monotone() -> Any:
    from hypothesis import strategies as st

    from . import strategies

    number = st.floats(-2, 2).filter(lambda value: abs(value) > 1e-3)
    return st.fixed_dictionaries({"game": strategies.strongly_monotone(size=1), "point": st.tuples(number, number)})


register(
    Claim(
        name="grnarova_2019.nonnegative",
        statement=(
            "The duality gap is never negative, and zero exactly at equilibria (strongly convex-concave "
            "quadratic games)."
        ),
        latex=r"\mathrm{DG}(x, y) = \max_{y'} f(x, y') - \min_{x'} f(x', y) \ge 0",
        source="Grnarova et al. 2019, section 3.1 (definition of the duality gap and the lines below it)",
        how=How.PROPERTY,
        origin=Origin.PAPER,
        conclusion=_zero_at_equilibria,
        hypotheses=_strongly_monotone,
        outside=(
            Outside(
                "an estimate by inner steps beyond 2 / L, which can be negative",
                lambda: {
                    "game": quadratic(1, 0.5, 1), "point": (1.0, 1.0),
                    "method": "gradient", "k": 6, "inner_lr": 2.5,
                }, restore=lambda: {"inner_lr": 0.5}),
        ),
        mutants=(Mutant("analysis/gap/exact.py", "(inverse * along**2).sum", "-(inverse * along**2).sum"),),
        draws=30,
    )
)  # fmt: skip


def _above_jensen_shannon(data: Any, fake: Any, logits: Any, able: bool = True) -> Evidence:
    """Gap of a generator's density against a discriminator's logits, beside 2 JS; equality at logits 0.

    The best discriminator has logits log d/p. The generator's best answer puts its mass where the logit is largest, or,
    if it is not able to move, stays where it is.
    """
    import numpy as np

    from ..losses.divergences import JENSEN_SHANNON

    d, p, s = (np.array(v, dtype=float) for v in (data, fake, logits))
    d, p = d / d.sum(), p / p.sum()
    game = games.density_game([*map(float, d)])

    def value(density: Any, chosen: Any) -> float:
        return float(game.costs(np.concatenate([density, chosen]))[0])

    def gap(chosen: Any) -> float:
        answer = np.eye(len(d))[int(np.argmax(chosen))] if able else p
        return value(p, np.log(d / p)) - value(answer, chosen)

    bound, here, flat = 2 * float(JENSEN_SHANNON.between(d, p)), gap(s), gap(0 * s)
    holds = here >= bound - 1e-12 and abs(flat - bound) <= 1e-12
    return Evidence(holds, f"gap {here:.9g}, {flat:.9g} at logits 0, 2 JS {bound:.9g}")


def _densities() -> Any:
    from hypothesis import strategies as st

    # Powers of two make probability vectors whose sum is exactly 1.
    data = st.sampled_from([(1, 1), (3, 1), (1, 1, 2), (2, 1, 4, 1), (5, 1, 1, 1)])
    return data.flatmap(
        lambda d: st.fixed_dictionaries({
            "data": st.just(d),
            "fake": st.tuples(*[st.floats(0.05, 1)] * len(d)),
            "logits": st.tuples(*[st.floats(-3, 3)] * len(d)),
        })
    )  # fmt: skip


register(
    Claim(
        name="grnarova_2019.above_divergence",
        statement=(
            "For the minimax GAN with unrestricted players the duality gap is at least twice the Jensen-Shannon "
            "divergence of "
            "data and generator, whatever the discriminator; with equality at D = 1/2."
        ),
        latex=r"\mathrm{DG}(p, D) \ge 2\,\mathrm{JS}(d, p)",
        source=(
            "Grnarova et al. 2019, theorem 1 (the gap bounds the divergence from above); factor 2 by our "
            "convention of JS"
        ),
        how=How.PROPERTY,
        origin=Origin.SHARPENED,
        conclusion=_above_jensen_shannon,
        hypotheses=_densities,
        outside=(
            Outside(
                "the generator cannot move: its answer is worth less than the data's density",
                lambda: {"data": (1, 1), "fake": (3, 1), "logits": (-0.4, 0.7), "able": False},
            ),
        ),
        mutants=(
            Mutant("losses/divergences.py", "(_kl(p, middle) + _kl(q, middle)) / 2", "_kl(p, middle) + _kl(q, middle)"),
            Mutant("games/density.py", "softplus(-sk) + pk * softplus(sk)", "softplus(sk) + pk * softplus(-sk)"),
        ),
        draws=15,
    )
)
