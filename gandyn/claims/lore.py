"""Remarks on games and rules: statements that are false as they stand, each with its counterexample.

Nobody is quoted for them: they are what one might think, and what a named paper says beside it is in `source`.

The conclusion is the statement as it is told; the examples lie inside what it promises, and it fails on them. Its
mutants are changes of the code under which the statement would have been true.
"""

from __future__ import annotations

from typing import Any

from .. import games, rules
from ..games.quadratic import quadratic
from ..types import Game
from .base import Claim, Evidence, How, Mutant, Origin, Outside, Verdict, register
from .evidence import attracting, same_expressions, same_numbers, spectral
from .falsify import converges

DAMPED = Mutant(
    "rules/gradient.py",
    "w - game.per_coordinate(self.lr, w) * v",
    "w - game.per_coordinate(self.lr, w) * (v + w / 2)",
)


def remark(name: str, statement: str, latex: str, source: str, why: str, draw: Any, **parts: Any) -> None:
    """List a statement that is false as it stands, which nobody is quoted for, with its first counterexample."""
    examples = (Outside(why, draw), *parts.pop("outside", ()))
    register(
        Claim(
            f"lore.{name}",
            statement,
            latex,
            source,
            parts.pop("how", How.PROVED),
            verdict=Verdict.REMARK,
            origin=Origin.NOBODY,
            outside=examples,
            **parts,
        )
    )


remark(
    "alternating_converges_on_bilinear",
    "Alternating gradient steps converge on bilinear games.",
    r"\det DF = 1",
    "Gidel et al. 2019b, theorem 5, has them bounded",
    "s = 1/2: the eigenvalues have product 1 and lie on the unit circle",
    lambda: {"step": 0.5},
    conclusion=lambda step: attracting(games.bilinear(), rules.AlternatingGD(step)),
    outside=(Outside("s = 1.9", lambda: {"step": 1.9}),),
    mutants=(DAMPED,),
)


def _momentum_helps(step: float, momentum: float) -> Evidence:
    plain, heavy = (spectral(games.bilinear(), r) for r in (rules.GDA(step), rules.HeavyBall(step, momentum)))
    return Evidence(heavy < plain, f"spectral radius {plain:.6g} without momentum, {heavy:.6g} with {momentum}")


remark(
    "momentum_helps_on_bilinear",
    "Positive momentum, which speeds up minimisation, brings simultaneous steps on bilinear games closer to "
    "convergence.",
    r"\rho(\beta) > \rho(0) \quad (\beta > 0)",
    "Gidel et al. 2019b, section 3, has negative momentum shrink it",
    "step 0.1, momentum 0.9",
    lambda: {"step": 0.1, "momentum": 0.9},
    conclusion=_momentum_helps,
    outside=(Outside("step 0.5, momentum 0.2", lambda: {"step": 0.5, "momentum": 0.2}),),
    mutants=(Mutant("rules/heavy_ball.py", 'm = real * state["momentum"] - v', 'm = -real * state["momentum"] - v'),),
)


def _player_by_player(step: float) -> Evidence:
    """Each player's own RK4 step with the other held, beside the joint one, from (1, 0)."""
    import numpy as np

    game, rule, w = games.bilinear(), rules.RungeKutta(step, 4), np.array([1.0, 0.0])
    joint = rule.step(game, w, rule.init(game, w))[0]
    apart = []
    for i in range(2):
        view = game.restrict(i, w)
        apart.append(rule.step(view, view.block, rule.init(view, view.block))[0])
    alone = np.concatenate(apart)
    found = same_numbers(alone, joint, step**4)
    growth = [float(np.linalg.norm(e)) ** 1000 for e in (alone, joint)]
    return Evidence(found.holds, f"{found.detail}; norms after 1000 steps {growth[0]:.5g} and {growth[1]:.5g}")


remark(
    "runge_kutta_player_by_player",
    "Runge-Kutta of order 4 applied to one player at a time is Runge-Kutta of order 4 of the game.",
    r"\text{on } f = xy:\; |1 - is| = \sqrt{1 + s^2} \ne |\textstyle\sum_{k \le 4} (-is)^k / k!|",
    "Qin et al. 2020, section 4.1, advance all players jointly",
    "on v(a, b) = ab it is Euler's method: with step 0.1 the norm grows 145-fold in 1000 steps",
    lambda: {"step": 0.1},
    conclusion=_player_by_player,
    mutants=(Mutant("rules/runge_kutta.py", "game.project(w - (lr / divisor) * stages[-1])", "game.project(w)"),),
)


def _is_gap_descent(game: Game) -> Evidence:
    from ..dynamics.trace import update_map

    descent = update_map(game, rules.DualityGapDescent(0.1, 1, 0.1))
    return same_expressions(update_map(game, rules.Extragradient(0.1)).expression, descent.expression)


remark(
    "extragradient_is_gap_descent",
    "Descending the duality gap with one inner step, held fixed, and equal step sizes is extragradient on every game.",
    r"\partial_x f(x,\, y + \eta f_y) \ne \partial_x f(x - \eta f_x,\, y + \eta f_y)",
    "true on bilinear games",
    "own curvature: f = x^2/2 + xy - y^2/2",
    lambda: {"game": quadratic(1, 1, 1)},
    conclusion=_is_gap_descent,
    mutants=(Mutant("games/quadratic.py", "map(_matrix, (a, b, c))", "map(_matrix, (0 * a, b, 0 * c))"),),
)


def _estimates_grow(inner_lr: float) -> Evidence:
    import numpy as np

    from ..analysis.gap import duality_gap

    found = duality_gap(quadratic(1, 1, 1), [1.0, 1.0], method="gradient", k=5, inner_lr=inner_lr)
    values = np.asarray(found.history, dtype=float)
    return Evidence(bool((values >= 0).all() and (np.diff(values) >= 0).all()), f"{values.round(4).tolist()}")


