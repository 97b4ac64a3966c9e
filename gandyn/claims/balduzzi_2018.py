"""Claims of Balduzzi, Racaniere, Martens, Foerster, Tuyls & Graepel 2018, "The mechanics of n-player games"."""

from __future__ import annotations

from typing import Any

from .. import games, rules
from ..types import Game
from .base import Claim, Evidence, How, Mutant, Origin, Outside, register
from .evidence import all_of, bilinear_modes, critical_step, same_expressions

SHAPES = ((1, 1), (2, 1), (1, 1, 1))
TILT = 1e-4


def _hamiltonian(**options: Any) -> Any:
    from hypothesis import strategies as st

    from . import strategies

    return st.fixed_dictionaries({"game": strategies.mixed("none", sizes=SHAPES), **options})


def _moves(game: Game) -> bool:
    return bool(game.jacobian_expr.norm() > 0)


def _conserved(game: Any) -> Evidence:
    """dH/dt = -<J^T v, v> along dw/dt = -v, H = |v|^2 / 2, and the gradient J^T v is the adjustment A^T v."""
    import sympy

    from ..analysis.local.decomposition import decompose

    found = decompose(game)
    v = sympy.Matrix(game.field_exprs)
    gradient = sympy.Matrix([(v.T * v)[0] / 2]).jacobian(sympy.Matrix(game.symbols)).T
    return all_of(
        Evidence(found.kind == "Hamiltonian", found.kind),
        same_expressions((gradient.T * v)[0], 0),
        same_expressions(found.antisymmetric.T * v, gradient),
    )


register(
    Claim(
        name="balduzzi_2018.hamiltonian_conserved",
        statement=(
            "In a Hamiltonian game (S = 0), of any number of players, the gradient flow conserves H = |v|^2 / 2, and "
            "A^T v is the gradient of H."
        ),
        latex=r"S = 0 \Rightarrow \dot H = -\langle J^\top v, v\rangle = 0, \quad \nabla H = J^\top v = A^\top v",
        source="Balduzzi et al. 2018, section 2 (the theorem on Hamiltonian games)",
        how=How.PROPERTY,
        origin=Origin.PAPER,
        conclusion=_conserved,
        hypotheses=_hamiltonian,
        where=_moves,
        outside=(
            Outside(
                "the players have curvature of their own",
                lambda: {"game": games.quadratic(1, 1, 1)},
                restore=lambda: {"game": games.bilinear()},
            ),
            Outside(
                "a potential game",
                lambda: {"game": games.potential_quadratic(((2, 1), (1, 1)))},
                restore=lambda: {"game": games.bilinear()},
            ),
        ),
        mutants=(
            Mutant(
                "analysis/local/decomposition.py",
                "self.jacobian - self._transposed",
                "self.jacobian + self._transposed",
            ),
        ),
        draws=20,
    )
)


def _adjusted(weight: Any = "lam") -> Evidence:
    import sympy

    lr, lam = sympy.symbols("lr lam", positive=True)
    half = sympy.Rational(1, 2) if weight == "lam" else weight
    return all_of(
        bilinear_modes(rules.SGA("lr", weight), lambda z, sigma: z - (1 - lr * lam * sigma**2 - sympy.I * lr * sigma)),
        critical_step(games.bilinear(3), rules.SGA("lr", half), sympy.Rational(4, 13)),
    )


register(
    Claim(
        name="balduzzi_2018.sga_converges",
        statement=(
            "On bilinear games with a nonsingular matrix symplectic gradient adjustment of weight lambda converges "
            "exactly when eta (1 + lambda^2 sigma_max^2) < 2 lambda."
        ),
        latex=r"|\lambda|^2 = (1-\eta\lambda\sigma^2)^2 + \eta^2\sigma^2 < 1 \iff \eta(1+\lambda^2\sigma^2) < 2\lambda",
        source="Balduzzi et al. 2018, section 3 (SGA in Hamiltonian games); the exact region derived here",
        how=How.PROVED,
        origin=Origin.SHARPENED,
        conclusion=_adjusted,
        outside=(Outside("no adjustment: gradient descent-ascent", lambda: {"weight": 0}),),
        mutants=(Mutant("rules/symplectic.py", "v - weight * antisymmetric", "v - weight * antisymmetric / 2"),),
    )
)


