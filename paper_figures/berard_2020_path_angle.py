"""The path from the start of training to its end: does the field draw in, or does it turn?

**The paper** looks at trained GANs along the straight line between initial and final parameters: the cosine of the
angle between the field and the line (the path angle), and the eigenvalues of the Jacobian at both ends. It finds a
bump in the angle, rotation, in all GANs, imaginary parts in the spectra, and end points that are no local Nash
equilibria.

**Settings.** Mixture of two normals at +-2 with standard deviation 1 on the line, non-saturating loss, one hidden
layer of 100, latent 100, alternating gradient steps of 0.01 (generator) and 0.1 (discriminator), gradient penalty
1e-3, 100 points of the path from -0.1 to 1.1. Full: 20 000 steps of batch 1000, 100 eigenvalues of largest modulus.
Quick: 3000 steps of batch 256, 20 eigenvalues. Path and spectra use one batch of the training's size.

**What we find.** One seed at the quick settings, which settles nothing, shows the spectra and no bump. Half of the 20
leading eigenvalues at the end are complex, all of them on the attracting side (at the start the leading pair turns
four times as fast), and both players' own Hessians have negative curvature, so that the end attracts without being a
local Nash equilibrium. The norm of the field falls by a factor of seven along the path, but not to zero, and the
angle's cosine, never beyond 0.1, changes sign only after the end, at alpha = 1.06: this run has not come to its
equilibrium, as the samples show, which have the data's variance but not yet its two modes. The jump or bump at 1 is a
statement on the end of a longer run. With the Wasserstein loss these steps and this penalty let the generator
collapse to a point, so that there is no trained GAN to look at; it is left out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import gandyn as gd
from gandyn.figures import Expected
from gandyn.plots.style import FAINT, INK, QUIET, SERIES

PAPER = "Berard et al. 2020"
TITLE = "Path angle and spectra of a small GAN"
SOURCE = "the figures of the path angle and of the eigenvalues on the mixture of Gaussians"
VERDICT = "not settled at 3000 gradients (3000 of the paper's 20000 iterations); 1 seed"
SEED = 0

FULL = {"batch": 1000, "steps": 20_000, "eigenvalues": 100}
QUICK = {"batch": 256, "steps": 3000, "eigenvalues": 20}


def _mixture(n: int, generator: Any) -> Any:
    """n points of the two normals, (n, 1)."""
    import torch

    side = 4.0 * torch.randint(2, (n, 1), generator=generator, device=generator.device) - 2.0
    return side + torch.randn(n, 1, generator=generator, device=generator.device)


def compute(quick: bool) -> dict[str, Any]:
    """Path angle and norm, eigenvalues at both ends, the players' own least curvatures, samples at the end."""
    import torch

    settings: dict[str, Any] = QUICK if quick else FULL
    device = "cuda" if not quick and torch.cuda.is_available() else "cpu"
    networks = gd.gans.architectures.pair("mlp", (1,), SEED, generator={"latent": 100}, hidden=(100,))
    options: dict[str, Any] = {"data": _mixture, "batch_size": settings["batch"], "device": device}
    game = gd.gans.GANGame(*networks, "nonsaturating", gd.penalties.WGANGP(1e-3), **options)
    start = game.w0.clone()
    run = gd.gans.train(game, gd.rules.AlternatingGD((0.01, 0.1)), settings["steps"], seed=SEED, log_every=500)
    token = game.draw(np.random.default_rng(SEED))
    found = gd.path_angle(game, start, run.w, batch=token)
    data: dict[str, Any] = {"device": device, "quick": quick}
    data |= {name: getattr(found, name) for name in ("positions", "angle", "norm", "switch", "bump")}
    for end, w in (("start", start), ("end", run.w)):
        spectrum = gd.spectrum(game, w, settings["eigenvalues"], "LM", batch=token, confirm=False)["LM"]
        data |= {end: spectrum.eigenvalues, f"{end}_resolved": spectrum.resolved}
    for player in (0, 1):
        least = gd.spectrum(game, run.w, 1, "SR", of=player, batch=token, confirm=False)["SR"]
        data[f"least_curvature_{player + 1}"] = float(least.eigenvalues[0].real)
    short = f"{settings['steps']} of the paper's {FULL['steps']} iterations" if quick else ""
    data |= {"seeds": [SEED], "gradients": round(run.counts.fields), "short": short}
    return data | {"samples": run.sample(4000)[:, 0].detach().cpu().numpy()}


