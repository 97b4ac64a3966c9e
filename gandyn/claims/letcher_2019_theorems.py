"""Theorems on stable fixed points and strict saddles: stable opponent shaping and symplectic gradient adjustment."""

from __future__ import annotations

from typing import Any

from .. import games, rules
from ..types import Game
from .base import Claim, Evidence, How, Mutant, Origin, Outside, register

SHARE = 0.02


def _radius(game: Game, rule: Any) -> float:
    import numpy as np

    from ..analysis.local.linearize import linearize

    return float(np.abs(np.linalg.eigvals(np.asarray(linearize(game, rule).matrix, dtype=float))).max())


def _numbers(game: Game) -> tuple[Any, float, float, float]:
    """J at 0, |J|, the least singular value over |J|, and the least eigenvalue of S over |J|."""
    import numpy as np

    j = np.array(game.jacobian(np.zeros(game.dim)), dtype=float)
    size = float(np.linalg.norm(j, 2))
    least = float(np.linalg.svd(j, compute_uv=False)[-1])
    return j, size, least / size, float(np.linalg.eigvalsh((j + j.T) / 2)[0]) / size


def _shaped(game: Game, rule: Any = rules.StableOpponentShaping) -> Evidence:
    """Steps of 0.02/|J| and a quarter of it attract, and a step from a zero of the field stays there."""
    import numpy as np

    size = _numbers(game)[1]
    radii = [_radius(game, rule(SHARE / size * share)) for share in (1, 0.25)]
    step = rule(SHARE / size)
    here = np.zeros(game.dim)
    moved = float(np.abs(step.step(game, here, step.init(game, here))[0]).max())
    return Evidence(max(radii) < 1 and moved == 0, f"spectral radii {radii[0]:.10f}, {radii[1]:.10f}; rests: {moved}")


def _stable() -> Any:
    from hypothesis import strategies as st

    from . import strategies

    positive = strategies.mixed("positive", sizes=((1, 1), (2, 1), (1, 1, 1), (2, 3)))
    return st.fixed_dictionaries({"game": st.one_of(positive, strategies.strongly_monotone(condition=30))})


def _invertible(game: Game) -> bool:
    return _numbers(game)[2] > 0.03


register(
    Claim(
        name="letcher_2019.sos_converges",
        statement=(
            "Stable opponent shaping converges locally to stable fixed points (J invertible, S positive semidefinite), "
            "of any number of players, for all small enough steps."
        ),
        latex=r"S \succeq 0,\ \det J \ne 0 \Rightarrow \rho(D_{\mathrm{SOS}}) < 1 \text{ for small } \eta",
        source="Letcher et al. 2019, the theorem on local convergence of SOS; J = H, S its symmetric part there",
        how=How.PROPERTY,
        origin=Origin.PAPER,
        conclusion=_shaped,
        hypotheses=_stable,
        where=_invertible,
        outside=(
            Outside(
                "a fixed point that is not stable",
                lambda: {"game": games.quadratic(-1, 0.5, 1)},
                restore=lambda: {"game": games.quadratic(1, 0.5, 1)},
            ),
            Outside("nobody is foreseen", lambda: {"game": games.bilinear(), "rule": rules.SimultaneousGD}),
        ),
        mutants=(Mutant("rules/shaping.py", "return v - game.coupling(", "return v + game.coupling("),),
        draws=15,
    )
)


def _leaves(game: Game, rule: Any = rules.StableOpponentShaping) -> Evidence:
    """Steps of 0.02/|J| and a quarter of it repel."""
    size = _numbers(game)[1]
    radii = [_radius(game, rule(SHARE / size * share)) for share in (1, 0.25)]
    return Evidence(min(radii) > 1, f"spectral radii {radii[0]:.10f}, {radii[1]:.10f}")


def _saddles() -> Any:
    from hypothesis import strategies as st

    from . import strategies

    return st.fixed_dictionaries({"game": strategies.mixed("any", sizes=((1, 1), (2, 1), (1, 1, 1)))})


def _strict(game: Game) -> bool:
    """An eigenvalue of J with a clearly negative real part: -Re > 0.05 |J|, well beyond what small steps add."""
    import numpy as np

    j, size, least, _ = _numbers(game)
    return least > 0.03 and float(np.linalg.eigvals(j).real.min()) < -0.05 * size


register(
    Claim(
        name="letcher_2019.sos_leaves_strict_saddles",
        statement=(
            "A strict saddle (J invertible, with an eigenvalue of negative real part) repels stable opponent shaping "
            "for all small enough steps, so that almost every start avoids it."
        ),
        latex=r"\min \mathrm{Re}\,\mathrm{sp}(J) < 0 \Rightarrow \rho(D_{\mathrm{SOS}}) > 1 \text{ for small } \eta",
        source="Letcher et al. 2019, the theorem on strict saddles (almost sure avoidance), by its linear part",
        how=How.PROPERTY,
        origin=Origin.PAPER,
        conclusion=_leaves,
        hypotheses=_saddles,
        where=_strict,
        outside=(
            Outside(
                "no eigenvalue of J has a negative real part",
                lambda: {"game": games.quadratic(1, 0.5, 1)},
                restore=lambda: {"game": games.quadratic(-1, 0.5, 1)},
            ),
        ),
        mutants=(Mutant("rules/shaping.py", "return v - game.coupling(", "return 0 * v - game.coupling("),),
        draws=15,
    )
)


def _adjusted(game: Game, rule: Any = None, sign: int = 1) -> Evidence:
    """(I + lam A^T) J with lam = 0.02 sign/|J|, steps of 0.2 lam: attracts where S >= 0, is left where S < 0."""
    size, stable = _numbers(game)[1], _numbers(game)[3] > -1e-9
    lam = SHARE * sign / size
    build = rule or (lambda lr: rules.SGA(lr, lam, align=False))
    radius = _radius(game, build(0.2 * SHARE / size))
    return Evidence((radius < 1) == stable, f"spectral radius {radius:.12f}; S >= 0: {stable}")


def _definite() -> Any:
    from hypothesis import strategies as st

    from . import strategies

    shapes = ((1, 1), (2, 1), (1, 1, 1), (2, 3))
    stable = st.one_of(strategies.mixed("positive", sizes=shapes), strategies.bilinear(condition=10))
    return st.fixed_dictionaries({"game": stable})


register(
    Claim(
        name="balduzzi_2018.sga_finds_stable_points",
        statement=(
            "Symplectic gradient adjustment with a small weight lam > 0 and small steps is attracted by stable fixed "
            "points (J invertible, S positive semidefinite), those included around which gradient descent circles."
        ),
        latex=r"S \succeq 0,\ \det J \ne 0,\ 0 < \lambda \ll 1 "
        r"\Rightarrow \mathrm{Re}\,\mathrm{sp}(J + \lambda A^\top J) > 0",
        source="Balduzzi et al. 2018, section 3 (SGA finds stable fixed points); Letcher et al. 2019 (JMLR)",
        how=How.PROPERTY,
        origin=Origin.PAPER,
        conclusion=_adjusted,
        hypotheses=_definite,
        where=_invertible,
        outside=(
            Outside("no adjustment", lambda: {"game": games.bilinear(), "rule": rules.SimultaneousGD}),
            Outside("a weight of the wrong sign", lambda: {"game": games.bilinear(), "sign": -1}),
        ),
        mutants=(
            Mutant("rules/symplectic.py", "change = v - weight * antisymmetric", "change = v + weight * antisymmetric"),
        ),
        draws=20,
    )
)
