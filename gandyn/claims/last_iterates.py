"""Last-iterate rates in monotone games: Gorbunov, Loizou & Gidel 2022 and Golowich et al. 2020."""

from __future__ import annotations

from typing import Any

from .. import games, rules
from ..types import Game
from .base import Claim, Evidence, How, Mutant, Origin, Outside, register
from .evidence import all_of, moduli

ROUNDS = 200


def _monotone() -> Any:
    from hypothesis import strategies as st

    from . import strategies

    mixed = strategies.mixed("positive", sizes=((1, 1), (2, 1), (3, 2)))
    strong = strategies.strongly_monotone(mu=0.01, nonlinear=None)
    drawn = st.one_of(mixed, strong, strategies.bilinear(condition=1e3))
    coordinates = st.tuples(*[st.floats(-2, 2).filter(lambda c: abs(c) > 1e-2)] * 8)
    return st.fixed_dictionaries({"game": drawn, "share": st.sampled_from([0.3, 0.5, 0.7]), "start": coordinates})


def _sizes(game: Game, rule: Any, start: Any) -> tuple[Any, float]:
    """(|v(w_t)|^2 for t = 0, ..., ROUNDS, |w_0|^2)."""
    import numpy as np

    from ..dynamics.iterate import iterate

    w = np.resize(np.array(start), game.dim)
    run = np.asarray(iterate(game, rule, w, ROUNDS).w)
    return (np.asarray(game.field(run)) ** 2).sum(-1), float(w @ w)


def _extragradient(game: Game, share: float, start: Any, rule: Any = rules.Extragradient) -> Evidence:
    """|v(w_T)|^2 <= |w_0 - w*|^2 / (eta^2 (1 - eta^2 L^2)(T + 1)), and |v| never grows, for eta L <= 1/sqrt 2."""
    import numpy as np

    step = share / moduli(game)[1]
    sizes, far = _sizes(game, rule(step), start)
    bound = far / (step**2 * (1 - share**2) * (np.arange(ROUNDS + 1) + 1))
    worst = float((sizes / bound).max())
    return all_of(
        Evidence(worst <= 1 + 1e-9, f"|v(w_T)|^2 at most {worst:.4g} of the bound"),
        Evidence(bool((np.diff(sizes) <= 1e-9 * sizes[0]).all()), "|v| never grows"),
    )


CORNER = (1.0, 0.5)

register(
    Claim(
        name="gorbunov_2022.extragradient_last_iterate",
        statement=(
            "In monotone games with an L-Lipschitz field extragradient with eta <= 1/(sqrt(2) L) has a last iterate "
            "with |v(w_T)|^2 <= |w_0 - w*|^2 / (eta^2 (1 - eta^2 L^2) (T + 1)), and |v| never grows."
        ),
        latex=r"\|v(w_T)\|^2 \le \frac{\|w_0 - w^*\|^2}{\eta^2(1 - \eta^2L^2)(T+1)}",
        source="Gorbunov, Loizou & Gidel 2022 (O(1/K) last-iterate convergence of extragradient), the main theorem",
        how=How.PROPERTY,
        origin=Origin.PAPER,
        conclusion=_extragradient,
        hypotheses=_monotone,
        outside=(
            Outside(
                "without the extra step",
                lambda: {"game": games.bilinear(), "share": 0.5, "start": CORNER, "rule": rules.SimultaneousGD},
            ),
            Outside(
                "the field is not monotone",
                lambda: {"game": games.quadratic(-1, 0.5, 0), "share": 0.5, "start": CORNER},
                restore=lambda: {"game": games.quadratic(1, 0.5, 0)},
            ),
        ),
        mutants=(Mutant("rules/extragradient.py", "game.project(w - ahead * v)", "game.project(w + ahead * v)"),),
        draws=20,
    )
)