def _consensus(game: Game) -> Evidence:
    from ..dynamics.trace import update_map

    sga = update_map(game, rules.SGA("lr", "lam", align=False)).expression
    return same_expressions(sga, update_map(game, rules.Consensus("lr", "lam")).expression)


register(
    Claim(
        name="balduzzi_2018.consensus_in_hamiltonian_games",
        statement=(
            "In Hamiltonian games (S = 0), of any number of players, symplectic gradient adjustment is consensus "
            "optimisation with the same weight."
        ),
        latex=r"S = 0 \Rightarrow A^\top v = J^\top v",
        source="Balduzzi et al. 2018, section 3 (comparison with consensus optimisation)",
        how=How.PROPERTY,
        origin=Origin.PAPER,
        conclusion=_consensus,
        hypotheses=_hamiltonian,
        where=_moves,
        outside=(
            Outside(
                "the players have curvature of their own",
                lambda: {"game": games.quadratic(1, 1, 1)},
                restore=lambda: {"game": games.bilinear()},
            ),
        ),
        mutants=(
            Mutant(
                "rules/consensus.py",
                "v + game.per_coordinate(self.gamma, w) * game.vjp(w, v, batch)",
                "v - game.per_coordinate(self.gamma, w) * game.vjp(w, v, batch)",
            ),
        ),
        draws=15,
    )
)


def _squared_cosine(a: Any, b: Any) -> float:
    return float((a @ b) ** 2 / ((a @ a) * (b @ b)))


def _parts(game: Game, angle: float) -> tuple[Any, Any, Any]:
    """v, the gradient J^T v, and A^T v at a point of the unit circle."""
    import numpy as np

    w = np.array([np.cos(angle), np.sin(angle)])
    j = game.jacobian(w)
    v = j @ w
    return w, v, j.T @ v


def _alignment(game: Game, angle: float, align: bool = True) -> Evidence:
    """A little of the adjustment turns v towards grad H where <v, grad H> > 0, away from it where it is negative."""
    import numpy as np

    from ..dynamics.iterate import iterate

    w, v, gradient = _parts(game, angle)
    rule = rules.SGA(1, TILT, align=align, alignment=1e-9)
    adjusted = w - np.asarray(iterate(game, rule, w, 1).w)[-1]
    before, after = _squared_cosine(v, gradient), _squared_cosine(adjusted, gradient)
    same_side = (v @ gradient) * (adjusted @ gradient) > 0
    return Evidence(bool(after > before and same_side), f"squared cosine {before:.10g} before, {after:.10g} after")


def _turning(game: Game, angle: float) -> bool:
    _, v, gradient = _parts(game, angle)
    adjustment = (game.jacobian(v) - game.jacobian(v).T).T @ v / 2
    size = (v @ v) * (gradient @ gradient)
    return bool(size > 1e-2 and abs((v @ gradient) * (adjustment @ gradient)) > 0.01 * size)


def _mixed_points() -> Any:
    from hypothesis import strategies as st

    from . import strategies

    return st.fixed_dictionaries({"game": strategies.mixed(), "angle": st.floats(0.1, 6.2)})


register(
    Claim(
        name="balduzzi_2018.alignment",
        statement=(
            "With the sign of lambda chosen by alignment a small adjustment turns the field towards the gradient of "
            "H = |v|^2 / 2 where <v, grad H> > 0 (drawn to the equilibrium), and towards its negative where it is < 0."
        ),
        latex=(
            r"\tfrac{d}{d\lambda}\cos^2(v + \lambda A^\top v,\nabla H)\big|_0 = "
            r"\frac{2\langle v,\nabla H\rangle\langle A^\top v,\nabla H\rangle}{|v|^2|\nabla H|^2}"
        ),
        source="Balduzzi et al. 2018, section 3.3 (the sign of lambda)",
        how=How.PROPERTY,
        origin=Origin.PAPER,
        conclusion=_alignment,
        hypotheses=_mixed_points,
        where=_turning,
        outside=(
            Outside(
                "the sign is always positive, and the point repels",
                lambda: {
                    "game": games.mixed_quadratic(((-1, 0), (0, -2)), ((0, 1), (-1, 0))),
                    "angle": 0.7,
                    "align": False,
                },
            ),
        ),
        mutants=(Mutant("rules/symplectic.py", "agreement = -dot(v, gradient)", "agreement = dot(v, gradient)"),),
        draws=30,
    )
)
