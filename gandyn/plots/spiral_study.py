"""The field's most drawn picture: one start, many ways to take gradient steps, and the eigenvalues that tell why."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..doors import door
from ..errors import DomainError, ParameterError
from ..gans.monitor import Row
from ..lazy import sympy
from ..results import Result, Status, Trajectory, table
from ..types import Array, Game, Rule
from ..worlds import exact
from .drawable import as_array, labelled, plane
from .drawing import Drawing
from .eigenvalues import MOST_ANNOTATIONS, draw_spectrum, measured
from .phase import draw_portrait
from .style import current_width, series_styles, styled
from .surface import surface as draw_surface

if TYPE_CHECKING:
    from ..analysis.local.linearization import Linearization
    from ..analysis.stochastic.stationary import Stationary

STEPS, MOST_SAMPLES = 60, 12_000
TITLES = {"bilinear": r"$v(a, b) = ab$"}


@dataclasses.dataclass(frozen=True, repr=False)
class Spiral(Result):
    """The runs and numbers that the spiral's picture is drawn from.

    Attributes:
        game: a game of two coordinates. equilibrium: the point that distances are measured to, shape (2,).
        trajectories: by label, the gradient flow's first. linearizations: by label, at the equilibrium.
        laws: the stationary laws of the rules by label, where there is noise; those that exist are drawn as ellipses.
    """

    game: Game
    equilibrium: Array
    trajectories: dict[str, Trajectory]
    linearizations: dict[str, Linearization]
    laws: dict[str, Stationary] = dataclasses.field(default_factory=dict)

    _data = "game equilibrium"
    _plot = "draw_spiral"

    def rows(self) -> list[Row]:
        """One dict for each trajectory: rule, spectral radius (exact text and float), verdict, final distance.

        The radius is None for the flow, which has a spectral abscissa instead, and where the map has no derivative.
        """
        return [self._row(label, run, self.linearizations[label]) for label, run in self.trajectories.items()]

    def _row(self, label: str, run: Trajectory, lin: Linearization) -> Row:
        row: Row = {
            "rule": label,
            "call": None if run.rule is None else repr(run.rule),
            "spectral_radius": None,
            "spectral_radius_exact": None,
            "spectral_abscissa": None,
            "verdict": str(lin.verdict.value),
            "reason": lin.reason,
            "diverged": bool(np.any(run.diverged)),
            "final_distance": float(np.linalg.norm(as_array(run.w)[-1] - self.equilibrium)),
            "eigenvalues": None,
        }
        if has_spectrum(lin):
            name, number, exact = measured(lin)
            row.update({name: number, "eigenvalues": np.asarray(lin.eigenvalues)})
            if name == "spectral_radius" and exact is not None:
                row["spectral_radius_exact"] = str(exact)
        if label in self.laws:
            row["noise_floor"] = self.laws[label].mean_square_distance
        return row

    def summary(self) -> str:
        """The table: rule, spectral radius, verdict, final distance; with noise, the mean-square distance it leaves."""
        heads = ("rule", "spectral radius", "", "verdict", "final distance", *(["noise floor"] if self.laws else []))
        return "\n".join(table([heads, *(_cells(row) + self._floor(row) for row in self.rows())]))

    def _floor(self, row: Row) -> tuple[str, ...]:
        if not self.laws:
            return ()
        floor = row.get("noise_floor")
        return ("" if floor is None else "none" if np.isinf(floor) else f"{floor:.6g}",)

    def _headline(self) -> str:
        return f"{self.game.name}: {', '.join(self.trajectories)}"

    def _contents(self) -> Row:
        runs = self.trajectories.values()
        rules = [{**row, "t": run.t, "w": run.w} for row, run in zip(self.rows(), runs, strict=True)]
        return super()._contents() | {"start": as_array(next(iter(runs)).w)[0], "rules": rules}


def _cells(row: Row) -> tuple[str, ...]:
    exact = row["spectral_radius_exact"] or ""
    exact = exact if len(exact) <= 32 and "CRootOf" not in exact else ""
    number = row["spectral_radius"]
    decimal = "" if number is None else f"{number:.6f}"
    if row["call"] is None:
        exact, decimal = "flow, no map", ""
    elif number is None:
        exact = "no derivative"
    verdict = f"{row['verdict']}; the run overflowed" if row["diverged"] else row["verdict"]
    return row["rule"], exact, decimal, verdict, f"{row['final_distance']:.6g}"


def has_spectrum(lin: Linearization) -> bool:
    """Whether the map has a derivative at the point (Adam at an equilibrium has none)."""
    try:
        return lin.eigenvalues is not None
    except DomainError:
        return False


@door
def compute_spiral(
    game: Game | None = None,
    rules: Sequence[Rule] | None = None,
    lr: object = 0.2,
    start: object = (1.0, 0.0),
    steps: int | None = None,
    noise: object = None,
) -> Spiral:
    """Run the flow and the rules from one start, and linearise each at the equilibrium.

    Args:
        game: a game of two coordinates; v(a, b) = ab by default.
        rules: by default simultaneous, alternating, extragradient and optimistic steps of size `lr`.
        lr: step size of the default rules; the flow runs for time steps * lr (the mean of lr where it is per player).
        start: two coordinates.
        steps: number of steps; by default 60, or as many as the flow needs for one and a half turns, at most 600.
        noise: on the rules' field evaluations: `gd.noise.Additive`, or the covariance of one.

    Raises:
        DomainError: for other than two coordinates. ParameterError: where no equilibrium is known or found.

    Example:
        >>> import gandyn as gd
        >>> study = gd.plots.compute_spiral(steps=10)
        >>> study.rows()[1]["spectral_radius_exact"]
        'sqrt(26)/5'
    """
    from .. import games
    from .. import rules as catalogue
    from ..analysis.local.linearize import linearize
    from ..dynamics.iterate import iterate

    game = games.bilinear() if game is None else game
    plane(game)
    if rules is None:
        rules = [
            catalogue.SimultaneousGD(lr),
            catalogue.AlternatingGD(lr),
            catalogue.Extragradient(lr),
            catalogue.OptimisticGD(lr),
        ]
    at = _equilibrium(game, start)
    lengths = [exact(step) for step in game.per_player(lr)]
    if any(step.free_symbols for step in lengths):
        raise ParameterError(f"a spiral with lr={lr!r}", "numbers", "lr=0.2")
    length = float(np.mean([float(step) for step in lengths]))
    turning = linearize(game, at=at)
    if steps is None:
        steps = _one_and_a_half_turns(turning, length)
    runs = [iterate(game, rule, start, steps, noise=noise) for rule in rules]
    named = labelled([_smooth_flow(turning, at, start, length * steps), *runs], Trajectory)
    lins = {label: linearize(game, run.rule, at=at) for label, run in named.items()}
    rolled = {} if noise is None else {label: run.rule for label, run in named.items() if run.rule is not None}
    laws = {label: law for label, rule in rolled.items() if (law := _law(game, rule, noise, at)) is not None}
    return Spiral(game, np.array([float(x) for x in at]), named, lins, laws)


def _law(game: Game, rule: Rule, noise: object, at: object) -> Stationary | None:
    """The stationary law of a rule under noise; None for a rule without a derivative at the point, such as Adam."""
    from ..analysis.stochastic.stationary import stationary

    try:
        return stationary(game, rule, noise, at)
    except DomainError:
        return None


def _one_and_a_half_turns(lin: Linearization, length: float) -> int:
    """60 steps, or as many as the flow's linear part needs for one and a half turns."""
    speed = float(np.abs(np.imag(np.asarray(lin.eigenvalues))).max(initial=0.0)) if has_spectrum(lin) else 0.0
    if speed * length <= 0:
        return STEPS
    return int(np.clip(np.ceil(3 * np.pi / (speed * length)), STEPS, 10 * STEPS))