def _optimism(game: Game, share: float, start: Any, rule: Any = rules.OptimisticGD, constant: float = 16) -> Evidence:
    """|v(w_T)|^2 <= C |w_0 - w*|^2 / (eta^2 (T + 1)) with eta L at most 1/3."""
    import numpy as np

    step = share * 0.45 / moduli(game)[1]
    sizes, far = _sizes(game, rule(step), start)
    worst = float((sizes * step**2 * (np.arange(ROUNDS + 1) + 1)).max() / far)
    return Evidence(worst <= constant, f"eta^2 (T + 1) |v(w_T)|^2 at most {worst:.4g} |w_0 - w*|^2")


register(
    Claim(
        name="golowich_2020.optimism_last_iterate",
        statement=(
            "In monotone games with an L-Lipschitz field the optimistic rule with eta L <= 1/3 has a last iterate with "
            "|v(w_T)|^2 = O(1/T), here at most |w_0 - w*|^2 / (eta^2 (T + 1))."
        ),
        latex=r"\|v(w_T)\|^2 \le \frac{C\,\|w_0 - w^*\|^2}{\eta^2(T+1)}, \quad C = 1",
        source="Golowich, Pattathil & Daskalakis 2020, the theorem on optimism's last iterate; C = 1 found here",
        how=How.PROPERTY,
        origin=Origin.SHARPENED,
        conclusion=lambda game, share, start, rule=rules.OptimisticGD: _optimism(game, share, start, rule, 1.0),
        hypotheses=_monotone,
        outside=(
            Outside(
                "without memory: gradient descent-ascent",
                lambda: {"game": games.bilinear(), "share": 0.7, "start": CORNER, "rule": rules.SimultaneousGD},
            ),
            Outside(
                "the field is not monotone",
                lambda: {"game": games.quadratic(-1, 0.5, 0), "share": 0.5, "start": CORNER},
                restore=lambda: {"game": games.quadratic(1, 0.5, 0)},
            ),
        ),
        mutants=(Mutant("rules/extragradient.py", '2 * v - state["previous_field"]', "v"),),
        draws=20,
    )
)


def _attained(rounds: int, rule: Any = rules.Extragradient, coupling: Any = None) -> Evidence:
    """f = sigma x y with sigma = L / sqrt(T), eta = 1/2, L = 1: eta^2 T |v(w_T)|^2 stays above 0.17 |w_0|^2."""
    import numpy as np

    from ..dynamics.iterate import iterate

    sigma = rounds**-0.5 if coupling is None else coupling
    game = games.bilinear(sigma)
    w = np.asarray(iterate(game, rule(0.5), [1.0, 0.0], rounds, record="last").w)
    left = float((np.asarray(game.field(w)) ** 2).sum()) * 0.25 * rounds
    return Evidence(left > 0.17, f"eta^2 T |v(w_T)|^2 = {left:.4g} |w_0|^2 with sigma = {sigma:.4g}")


def _rounds() -> Any:
    from hypothesis import strategies as st

    return st.fixed_dictionaries({"rounds": st.sampled_from([10, 30, 100, 300, 1000, 3000])})


register(
    Claim(
        name="golowich_2020.last_iterate_is_slow",
        statement=(
            "The rate 1/T of extragradient's last iterate is attained: for every T there is a bilinear game with L = 1 "
            "whose |v(w_T)|^2 is at least 0.17 |w_0|^2 / (eta^2 T), slower than the averages' gap."
        ),
        latex=r"\sigma = T^{-1/2}: \quad \eta^2 T\,\|v(w_T)\|^2 = \eta^2(1 - s^2 + s^4)^T\|w_0\|^2",
        source="Golowich et al. 2020 (last iterate is slower than averaged iterate), the lower bound; the game is ours",
        how=How.PROPERTY,
        origin=Origin.SHARPENED,
        conclusion=_attained,
        hypotheses=_rounds,
        outside=(Outside("one game for all T", lambda: {"rounds": 300, "coupling": 0.5}),),
        mutants=(Mutant("rules/extragradient.py", "game.project(w - ahead * v)", "game.project(w - 9 * ahead * v)"),),
        draws=6,
    )
)
