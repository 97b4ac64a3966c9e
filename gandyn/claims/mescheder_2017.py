"""Claims of Mescheder, Nowozin & Geiger 2017, "The numerics of GANs": step bounds and consensus optimisation."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from .. import analysis, games, rules
from ..lazy import sympy
from ..types import Game, Parameter
from . import strategies
from .declare import Evidence, Paper, drawn, fails, formula, proved
from .evidence import (
    all_of,
    attracting,
    critical,
    jacobian,
    same_expressions,
    same_numbers,
    same_spectrum,
    singular_values,
    update_map,
)

mescheder = Paper("mescheder_2017")


@mescheder.says("Mescheder et al. 2017, section 3 (eigenvalues of I + hA), on planted spectra of 2 and 4 dimensions")
@formula(r"h < \frac{1}{|\mathrm{Re}\,\lambda|}\,\frac{2}{1 + (\mathrm{Im}\,\lambda/\mathrm{Re}\,\lambda)^2}")
@drawn(
    10,
    pairs=st.lists(st.tuples(st.integers(1, 15), st.integers(1, 30)), min_size=1, max_size=2),
    seed=st.integers(0, 9),
)
@fails("a real part of the wrong sign: no step converges", lambda: {"pairs": [(-2, 10)], "seed": 0}, pairs=[(2, 10)])
def step_bound(pairs: Any, seed: int) -> Evidence:
    """Where every eigenvalue of the flow has a negative real part, simultaneous gradient steps converge locally exactly
    for steps below the smallest 2 |Re lambda| / |lambda|^2: rotation shrinks the step quadratically.
    """
    values = [complex(r, sign * w) / 10 for r, w in pairs for sign in (1, -1)]
    game = games.planted_quadratic(values, seed=seed)
    bound = min(2 * value.real / abs(value) ** 2 for value in values)
    return same_numbers([float(critical(game, rules.SimultaneousGD("lr")))], [bound], 1e-9)


@mescheder.says("Mescheder et al. 2017, section 4 (the regularised vector field)")
@formula(r"\mathrm{Re}\,\mu > 0 \quad\text{for}\quad \mu \in \mathrm{sp}(J + \gamma J^\top J)")
@drawn(
    30,
    game=st.one_of(
        strategies.bilinear(), strategies.strongly_monotone(mu=0.1, condition=100), strategies.planted(normal=True)
    ),
    step=strategies.steps(1),
    gamma=st.floats(0.05, 2),
)
@fails(
    "a singular game",
    lambda: {"game": games.bilinear(((1, 0), (0, 0))), "step": 0.1, "gamma": 1},
    game=lambda: games.bilinear(((1, 0), (0, 1))),
)
@fails(
    "no equilibrium of either player",
    lambda: {"game": games.quadratic(-1, 1, -1), "step": 0.1, "gamma": 0.1},
    game=lambda: games.quadratic(1, 1, 1),
)
def consensus_stabilises(game: Game, step: float, gamma: float) -> Evidence:
    """At a local Nash equilibrium of a zero-sum game with invertible Jacobian J the flow of consensus optimisation,
    whose Jacobian is J + gamma J^T J, attracts for every gamma > 0, and its steps of size h have the eigenvalues 1 - h
    mu, mu those of J + gamma J^T J.
    """
    j = jacobian(game)
    regularised = j + gamma * j.T @ j
    found = analysis.linearize(game, rules.Consensus(step, gamma)).eigenvalues
    rightmost = np.linalg.eigvals(-regularised).real.max()
    return all_of(
        Evidence(bool(rightmost < 0), f"rightmost eigenvalue of the regularised flow {rightmost:.6g}"),
        same_spectrum(found, 1 - step * np.linalg.eigvals(regularised), 1e-8),
    )


@mescheder.derived("derived from Mescheder et al. 2017, algorithm 2 and section 3")
@formula(r"h < \frac{2\gamma}{1 + \gamma^2\sigma^2}")
@drawn(30, game=strategies.bilinear(), gamma=strategies.tenths(0.1, 2), share=st.floats(0.02, 0.99))
@fails("a step at the bound", lambda: {"game": games.bilinear(), "gamma": 1, "share": 1.0}, share=0.9)
@fails("a step beyond the bound", lambda: {"game": games.bilinear(), "gamma": 0.5, "share": 1.01}, share=0.9)
def consensus_on_bilinear(game: Game, gamma: Parameter, share: float) -> Evidence:
    """On nonsingular bilinear games consensus steps have the eigenvalues 1 - h gamma sigma^2 +- i h sigma and converge
    exactly for h < 2 gamma / (1 + gamma^2 sigma^2), for every singular value sigma.
    """
    sigmas = singular_values(game)
    step = share * min(2 * float(gamma) / (1 + float(gamma) ** 2 * s**2) for s in sigmas)
    expected = [1 - step * float(gamma) * s**2 + sign * 1j * step * s for s in sigmas for sign in (1, -1)]
    rule = rules.Consensus(step, gamma)
    found = analysis.linearize(game, rule).eigenvalues
    return all_of(same_spectrum(found, np.array(expected), 1e-9), attracting(game, rule))


@mescheder.sharpened("Mescheder et al. 2018, figure 3 (consensus), after Mescheder et al. 2017, section 4")
@proved(r"\lambda = 1 - h\gamma f'(0)^2 \pm i h f'(0)")
@fails("another link: least squares has curvature of its own", lambda: {"loss": "least_squares"})
def consensus_on_dirac(loss: str = "minimax") -> Evidence:
    """At the equilibrium of the unregularised Dirac-GAN consensus steps have the eigenvalues 1 - h gamma f'(0)^2 +- i h
    f'(0): the rotation stays, and a real part is added.
    """
    step, gamma = sympy.symbols("h gamma", positive=True)
    slope = sympy.Rational(1, 2) if loss != "wasserstein" else 1
    matrix = update_map(games.dirac_gan(loss), rules.Consensus(step, gamma)).jacobian_at([0, 0])[1]
    pull, turn = 1 - step * gamma * slope**2, step * slope
    return same_expressions([matrix.trace(), matrix.det()], [2 * pull, pull**2 + turn**2])
