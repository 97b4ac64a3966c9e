"""Claims of Heusel et al. 2017, "GANs trained by a two time-scale update rule converge to a local Nash equilibrium"."""

from __future__ import annotations

from typing import Any

from .. import games, rules
from .base import Claim, Evidence, How, Mutant, Origin, Outside, Verdict, register
from .evidence import all_of, attracting, same_expressions


def _rule(step: Any, tau: Any) -> Any:
    return rules.TimeScale(rules.GDA(step), tau)


def _separated(a: Any, b: Any, c: Any, factor: Any) -> Evidence:
    """Equal rates repel; tau > -a/c attracts with steps below (a + c tau) / (tau (a c + b^2)), exactly."""
    from ..analysis.nash.classification import classify
    from ..analysis.parameters.stability import stability_region

    game = games.quadratic(a, b, c)
    tau = -a / c * factor
    slow, fast = (stability_region(game, _rule("lr", t), ("lr",)).critical("lr") for t in (1, tau))
    by_determinant = (a + c * tau) / (tau * (a * c + b**2))
    label = classify(game).nash
    return all_of(
        Evidence(bool(slow == 0), "equal rates converge for no step"),
        same_expressions(fast, by_determinant),
        Evidence(bool(fast > 0), f"tau {tau}: converges for steps below {fast}"),
        Evidence(label.startswith("not"), label),
    )


def _stackelberg_games() -> Any:
    """a < 0 < c with b^2 > |a| c, a + c < 0 (equal rates repel), and tau a little to much above -a/c."""
    from hypothesis import strategies as st

    from . import strategies

    def game(found: Any) -> dict[str, Any]:
        c, excess, more, factor = found
        a = -c - excess
        return {"a": a, "b": -a + more, "c": c, "factor": 1 + factor}

    tenths = strategies.tenths
    return st.tuples(tenths(0.2, 1), tenths(0.1, 1), tenths(0, 1), tenths(0.1, 0.6)).map(game)


def _complex_pair(a: Any, b: Any, c: Any, factor: Any) -> bool:
    """The determinant condition binds while the map's eigenvalues at the bound are complex."""
    tau = -a / c * factor
    step = (a + c * tau) / (tau * (a * c + b**2))
    return bool(abs(2 - step * (a + c * tau)) < 2)


register(
    Claim(
        name="heusel_2017.time_scales_decide",
        statement="Where player 1's own curvature a is negative and a + c < 0, with c the other's curvature and "
        "coupling "
        "b^2 > |a| c, equal rates converge for no step, while a second player that is tau > |a|/c times as fast makes "
        "the steps converge locally (below an exact bound) to a stationary local Nash equilibrium.",
        latex=r"\tau > |a|/c, \qquad h < \frac{a + c\tau}{\tau\,(ac + b^2)}",
        source="Heusel et al. 2017, theorem 1, for constant steps; the threshold as in Fiez & Ratliff 2020",
        how=How.PROPERTY,
        origin=Origin.SHARPENED,
        verdict=Verdict.CORRECTED,
        said='the title ("converge to a local Nash equilibrium") and the abstract: "we prove that the TTUR converges '
        'under mild assumptions to a stationary local Nash equilibrium"',
        correction="The limit of the two-time-scale steps is an attracting stationary point, not always a local Nash "
        "equilibrium as the paper's title says: here it is a strict local minimax point at which player 1 sits on a "
        "maximum of its own cost (classify says so exactly). The theorem needs local convexity assumed beside it.",
        conclusion=_separated,
        hypotheses=_stackelberg_games,
        where=_complex_pair,
        outside=(
            Outside(
                "tau below the threshold",
                lambda: dict(_numbers(-1, 2, "1/2"), factor=_number("9/10")),
                restore=lambda: {"factor": _number("6/5")},
            ),
            Outside(
                "equal rates converge too: player 2's curvature outweighs player 1's",
                lambda: dict(_numbers(-1, 2, 2), factor=_number("6/5")),
                restore=lambda: {"c": _number("1/2")},
            ),
        ),
        mutants=(
            Mutant("rules/schedule.py", "(1, *(self.tau,) *", "(self.tau, *(1,) *"),
            Mutant(
                "analysis/nash/classification.py",
                "if Optimum.NONE in kinds:",
                "if all(kind is Optimum.NONE for kind in kinds):",
            ),
        ),
        draws=15,
    )
)


def _number(text: Any) -> Any:
    import sympy

    return sympy.Rational(text)


def _numbers(a: Any, b: Any, c: Any) -> dict[str, Any]:
    return dict(zip("abc", map(_number, (a, b, c)), strict=True))


def _every_ratio(a: Any, b: Any, c: Any, tau: Any) -> Evidence:
    """Trace a + c tau > 0 and determinant tau (a c + b^2) > 0, and a step below the exact bound."""
    from ..analysis.parameters.stability import stability_region

    game = games.quadratic(a, b, c)
    critical = stability_region(game, _rule("lr", tau), ("lr",)).critical("lr")
    if critical == 0:
        return Evidence(False, "no step converges")
    step = critical * _number("9/10")
    return all_of(attracting(game, _rule(step, tau)), Evidence(bool(critical > 0), f"steps below {critical}"))


def _strict_nash() -> Any:
    from hypothesis import strategies as st

    from . import strategies

    tenths = strategies.tenths
    return st.fixed_dictionaries({"a": tenths(0.1, 2), "b": tenths(-2, 2), "c": tenths(0.1, 2), "tau": tenths(0.1, 10)})


register(
    Claim(
        name="heusel_2017.strict_nash_attracts_at_every_ratio",
        statement="A strict local Nash equilibrium of a zero-sum game with one coordinate each attracts small steps "
        "for "
        "every ratio tau of the learning rates: separation of time scales is not needed there.",
        latex=r"a + c\tau > 0, \qquad \tau(ac + b^2) > 0",
        source="derived beside Heusel et al. 2017, theorem 1",
        how=How.PROPERTY,
        origin=Origin.DERIVED,
        conclusion=_every_ratio,
        hypotheses=_strict_nash,
        outside=(
            Outside(
                "not a Nash equilibrium, below the threshold",
                lambda: dict(_numbers(-1, 2, "1/2"), tau=1),
                restore=lambda: {"a": 1},
            ),
            Outside("a saddle without coupling", lambda: dict(_numbers(-1, 0, 1), tau=5), restore=lambda: {"a": 1}),
        ),
        mutants=(
            Mutant("games/quadratic.py", "- (vy.T * mc * vy)[0] / 2", "+ (vy.T * mc * vy)[0] / 2"),
            Mutant("rules/schedule.py", "(1, *(self.tau,) *", "(1, *(-self.tau,) *"),
        ),
        draws=12,
    )
)
