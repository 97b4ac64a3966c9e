"""Samples of every system beside those of its ablation, and what the DCGAN paper looks at: two pictures of the docs.

    python benchmarks/architectures.py NAME --samples FOLDER     (for each NAME below)
    python benchmarks/contact_sheet.py FOLDER [--out FOLDER]

Writes `docs/images/systems.png` from the samples of seed 0 that `architectures.py` keeps, and, from a short run of a
DCGAN, `docs/images/latent_space.png`; `benchmarks/results/latent_space.json` says which. `--out`: elsewhere.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import torch
from architectures import DCGAN, RESULTS, ended, environment, numbers, versions

import gandyn as gd
from gandyn.gans.latent_space import made_of
from gandyn.plots.drawing import Drawing
from gandyn.plots.samples import tiled
from gandyn.plots.style import QUIET, SERIES

IMAGES = Path(__file__).parent.parent / "docs" / "images"
PANELS = {  # by ablation, and of each its cases with a title
    "stages": {"two stages": "two stages", "one stage": "one stage", "no encoder": "no encoder"},
    "memory": {"with": "memory", "without": "no memory"},
    "mixture": {"three of each": "MIX+GAN", "one pair, nine times the steps": "one pair, 9 x steps"},
    "fuzzy": {"with": "fuzzy rules", "without": "linear layers"},
    "packing": {"packs of 10": "packs of 10", "single rows": "single rows"},
    "autoencoder": {"VAE-GAN": "VAE-GAN", "GAN without encoder": "GAN", "VAE without adversary": "VAE"},
    "labels": {"K + 1 classes": "K + 1 classes", "GAN without labels": "no labels"},
    "pyramid": {"two levels": "LAPGAN", "flat, mlp": "flat, mlp"},
    "pictures": {"with rotation": "rotation", "dcgan": "dcgan", "patches": "patches"},
}


def systems(folder: Path) -> Drawing:
    """A panel for every case: points over the data, or pictures."""
    cases = [(name, case, title) for name, titles in PANELS.items() for case, title in titles.items()]
    figure = Drawing(0.62)
    for axes, (name, case, title) in zip(figure.subplots(3, 7).flat, cases, strict=True):
        samples = np.load(folder / f"{name}.npz")[case]
        draw_pictures(axes, samples) if samples.ndim == 4 else draw_points(axes, samples)
        axes.set_title(title, fontsize=7)
    return figure


def draw_points(axes: Any, samples: Any) -> None:
    """Samples over as many data: of the ring, or of the penguins."""
    ring = float(np.abs(samples).mean()) < 10
    data = gd.gans.ring().sample(1000).numpy() if ring else numbers(gd.gans.datasets.penguins().cells)
    for points, size, colour in ((data, 3.0, QUIET), (samples, 1.5, SERIES[0])):
        axes.plot(*points.T, ".", ms=size, color=colour, mew=0, rasterized=True)
    centre, reach = (data.max(0) + data.min(0)) / 2, 0.7 * (data.max(0) - data.min(0))
    (left, bottom), (right, top) = centre - reach, centre + reach
    axes.set(xlim=(left, right), ylim=(bottom, top), box_aspect=1, xticks=[], yticks=[])


def draw_pictures(axes: Any, pictures: Any) -> None:
    """Pictures side by side."""
    axes.imshow(tiled(np.asarray(pictures)), cmap="gray", vmin=-1, vmax=1, interpolation="nearest")
    axes.set_axis_off()


def latent_space(steps: int) -> Drawing:
    """Kernels of a DCGAN's discriminator, walks between latents, and sums of latents, of one run on digits."""
    run = ended("digits-patch", 0, steps, {"names": [], "generator": DCGAN | {"width": 12}, "discriminator": DCGAN})
    game, rng = run.game, torch.Generator().manual_seed(1)
    walks = [gd.gans.interpolation(game, run.w, torch.randn(2, 32, generator=rng), 8).points for _ in range(8)]
    groups = [gd.gans.latents_of(game, run.w, kind) for kind in (7, 1, 0)]
    panels = {
        "kernels": gd.gans.kernels(game.discriminator).points,
        "walks on great circles": np.concatenate(walks),
        "three sevens, ones, zeros": np.concatenate([np.asarray(made_of(game, run.w, group)) for group in groups]),
        "sevens - ones + zeros": gd.gans.arithmetic(game, run.w, [groups[0], groups[2]], [groups[1]], 0.25).points,
    }
    figure = Drawing(0.29)
    for axes, (title, pictures) in zip(figure.subplots(1, 4), panels.items(), strict=True):
        draw_pictures(axes, pictures)
        axes.set_title(title, fontsize=8)
    return figure


def main(arguments: list[str] | None = None) -> None:
    """Both pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("samples", type=Path)
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--steps", type=int, default=500, help="of the DCGAN")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    mpl.use("agg")
    images, began = options.out or IMAGES, time.process_time()
    with gd.plots.house_style("double"):
        drawings = {"systems": systems(options.samples), "latent_space": latent_space(options.steps)}
        for name, figure in drawings.items():
            figure.savefig(images / f"{name}.png", dpi=150, metadata={"Software": None})
    record = {
        "what": "one DCGAN on digits, of width 12 and 8; see benchmarks/contact_sheet.py",
        "script_sha256": hashlib.sha256(Path(__file__).read_bytes()).hexdigest(),
        "seed": 0,
        "steps": options.steps,
        "cpu_seconds": round(time.process_time() - began, 1),
        **environment(),
        "versions": versions(),
    }
    (options.out or RESULTS).joinpath("latent_space.json").write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
