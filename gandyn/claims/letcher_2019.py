"""Claims of Letcher, Foerster, Balduzzi, Rocktaeschel & Whiteson 2019, "Stable opponent shaping"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from .. import games, rules
from ..lazy import sympy
from ..types import Game, Parameter, Rule
from . import strategies
from .declare import Evidence, Paper, drawn, fails, formula, proved, where
from .evidence import all_of, jacobian, map_matrix, radius, same_expressions, same_numbers, update_map

letcher = Paper("letcher_2019")
balduzzi = Paper("balduzzi_2018")
SHARE = 0.02


def _numbers(game: Game) -> tuple[Sequence[float], float, float, float]:
    """J at 0, |J|, the least singular value over |J|, and the least eigenvalue of S over |J|."""
    j = jacobian(game)
    size = float(np.linalg.norm(j, 2))
    least = float(np.linalg.svd(j, compute_uv=False)[-1])
    return j, size, least / size, float(np.linalg.eigvalsh((j + j.T) / 2)[0]) / size


def _invertible(margin: float) -> Any:
    """Whether the least singular value of J is above a share of the largest."""
    return lambda game: _numbers(game)[2] > margin


@letcher.sharpened("Letcher et al. 2019, section 4.1 (the tandem game); the line derived here")
@proved(r"x + y = \frac{1-2e}{1-4e} > 1,\qquad f_i = s(s-1) > 0 \text{ at } x = y = s/2")
@fails("without the shaping term: lookahead keeps x + y = 1", lambda: {"rule": rules.OpponentLookahead})
def lola_moves_fixed_points(rule: Callable[..., Rule] = rules.LOLA) -> Evidence:
    """In the tandem game LOLA, whose players expect steps e < 1/4 of each other, does not rest where gradient descent
    does, at x + y = 1, but at x + y = (1 - 2e)/(1 - 4e) > 1, where both pay more.
    """
    e = sympy.Symbol("e", positive=True)
    game = games.tandem()
    x, y = game.symbols
    move = sympy.Matrix(update_map(game, rule("lr", "e")).expression) - sympy.Matrix([x, y])
    line = (1 - 2 * e) / (1 - 4 * e)
    cost = sympy.factor(game.exprs[0].subs({x: line / 2, y: line / 2}))
    return all_of(
        same_expressions(move.subs(y, line - x).applyfunc(sympy.simplify), sympy.zeros(2, 1)),
        same_expressions(cost, line * (line - 1)),
        Evidence(move.subs(y, 1 - x).applyfunc(sympy.simplify) != sympy.zeros(2, 1), "x + y = 1 is left"),
    )


@letcher.sharpened("Letcher et al. 2019, section 4 (SOS preserves fixed points; its local dynamics)")
@formula(r"D = I - \eta(I - \eta J_o)J,\qquad p = O(|v|^2)")
@drawn(20, game=strategies.mixed(sizes=((1, 1), (2, 1), (1, 1, 1))), step=strategies.tenths(0.1, 0.9))
@fails("shaping in full: LOLA", lambda: {"game": games.bilinear(), "step": 0.5, "rule": rules.LOLA})
def sos_keeps_fixed_points(
    game: Game, step: Parameter, rule: Callable[..., Rule] = rules.StableOpponentShaping
) -> Evidence:
    """Stable opponent shaping keeps every zero of the field, and has the linear part of lookahead there: the shaping
    fades like |v|^2.

    I - lr (I - lr J_o) J at a zero of the field, J_o without the diagonal blocks.
    """
    matrix = map_matrix(game, rule(step))
    j = jacobian(game)
    own = np.zeros_like(j)
    for block in game.slices:
        own[block, block] = j[block, block]
    unit = np.eye(game.dim)
    return same_numbers(matrix, unit - step * (unit - step * (j - own)) @ j, 1e-12)


@letcher.says(
    'Letcher et al. 2019, abstract: "LookAhead converges locally to equilibria and avoids strict saddles in all '
    'differentiable games"; its theorem on stable fixed points'
)
@formula(r"S \succeq 0,\ \det J \ne 0 \Rightarrow \rho(I - \eta(I-\eta J_o)J) < 1 \text{ for small } \eta")
@drawn(15, game=st.one_of(strategies.bilinear(1), strategies.mixed("positive")))
@where(_invertible(0.01))
@fails(
    "S is indefinite: a fixed point that repels",
    lambda: {"game": games.quadratic(-1, 0, 1)},
    game=lambda: games.quadratic(1, 0, 1),
)
@fails(
    "gradient steps, which look at nobody, on a bilinear game",
    lambda: {"game": games.bilinear(), "rule": rules.SimultaneousGD},
)
def lookahead_converges(game: Game, rule: Callable[..., Rule] = rules.OpponentLookahead) -> Evidence:
    """Where S is positive semidefinite and J invertible (a stable fixed point, bilinear games included), the lookahead
    rule converges locally for all small enough steps.

    At a step of 1/10 of 1 / |J|, and at a quarter of it.
    """
    step = 0.1 / float(np.linalg.norm(jacobian(game), 2))
    moduli = [radius(game, rule(h)) for h in (step, step / 4)]
    return Evidence(max(moduli) < 1, f"spectral radii {moduli[0]:.10g} and {moduli[1]:.10g}")


@letcher.says(
    'Letcher et al. 2019, abstract, after the same of LookAhead: "SOS inherits these essential guarantees"; the '
    "theorem on local convergence of SOS, whose H is J, S its symmetric part"
)
@formula(r"S \succeq 0,\ \det J \ne 0 \Rightarrow \rho(D_{\mathrm{SOS}}) < 1 \text{ for small } \eta")
@drawn(
    15,
    game=st.one_of(
        strategies.mixed("positive", sizes=((1, 1), (2, 1), (1, 1, 1), (2, 3))),
        strategies.strongly_monotone(condition=30),
    ),
)
@where(_invertible(0.03))
@fails(
    "a fixed point that is not stable",
    lambda: {"game": games.quadratic(-1, 0.5, 1)},
    game=lambda: games.quadratic(1, 0.5, 1),
)
@fails("nobody is foreseen", lambda: {"game": games.bilinear(), "rule": rules.SimultaneousGD})
def sos_converges(game: Game, rule: Callable[..., Rule] = rules.StableOpponentShaping) -> Evidence:
    """Stable opponent shaping converges locally to stable fixed points (J invertible, S positive semidefinite), of any
    number of players, for all small enough steps.

    Steps of 0.02/|J| and a quarter of it attract, and a step from a zero of the field stays there.
    """
    size = _numbers(game)[1]
    radii = [radius(game, rule(SHARE / size * share)) for share in (1, 0.25)]
    step = rule(SHARE / size)
    here = np.zeros(game.dim)
    moved = float(np.abs(step.step(game, here, step.init(game, here))[0]).max())
    return Evidence(max(radii) < 1 and moved == 0, f"spectral radii {radii[0]:.10f}, {radii[1]:.10f}; rests: {moved}")


def _strict(game: Game) -> bool:
    """An eigenvalue of J with a clearly negative real part: -Re > 0.05 |J|, well beyond what small steps add."""
    j, size, least, _ = _numbers(game)
    return least > 0.03 and float(np.linalg.eigvals(j).real.min()) < -0.05 * size


@letcher.says("Letcher et al. 2019, the theorem on strict saddles (almost sure avoidance), by its linear part")
@formula(r"\min \mathrm{Re}\,\mathrm{sp}(J) < 0 \Rightarrow \rho(D_{\mathrm{SOS}}) > 1 \text{ for small } \eta")
@drawn(15, game=strategies.mixed("any", sizes=((1, 1), (2, 1), (1, 1, 1))))
@where(_strict)
@fails(
    "no eigenvalue of J has a negative real part",
    lambda: {"game": games.quadratic(1, 0.5, 1)},
    game=lambda: games.quadratic(-1, 0.5, 1),
)
def sos_leaves_strict_saddles(game: Game, rule: Callable[..., Rule] = rules.StableOpponentShaping) -> Evidence:
    """A strict saddle (J invertible, with an eigenvalue of negative real part) repels stable opponent shaping for all
    small enough steps, so that almost every start avoids it.
    """
    size = _numbers(game)[1]
    radii = [radius(game, rule(SHARE / size * share)) for share in (1, 0.25)]
    return Evidence(min(radii) > 1, f"spectral radii {radii[0]:.10f}, {radii[1]:.10f}")


@balduzzi.says("Balduzzi et al. 2018, section 3 (SGA finds stable fixed points); Letcher et al. 2019 (JMLR)")
@formula(
    r"S \succeq 0,\ \det J \ne 0,\ 0 < \lambda \ll 1 \Rightarrow \mathrm{Re}\,\mathrm{sp}(J + \lambda A^\top J) > 0"
)
@drawn(
    20,
    game=st.one_of(
        strategies.mixed("positive", sizes=((1, 1), (2, 1), (1, 1, 1), (2, 3))), strategies.bilinear(condition=10)
    ),
)
@where(_invertible(0.03))
@fails("no adjustment", lambda: {"game": games.bilinear(), "rule": rules.SimultaneousGD})
@fails("a weight of the wrong sign", lambda: {"game": games.bilinear(), "sign": -1})
def sga_finds_stable_points(game: Game, rule: Callable[..., Rule] | None = None, sign: int = 1) -> Evidence:
    """Symplectic gradient adjustment with a small weight lam > 0 and small steps is attracted by stable fixed points (J
    invertible, S positive semidefinite), those included around which gradient descent circles.

    (I + lam A^T) J with lam = 0.02 sign/|J|, steps of 0.2 lam: attracts where S >= 0, is left where S < 0.
    """
    size, stable = _numbers(game)[1], _numbers(game)[3] > -1e-9
    lam = SHARE * sign / size
    build = rule or (lambda lr: rules.SGA(lr, lam, align=False))
    found = radius(game, build(0.2 * SHARE / size))
    return Evidence((found < 1) == stable, f"spectral radius {found:.12f}; S >= 0: {stable}")
