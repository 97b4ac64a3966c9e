"""What spectra of networks cost: products, seconds and agreement for each end.

    python benchmarks/spectrum.py --out benchmarks/results/spectrum.json

The ends of J and the map of extragradient are computed for ring GANs at the start and after some training, on networks
small enough for dense LAPACK (worst relative error reported) and on one of 67 thousand parameters. What a product costs
is measured in `products.py`.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rounds import foreign_load, record_on_torch

import gandyn as gd

SEED, ENDS = 0, ("LM", "LR", "SR", "LI")
MEASURES = {"LM": np.abs, "LR": np.real, "SR": lambda z: -z.real, "LI": np.imag}


def ring_gan(hidden: tuple[int, ...], loss: str = "nonsaturating", double: bool = True) -> Any:
    """A GAN on the eight-mode ring."""
    pair = gd.gans.mlp_pair(hidden=hidden, seed=SEED)
    pair = tuple(network.double() for network in pair) if double else pair
    return gd.gans.GANGame(*pair, loss, data=gd.gans.ring(), batch_size=128, latent=2)


def ends_of(hidden: tuple[int, ...], steps: int, device: str, dense: bool) -> dict[str, Any]:
    """Products, seconds and the worst relative error of four values at each end."""
    game = ring_gan(hidden)
    if device != "cpu":
        pair = [network.to(device) for network in game.networks]
        game = gd.gans.GANGame(*pair, "nonsaturating", data=gd.gans.ring(), batch_size=128, latent=2)
    w = game.w0.clone()
    if steps:
        w = gd.iterate(game, gd.rules.Alternating(gd.rules.Adam(1e-3, betas=(0, 0.99))), w, steps, record="last").w
    token = game.draw(np.random.default_rng(SEED))
    began = time.perf_counter()
    found = gd.spectrum(game, w, 4, ENDS, batch=token)
    seconds = time.perf_counter() - began
    single = {}
    for end in ENDS:
        one = gd.spectrum(game, w, 1, end, batch=token, confirm=False)
        single[end] = {"products": one.products, "resolution": one.resolution[end].name}
    bounds = gd.spectrum(game, w, 1, ENDS, batch=token, confirm=False, bounds=True)
    row: dict[str, Any] = {
        "parameters": game.dim,
        "trained_steps": steps,
        "products": found.products,
        "space": found.space,
        "seconds": round(seconds, 2),
        "resolution": {name: r.name for name, r in found.resolution.items()},
        "leading": {e: [float(found[e].eigenvalues[0].real), float(found[e].eigenvalues[0].imag)] for e in ENDS},
        "bounds": bounds.bounds,
        "each_end_alone_unconfirmed": single,
    }
    row["map"] = gd.spectrum(game, w, rule=gd.rules.Extragradient(1e-2), batch=token).to_dict()
    row["map"] = {k: row["map"][k] for k in ("excess", "products", "seconds")}
    if dense:
        began = time.perf_counter()
        values = np.linalg.eigvals(game.jacobian(w, token).cpu().numpy())
        row["dense_seconds"] = round(time.perf_counter() - began, 2)
        row["worst_relative_error"] = {
            end: float(
                np.abs(MEASURES[end](found[end].eigenvalues) / np.sort(MEASURES[end](values))[::-1][:4] - 1).max()
            )
            for end in ENDS
        }
    print(json.dumps(row), flush=True)
    return row


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--quick", action="store_true", help="small networks only")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    device, load = arguments.device, foreign_load()
    sizes = [((16, 16), True)] if arguments.quick else [((16, 16), True), ((37, 37), True), ((128, 128, 128), False)]
    rows = [ends_of(hidden, steps, device, dense) for hidden, dense in sizes for steps in (0, 1500)]
    what = "ends of the spectra of ring GANs against dense LAPACK"
    record_on_torch(arguments.out, what, SEED, load, device, spectra=rows)


if __name__ == "__main__":
    main()