def draw(data: dict[str, Any]) -> Any:
    """The path angle and the field's norm along the path; the eigenvalues at both ends; the samples."""
    figure = gd.plots.Drawing(height=0.95)
    (angle, norm), (plane, samples) = figure.subplots(2, 2)
    for axes in (angle, norm):
        for end in (0, 1):
            axes.axvline(end, color=FAINT, linewidth=0.7, zorder=0)
        axes.margins(x=0)
        axes.set_xlabel(r"position $\alpha$")
    angle.axhline(0, color=FAINT, linewidth=0.7, zorder=0)
    angle.plot(data["positions"], data["angle"], color=SERIES[0])
    reach = 1.15 * np.abs(data["angle"]).max()
    angle.set(ylim=(-reach, reach), ylabel="cosine of the angle")
    norm.plot(data["positions"], data["norm"], color=SERIES[1])
    norm.set(ylabel=r"$\|v\|$", ylim=(0, None))
    plane.axvline(0, color=QUIET, linewidth=0.6, zorder=0)
    start = {"marker": "o", "facecolor": "none", "edgecolor": QUIET}
    for end, style in (("start", start), ("end", {"color": SERIES[2]})):
        values = data[end][data[f"{end}_resolved"]]
        plane.scatter(values.real, values.imag, s=10, linewidth=0.7, label=f"eigenvalues at the {end}", **style)
    plane.set(xlabel=r"$\mathrm{Re}\,\lambda$", ylabel=r"$\mathrm{Im}\,\lambda$")
    x = np.linspace(-6, 6, 300)
    samples.hist(
        data["samples"], bins=np.linspace(-6, 6, 49), density=True, color=SERIES[4], label="samples at the end"
    )
    density = (np.exp(-((x - 2) ** 2) / 2) + np.exp(-((x + 2) ** 2) / 2)) / np.sqrt(8 * np.pi)
    samples.plot(x, density, color=INK, label="density of the data")
    samples.set(xlabel="$x$", ylabel="density", xlim=(-6, 6))
    handles = [*plane.get_legend_handles_labels()[0], *samples.get_legend_handles_labels()[0]]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def _bump(data: dict[str, Any]) -> list[float]:
    """By how much the cosine near and beyond the end exceeds what it is before, of the one seed."""
    late = data["positions"] > 0.9
    return [data["angle"][late].max() - data["angle"][~late].max()]


EXPECTED = (
    Expected("resolved eigenvalues at the end: share", 1, 0.1, "residuals", lambda d: np.mean(d["end_resolved"])),
    Expected(
        "standard deviation of the samples", np.sqrt(5), 0.3, "of the data: 1 + 2^2", lambda d: [np.std(d["samples"])],
        effect=True, contrary=1,
    ),
    Expected(
        "share of the leading eigenvalues at the end that turn", 0.55, 0.45, "the paper's spectra: imaginary parts",
        lambda d: [(np.abs(d["end"].imag) > 1e-3 * np.abs(d["end"]).max()).mean()], effect=True, contrary=0,
    ),
    Expected(
        "negative curvatures of the players' own Hessians", 1.5, 0.5, "the paper: no local Nash equilibrium at the end",
        lambda d: [(d["least_curvature_1"] < 0) + (d["least_curvature_2"] < 0)], effect=True, contrary=0,
    ),
    Expected(
        "largest cosine of the path angle beyond position 0.9 less that before, a bump", 0.6, 0.5,
        "the paper's bump at the end", _bump, effect=True, contrary=0,
    ),
)  # fmt: skip