def _smooth_flow(lin: Linearization, at: Sequence[sympy.Expr], start: object, time: float) -> Trajectory:
    """The flow at so many times that it turns by less than six degrees from one to the next."""
    from ..dynamics.flow import flow

    samples = 201
    while True:
        run: Trajectory = _affine_flow(lin, at, start, time, samples) or flow(lin.game, start, time, samples=samples)
        moves = np.diff(as_array(run.w), axis=0)
        moves = moves[np.linalg.norm(moves, axis=-1) > 1e-9 * np.abs(as_array(run.w)).max()]
        headings = np.unwrap(np.arctan2(moves[:, 1], moves[:, 0]))
        if samples > MOST_SAMPLES or len(headings) < 2 or float(np.abs(np.diff(headings)).max()) < np.deg2rad(6):
            return run
        samples = 2 * samples - 1


def _affine_flow(
    lin: Linearization, at: Sequence[sympy.Expr], start: object, time: float, samples: int
) -> Trajectory | None:
    """The flow of an affine field in closed form, without an integrator; None for other fields, and on overflow.

    With m half the trace of M = -J and N = M - m I, N^2 is q I with q = -det N, and w(t) = w* + exp(M t) (w(0) - w*),
    where exp(M t) = e^(m t) (cosh(sqrt(q) t) I + sinh(sqrt(q) t) / sqrt(q) N).
    """
    if not lin.affine:
        return None
    centre, t = np.array([float(x) for x in at]), np.linspace(0.0, time, samples)[:, None]
    mean = float(np.trace(lin.matrix)) / 2
    rest = np.asarray(lin.matrix, dtype=float) - mean * np.eye(2)
    root = np.sqrt(complex(-np.linalg.det(rest)))
    away = np.asarray(start, dtype=float) - centre
    with np.errstate(all="ignore"):
        sinh = t if root == 0 else (np.sinh(root * t) / root).real
        w = centre + np.exp(mean * t) * (np.cosh(root * t).real * away + sinh * (rest @ away))
    if not np.isfinite(w).all():
        return None
    return Trajectory(w, t[:, 0], Status.OK, samples - 1, lin.game, kernel="closed form", info={"end": time})


