"""Time-scale separation: how fast the discriminator must be, and that faster is not always better.

**The paper** shows the Dirac-GAN with R1 for time-scale ratios tau in {1, 4, 8, 16} and two regularisations, and a
quadratic game in four dimensions whose strict local minimax attracts the flow if and only if tau > tau* = 2.

**Settings.** Dirac-GAN: mu 0.3 and 1, steps 0.01 and 0.01 tau, 4000 iterations, start (1, 1). Quadratic: v = 4, the
flow's spectral abscissa for tau in [0.5, 6].

**What we find.** Agreement. tau* = 2 comes out exactly by the guard map. On the Dirac-GAN the flow eigenvalues are
-mu tau/2 +- sqrt(mu^2 tau^2/4 - tau/4): the real part falls in proportion to tau up to tau = 1/mu^2 (11.1 for mu =
0.3, 1 for mu = 1), and beyond that the slower one of two real eigenvalues rises towards -1/(4 mu). So with mu = 0.3
tau = 8 is fastest of the four, and with mu = 1 tau = 1 is: a fast discriminator that is strongly regularised is slow.
"""

from __future__ import annotations

import cmath
from typing import Any

import numpy as np

import gandyn as gd
from gandyn.figures import Expected
from gandyn.plots.style import FAINT, INK, QUIET, SERIES

PAPER = "Fiez & Ratliff 2020"
TITLE = "How much faster the discriminator must be"
SOURCE = "section 5, the Dirac-GAN and the quadratic game"
VERDICT = "reproduced"

TAUS, PENALTIES, LR, ITERATIONS, START = (1, 4, 8, 16), (0.3, 1.0), 0.01, 4000, (1.0, 1.0)
RATIOS = np.linspace(0.5, 6, 56)


def compute(quick: bool) -> dict[str, Any]:
    """Dirac-GAN orbits (penalties, taus, iterations + 1, 2) with abscissas; abscissas of the quadratic by tau."""
    orbits, abscissas = [], []
    for mu in PENALTIES:
        game = gd.games.dirac_gan(penalty=gd.penalties.R1(mu))
        jacobian = game.jacobian(np.zeros(2))
        for tau in TAUS:
            orbits.append(gd.iterate(game, gd.rules.GDA((LR, LR * tau)), START, ITERATIONS).w)
            abscissas.append(np.linalg.eigvals(-np.diag([1, tau]) @ jacobian).real.max())
    shape = (len(PENALTIES), len(TAUS))
    quadratic = [gd.linearize(gd.games.tau_gda(4, 4, float(tau)), at=[0] * 4).spectral_abscissa for tau in RATIOS]
    slow = [gd.linearize(gd.games.tau_gda(2, 4, float(tau)), at=[0] * 2).spectral_abscissa for tau in RATIOS]
    return {
        "orbits": np.array(orbits).reshape(*shape, ITERATIONS + 1, 2),
        "abscissas": np.array(abscissas).reshape(shape),
        "ratios": RATIOS,
        "quadratic": np.array(quadratic),
        "first_pair": np.array(slow),
        "critical": float(gd.analysis.critical_time_scale(gd.games.tau_gda(4, 4, 1))),
    }


def draw(data: dict[str, Any]) -> Any:
    """Orbits and distances for both penalties, a column each; the quadratic's abscissa below."""
    figure = gd.plots.Drawing(height=1.55)
    grid = figure.add_gridspec(3, 2, height_ratios=[1.3, 1.0, 1.0])
    below = figure.add_subplot(grid[2, :])
    for column, (mu, orbits) in enumerate(zip(PENALTIES, data["orbits"], strict=True)):
        plane, distance = figure.add_subplot(grid[0, column]), figure.add_subplot(grid[1, column])
        for k, (tau, w) in enumerate(zip(TAUS, orbits, strict=True)):
            plane.plot(*w.T, color=SERIES[k], linewidth=0.9)
            distance.plot(np.linalg.norm(w, axis=-1), color=SERIES[k], linewidth=1.0, label=rf"$\tau = {tau}$")
        plane.plot(0, 0, "*", color=INK, markersize=5, zorder=5)
        plane.set(xlabel=r"$\theta$", ylabel=r"$\phi$", title=rf"R1 with $\mu = {mu:g}$", aspect="equal")
        plane.set(xlim=(-0.7, 1.25), ylim=(-0.6, 1.15))
        distance.set(yscale="log", ylim=(1e-6, 3), xlim=(0, ITERATIONS), xlabel="iteration", xticks=[0, 2000, 4000])
        distance.set_ylabel("distance" if column == 0 else "")
    below.axhspan(-20, 0, color="#f3f3f3", zorder=0)
    below.axvline(data["critical"], color=QUIET, linewidth=0.8, linestyle=(0, (4, 3)))
    below.text(data["critical"], 2.6, r" $\tau^* = 2$", ha="left", va="top")
    below.plot(data["ratios"], data["quadratic"], color=INK, linewidth=1.3)
    below.axhline(0, color=FAINT, linewidth=0.8)
    below.set(xlabel=r"$\tau$ of the quadratic game", ylabel=r"$\max\,\mathrm{Re}\,\lambda$", ylim=(-3, 3))
    below.margins(x=0)
    figure.legend(*distance.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def _abscissa(mu: float, tau: float) -> float:
    return (-mu * tau / 2 + cmath.sqrt(mu**2 * tau**2 / 4 - tau / 4)).real


def _measured(penalty: int, ratio: int) -> Any:
    """Rate of the orbit's last thousand iterations in units of time, where it is still above rounding."""

    def rate(d: Any) -> float:
        away = np.linalg.norm(d["orbits"][penalty, ratio], axis=-1)
        last = int(np.flatnonzero(away > 1e-9)[-1])
        return float(np.log(away[last] / away[last // 2]) / ((last - last // 2) * LR))

    return rate


EXPECTED = (
    Expected("critical ratio of the quadratic", 2, 0, "trace v (tau/2 - 1) of its first pair", lambda d: d["critical"]),
    Expected(
        "abscissa at tau = 2", 0, 1e-12, "the pair crosses the axis",
        lambda d: np.interp(2.0, d["ratios"], d["quadratic"]),
    ),
    *(
        Expected(
            f"abscissa, mu {mu:g}, tau {tau}", _abscissa(mu, tau), 1e-7, "-mu tau/2 + sqrt(mu^2 tau^2/4 - tau/4)",
            lambda d, i=i, k=k: d["abscissas"][i, k],
        )
        for i, mu in enumerate(PENALTIES) for k, tau in enumerate(TAUS)
    ),
    Expected("fastest ratio, mu 0.3", 8, 0, "nearest below 1/mu^2", lambda d: TAUS[int(d["abscissas"][0].argmin())]),
    Expected("fastest ratio, mu 1", 1, 0, "1/mu^2 = 1", lambda d: TAUS[int(d["abscissas"][1].argmin())]),
    Expected("measured rate, mu 1, tau 16", _abscissa(1, 16), 0.01, "its slow real eigenvalue", _measured(1, 3)),
    Expected("measured rate, mu 0.3, tau 16", _abscissa(0.3, 16), 0.08, "its slow real eigenvalue", _measured(0, 3)),
)  # fmt: skip
