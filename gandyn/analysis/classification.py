"""What kind of solution a critical point is: Nash, Stackelberg, stable but not Nash; and the deciding time scale."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from ..doors import door
from ..errors import ParameterError
from ..results import Result, plain
from ..types import Game
from .linearize import Linearization, linearize

EXACT_SIZE = 12
SEMIDEFINITE = 1e-9


@dataclasses.dataclass(frozen=True, repr=False)
class Classification(Result):
    """A critical point in the words of game theory and of dynamics.

    Attributes:
        game, at: the point, shape (d,).
        own: for each player, the definiteness of its own Hessian: "positive definite", "positive semidefinite",
            "indefinite", "negative definite" or "negative semidefinite".
        stackelberg: whether player 1's Schur complement f_xx - f_xy f_yy^-1 f_yx is positive definite beside a
            strictly concave player 2 (two-player zero-sum games; None elsewhere).
        linearization: of the gradient flow.
    """

    game: Game
    at: tuple[Any, ...]
    own: tuple[str, ...]
    stackelberg: bool | None
    linearization: Linearization

    @property
    def nash(self) -> str:
        """strict local Nash; possibly (second-order conditions hold weakly); or no."""
        if all(kind == "positive definite" for kind in self.own):
            return "strict local Nash"
        if all(kind.startswith("positive") for kind in self.own):
            return "possibly local Nash: an own Hessian is only semidefinite"
        return "not a local Nash equilibrium"

    @property
    def minimax(self) -> str:
        """Strict local minimax (Stackelberg) or not (Jin et al. 2020, proposition 20)."""
        if self.stackelberg is None:
            return "local minimax is defined for two-player zero-sum games"
        return "strict local minimax" if self.stackelberg else "not a strict local minimax point"

    @property
    def label(self) -> str:
        """Nash and stability in one phrase."""
        stable = self.linearization.verdict.value
        if self.nash.startswith("not"):
            return "stable but not Nash" if stable == "attracting" else f"{stable}, not Nash"
        if stable == "attracting":
            return f"{self.nash}, {stable}"
        unstable = "unstable, " if stable in ("repelling", "saddle") else ""
        return f"Nash but {unstable}{stable}: {self.nash}"

    def summary(self) -> str:
        """Label, then the evidence."""
        lines = [f"({', '.join(map(str, self.at))}) of {self.game.name}: {self.label}"]
        for player, kind in zip(self.game.players, self.own, strict=True):
            lines.append(f"own Hessian of {player.name}: {kind}")
        lines.append(self.minimax)
        lines.append(f"flow: {self.linearization.verdict} ({self.linearization.reason})")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain data."""
        result: dict[str, Any] = plain(
            {
                "game": self.game.name,
                "at": [float(x) for x in self.at],
                "label": self.label,
                "nash": self.nash,
                "minimax": self.minimax,
                "own_hessians": self.own,
                "flow": self.linearization.verdict,
            }
        )
        return result


@door
def classify(game: Game, at: Any = None) -> Classification:
    """Classify a critical point from its game Jacobian.

    Second-order conditions: player i's own Hessian d^2 f_i/dx_i^2 positive definite for all i is a strict local Nash
    equilibrium; semidefinite is necessary. Exact for symbolic games at exact points.

    Args:
        game: the game.
        at: the point; the game's first known equilibrium by default.

    Raises:
        ParameterError: if the field does not vanish there.

    Example:
        >>> import gandyn as gd
        >>> gd.classify(gd.games.quadratic(1, 2, 1)).nash
        'strict local Nash'
    """
    lin = linearize(game, at=at)
    if lin.residual > 1e-6:
        raise ParameterError(
            f"the field of {game.name} is {lin.residual:.2e} long at this point",
            "a zero of the field",
            "gd.fixed_points",
        )
    exact_matrix = None if lin.exact is None or lin.exact.parameters else -lin.exact.matrix
    jacobian = -np.asarray(lin.matrix, dtype=float)
    own = tuple(_definiteness(_block(exact_matrix, jacobian, s, s)) for s in game.slices)
    return Classification(game, lin.at, own, _stackelberg(game, exact_matrix, jacobian), lin)


def _block(exact_matrix: Any, jacobian: np.ndarray, rows: slice, columns: slice) -> Any:
    if exact_matrix is not None and exact_matrix.rows <= EXACT_SIZE:
        return exact_matrix[rows.start : rows.stop, columns.start : columns.stop]
    return jacobian[rows, columns]


def _definiteness(hessian: Any) -> str:
    """From the exact characteristic polynomial's roots where there is one, else from eigenvalues."""
    if isinstance(hessian, np.ndarray):
        values = np.linalg.eigvalsh((hessian + hessian.T) / 2)
        scale = SEMIDEFINITE * max(1.0, float(np.abs(values).max()))
        signs = np.where(np.abs(values) <= scale, 0, np.sign(values))
        low, high = int(signs.min()), int(signs.max())
    else:
        from .polynomials import factors, place

        placement = place(factors(hessian), flow=True)  # symmetric: real roots, left of the axis means negative
        low = -1 if placement.inside else 0 if placement.boundary else 1
        high = 1 if placement.outside else 0 if placement.boundary else -1
    names = {(1, 1): "positive definite", (0, 1): "positive semidefinite", (0, 0): "positive semidefinite (zero)"}
    names |= {(-1, -1): "negative definite", (-1, 0): "negative semidefinite"}
    return names.get((low, high), "indefinite")


def _stackelberg(game: Game, exact_matrix: Any, jacobian: np.ndarray) -> bool | None:
    if not (game.zero_sum and len(game.players) == 2):
        return None
    x, y = game.slices
    parts = [_block(exact_matrix, jacobian, r, c) for r, c in ((x, x), (x, y), (y, x), (y, y))]
    xx, xy, yx, yy = parts
    if _definiteness(yy) != "positive definite":
        return False
    # J = [[f_xx, f_xy], [-f_yx, -f_yy]], so f_xx - f_xy f_yy^-1 f_yx = xx - xy yy^-1 yx.
    schur = xx - xy @ (np.linalg.solve(yy, yx) if isinstance(yy, np.ndarray) else yy.LUsolve(yx))
    return _definiteness(schur) == "positive definite"