remark(
    "gap_estimates_grow",
    "The gap estimated with k inner gradient steps is never negative and grows with k, whatever the inner step.",
    r"\eta_{\mathrm{inner}} \le 2/L",
    "it needs an inner step of at most 2/L",
    "inner step 2.5 > 2/L = 2 on f = x^2/2 + xy - y^2/2",
    lambda: {"inner_lr": 2.5},
    conclusion=_estimates_grow,
    mutants=(
        Mutant(
            "analysis/gap/inner.py",
            "[costs[i] - game.costs(replaced(game, i, w, y), batch)[i]",
            "[abs(costs[i] - game.costs(replaced(game, i, w, y), batch)[i])",
        ),
    ),
)


def _finite_gap(at: tuple[float, float]) -> Evidence:
    import numpy as np

    from ..analysis.gap import duality_gap

    found = duality_gap(games.bilinear(), list(at))
    return Evidence(bool(np.isfinite(float(found.value))), f"exact gap {found.value} at {at}: {found.note}")


remark(
    "bilinear_gap_is_finite",
    "The duality gap of an unconstrained bilinear game is a number that measures the distance to the saddle.",
    r"\mathrm{DG}(x, y) = +\infty \quad ((x, y) \ne 0)",
    "k-step estimates are finite, each of them",
    "off the saddle either player gains without limit",
    lambda: {"at": (1.0, 1.0)},
    conclusion=_finite_gap,
    mutants=(Mutant("analysis/gap/exact.py", "np.where(falls.any(-1), np.inf,", "np.where(falls.any(-1), 1e3,"),),
)


def _limit_is_nash(game: Game) -> Evidence:
    from ..analysis.nash.classification import classify

    found = classify(game)
    stable = attracting(game, rules.GDA(0.05))
    return Evidence(not stable or found.nash == "strict local Nash", found.label)


remark(
    "limits_are_nash",
    "Every point that attracts gradient descent-ascent is a local Nash equilibrium.",
    r"f = -\tfrac{1}{2}x^2 + 2xy - y^2",
    "Mazumdar et al. 2020 and Jin et al. 2020 say otherwise",
    "player 1 sits on a maximum of its own cost, and the coupling holds it there",
    lambda: {"game": quadratic(-1, 2, 2)},
    conclusion=_limit_is_nash,
    mutants=(
        Mutant(
            "analysis/nash/classification.py", 'return "not a local Nash equilibrium"', 'return "strict local Nash"'
        ),
    ),
)


def _nash_attracts(game: Game) -> Evidence:
    from ..analysis.nash.classification import classify

    found = classify(game)
    return Evidence(found.nash != "strict local Nash" or bool(attracting(game)), found.label)


remark(
    "nash_attracts",
    "A strict local Nash equilibrium attracts the gradient flow.",
    r"J = \begin{pmatrix} 1 & 3 \\ 3 & 1 \end{pmatrix}: \quad \lambda = -4,\ 2",
    "true of zero-sum games",
    "a general sum: f_1 = x^2/2 + 3xy, f_2 = y^2/2 + 3xy",
    lambda: {"game": games.general_quadratic((((1,), (3,)), ((3,), (1,))))},
    conclusion=_nash_attracts,
    mutants=(Mutant("analysis/nash/classification.py", 'return "strict local Nash"', 'return "local Nash"'),),
)


def _divisor(scale: float) -> Evidence:
    """The SGA step beside one whose alignment is divided by the number of players."""
    import numpy as np

    game = quadratic(((-1, 0), (0, -1)), ((1, 0), (0, 1)), ((-1, 0), (0, -1)))
    w, rule = scale * np.array([1.0, 0.5, 0.2, -1.0]), rules.SGA(0.1, 0.5)
    jacobian = np.array(game.jacobian(w), dtype=float)
    v = np.asarray(game.field(w))
    slope, adjustment = jacobian.T @ v, (jacobian - jacobian.T).T @ v / 2
    product = (v @ slope) * (adjustment @ slope)
    steps = {d: w - 0.1 * (v + 0.5 * np.sign(product / d + 0.1) * adjustment) for d in (2, 4)}
    found = same_numbers(rule.step(game, w, rule.init(game, w))[0], steps[2], 1e-12)
    return Evidence(found.holds, f"product {product:.4g}, divided by 4 or by 2, plus 0.1; {found.detail}")


remark(
    "alignment_divisor",
    "In symplectic gradient adjustment the alignment may be divided by the number of players or of tensors.",
    r"\lambda = \mathrm{sign}\big(\tfrac{1}{d}\langle v, J^\top v\rangle\langle A^\top v, J^\top v\rangle + "
    r"\epsilon\big)",
    "Balduzzi et al. 2018, algorithm 1, divides by the dimension d",
    "two players of two coordinates each: the sign differs, and with it the step",
    lambda: {"scale": 0.346},
    conclusion=_divisor,
    how=How.REPRODUCED,
    mutants=(Mutant("rules/symplectic.py", "/ w.shape[-1]", "/ len(game.players)"),),
)


remark(
    "averages_always_converge",
    "The average of the iterates of simultaneous steps converges on every convex-concave game.",
    r"\tfrac{1}{T}\textstyle\sum_t (1 - i\eta)^t \;\text{diverges}",
    "true where iterates stay bounded (Kodali et al. 2017, section 2)",
    "the unconstrained v(a, b) = ab with a constant step",
    lambda: {"step": 0.2},
    conclusion=lambda step: Evidence(bool(converges(rules.Averaging(rules.GDA(step)), games.bilinear(), steps=5000))),
    how=How.REPRODUCED,
    mutants=(DAMPED,),
)