def _equilibrium(game: Game, start: object) -> tuple[sympy.Expr, ...]:
    """The known or found equilibrium nearest to the start: exact where it is known so."""
    from ..analysis.zeros.fixed_points import fixed_points

    centre = np.asarray(start, dtype=float)
    if centre.shape != (2,) or not np.isfinite(centre).all():
        game.check(centre)
        raise ParameterError(f"start={start}", "one point, two finite numbers", "start=(1, 0)")
    found = fixed_points(game, box=[(x - 10.0, x + 10.0) for x in centre])
    if not found:
        raise ParameterError(
            f"{game.name} has no equilibrium within 10 of the start", "a start near one", "gd.fixed_points(game, box)"
        )
    nearest = min(found, key=lambda result: float(np.linalg.norm(result.point - centre)))
    return nearest.point if nearest.exact is None else nearest.exact


@styled
def spiral(
    game: Game | None = None,
    rules: Sequence[Rule] | None = None,
    lr: object = 0.2,
    start: object = (1.0, 0.0),
    steps: int | None = None,
    surface: bool = False,
) -> Drawing:
    """The spiral picture: trajectories over the vector field, and the update maps' eigenvalues on the unit circle.

    `.data["spiral"]` of the result is the table as plain values.

    Args:
        game, rules, lr, start, steps: as for `compute_spiral`.
        surface: draw the cost's surface instead, with the trajectories climbing on it.

    Example:
        >>> import gandyn as gd
        >>> figure = gd.plots.spiral(steps=20)
        >>> round(figure.data["spiral"]["rules"][1]["final_distance"], 6)  # (1 + lr^2)^(steps / 2)
        1.480244
    """
    if game is not None:
        plane(game)
    return draw_spiral(compute_spiral(game, rules, lr, start, steps), surface=surface)


@styled
def draw_spiral(study: Spiral, surface: bool = False) -> Drawing:
    """Draw what `compute_spiral` found: what `Spiral.plot()` shows.

    Args:
        study: of `compute_spiral`.
        surface: the cost's surface, with the trajectories on it, instead of the plane.
    """
    if surface:
        figure = draw_surface(study.game, study.trajectories)
        figure.data["spiral"] = study.to_dict()
        return figure
    maps = {label: lin for label, lin in study.linearizations.items() if lin.rule is not None and has_spectrum(lin)}
    stacked = current_width() == "single"
    columns = (2 if stacked else 4) // (1 if len(maps) <= MOST_ANNOTATIONS else 2)
    figure = Drawing(height=2.0 if stacked else 0.58)
    left, right = figure.subplots(*((2, 1) if stacked else (1, 2)))
    draw_portrait(figure, left, study.game, trajectories=study.trajectories)
    left.set_title(TITLES.get(study.game.name, study.game.name))
    flows = [run.rule is None for run in study.trajectories.values()]
    styles = series_styles(list(study.trajectories), flows)
    for label, law in study.laws.items():
        if law.exists:
            from .noise import ellipse

            left.plot(*ellipse(law).T, color=styles[label].colour, linewidth=0.8, linestyle="--")
    right.set_title("eigenvalues of the update maps")
    handles, names = left.get_legend_handles_labels()
    legend = figure.legend(handles, names, loc="outside lower center", ncols=columns)
    if maps:
        formulas = draw_spectrum(figure, right, maps, styles)
        if formulas:  # they did not fit beside their points
            legend.remove()
            known = {name: next((label for label in formulas if name.startswith(label)), None) for name in names}
            full = [f"{n}: {formulas[k]}".replace("$\n$", "") if (k := known[n]) is not None else n for n in names]
            figure.legend(handles, full, loc="outside lower center", ncols=columns)
    else:
        right.set_axis_off()
        right.text(0.5, 0.5, "no update map has a derivative here", ha="center", transform=right.transAxes)
    figure.data["spiral"] = study.to_dict()
    return figure
