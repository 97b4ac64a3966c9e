"""The forsaken equilibrium: a stable point that almost no start reaches.

**The paper** (example 5.2) gives f(x, y) = x (y - 0.45) + phi(x) - phi(y), phi(z) = z^2/4 - z^4/2 + z^6/6, on whose
plane every method of Robbins-Monro type (gradient descent-ascent, extragradient, optimistic steps) ends in a cycle
that holds no critical point, although there is a stable one.

**Settings.** The flow from one start in each of the three regions; both cycles by Newton shooting; and where 200 x
200 starts on [-2, 2]^2 end under gradient descent-ascent and extragradient with step 0.01.

**What we find.** Agreement. The critical point (0.0780, 0.4119) attracts weakly (flow eigenvalues -0.0447 +- 0.9080
i). It is shielded by a repelling cycle that encloses 0.70 % of the box, and that one lies inside an attracting cycle
of period 7.548. Each Floquet multiplier is found twice: from the variational equation, and by Liouville's formula
exp(-integral of the trace of J). Extragradient enlarges the basin a little and gradient descent-ascent shrinks it;
neither changes the picture. The point is no local Nash equilibrium: player y stands at a local minimum of what it
maximises.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import gandyn as gd
from gandyn.figures import Expected
from gandyn.plots.style import FAINT, INK, SERIES

PAPER = "Hsieh, Mertikopoulos & Cevher 2021"
TITLE = "The forsaken equilibrium and its two cycles"
SOURCE = "example 5.2"
VERDICT = "reproduced"

REACH, LR = 2.0, 0.01
STARTS = {"inside": (0.078, 0.50), "between": (0.078, 0.75), "outside": (1.7, 1.7)}


def _enclosed(points: np.ndarray) -> float:
    """Area inside a closed curve."""
    x, y = points.T
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)


def compute(quick: bool) -> dict[str, Any]:
    """The critical point, both cycles, three orbits of the flow, and the shares of starts by where they end."""
    game = gd.games.forsaken()
    at = gd.linearize(game, at=game.equilibria[0])
    repelling, attracting = gd.limit_cycles(game, [(-REACH, REACH)] * 2)
    data: dict[str, Any] = {"equilibrium": at.at, "eigenvalues": at.eigenvalues, "reach": REACH}
    for name, cycle in (("repelling", repelling), ("attracting", attracting)):
        trace = np.trace(game.jacobian(cycle.points), axis1=-2, axis2=-1).mean() * cycle.period
        data |= {
            f"{name}_cycle": cycle.points,
            f"{name}_period": cycle.period,
            f"{name}_multiplier": float(cycle.multipliers[0].real),
            f"{name}_liouville": float(np.exp(-trace)),
            f"{name}_area": _enclosed(cycle.points),
            f"{name}_stable": cycle.stable,
        }
    for name, start in STARTS.items():
        run = gd.flow(game, start, 80.0, samples=1601)
        data |= {f"flow_{name}": run.w, "time": run.t}
    for name, rule in (("gda", gd.rules.GDA(LR)), ("extragradient", gd.rules.Extragradient(LR))):
        shares = gd.basins(game, rule, [(-REACH, REACH, 200)] * 2, steps=20_000).shares
        data[f"share_{name}"] = sum(share for label, share in shares.items() if label.startswith("attractor"))
    axis = np.linspace(-REACH, REACH, 61)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1)
    return data | {"axis": axis, "descent": -game.field(grid)}


def draw(data: dict[str, Any]) -> Any:
    """The plane with both cycles and an orbit in each region; the orbits' distances from the critical point in time."""
    figure = gd.plots.Drawing(height=1.5)
    plane, distance = figure.subplots(2, 1, height_ratios=[2.6, 1.0])
    u = data["descent"]
    plane.streamplot(
        data["axis"], data["axis"], u[..., 0], u[..., 1], color=FAINT, linewidth=0.4, arrowsize=0.5, zorder=1
    )
    for (name, colour), marker in zip(zip(STARTS, (SERIES[2], SERIES[4], SERIES[1]), strict=True), "osD", strict=True):
        w = data[f"flow_{name}"]
        plane.plot(*w.T, color=colour, linewidth=0.6, zorder=2)
        plane.plot(*w[0], marker, color=colour, markersize=3.5, markeredgecolor="white", markeredgewidth=0.4, zorder=5)
        away = np.linalg.norm(w - data["equilibrium"], axis=-1)
        distance.plot(data["time"], away, color=colour, linewidth=0.8, label=f"from {name}")
    for name, style in (("attracting", "-"), ("repelling", "--")):
        cycle = np.concatenate([data[f"{name}_cycle"], data[f"{name}_cycle"][:1]])
        plane.plot(*cycle.T, style, color=INK, linewidth=1.5, label=f"{name} cycle", zorder=4)
    plane.plot(*data["equilibrium"], "*", color=INK, markersize=7, label="critical point", zorder=6, linestyle="none")
    reach = float(data["reach"])
    plane.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xlabel="$x$", ylabel="$y$")
    distance.set(xlabel="time of the flow", ylabel="distance", ylim=(0, None))
    distance.margins(x=0)
    figure.legend(loc="outside lower center", ncols=3)
    return figure


EXPECTED = (
    Expected("critical point, x", 0.0780267, 1e-6, "root of the gradient, 40 digits", lambda d: d["equilibrium"][0]),
    Expected("critical point, y", 0.4119338, 1e-6, "root of the gradient, 40 digits", lambda d: d["equilibrium"][1]),
    Expected("real part there", -0.0447460, 1e-6, "-(phi''(x) + phi''(y)) / 2", lambda d: d["eigenvalues"][0].real),
    Expected(
        "repelling cycle: multiplier by Liouville's formula", 1.0, 1e-8, "exp(-integral of trace J)",
        lambda d: d["repelling_multiplier"] / d["repelling_liouville"],
    ),
    Expected(
        "attracting cycle: multiplier by Liouville's formula", 0.0, 1e-9, "exp(-integral of trace J), both near 0",
        lambda d: d["attracting_multiplier"] - d["attracting_liouville"],
    ),
    Expected("the repelling cycle repels", 1.9198, 1e-3, "derived; above 1", lambda d: d["repelling_multiplier"]),
    Expected(
        "basin under extragradient minus the area inside the repelling cycle", 0.0010, 0.0008,
        "extragradient's O(lr) drift draws inwards: positive, and small",
        lambda d: d["share_extragradient"] - d["repelling_area"] / (2 * d["reach"]) ** 2,
    ),
    Expected(
        "basin under gradient descent-ascent minus that area", -0.0010, 0.0008,
        "gradient descent-ascent's drift pushes outwards: negative, and small",
        lambda d: d["share_gda"] - d["repelling_area"] / (2 * d["reach"]) ** 2,
    ),
)  # fmt: skip
