"""What spectra of networks cost: products against one gradient, and products, seconds and agreement for each end.

    python benchmarks/spectrum.py --out benchmarks/results/spectrum.json

J u and J^T u on a kept graph are timed in turn with one field evaluation, for a zero-sum and a general-sum ring GAN of
three layers of 128 a player. Then the ends of J and the map of extragradient are computed, at the start and after some
training, on networks small enough for dense LAPACK (worst relative error reported) and on the larger one.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from networks import foreign_load
from rounds import environment, interleave

import gandyn as gd
from gandyn.analysis.spectrum.operators import operator_of

SEED, ENDS = 0, ("LM", "LR", "SR", "LI")
MEASURES = {"LM": np.abs, "LR": np.real, "SR": lambda z: -z.real, "LI": np.imag}


def ring_gan(hidden: tuple[int, ...], loss: str = "nonsaturating", double: bool = True) -> Any:
    """A GAN on the eight-mode ring."""
    pair = gd.gans.mlp_pair(hidden=hidden, seed=SEED)
    pair = tuple(network.double() for network in pair) if double else pair
    return gd.gans.GANGame(*pair, loss, data=gd.gans.ring(), batch_size=128, latent=2)


def product_costs(device: str, rounds: int) -> dict[str, Any]:
    """J u and J^T u over one field."""
    rows = {}
    for loss in ("minimax", "nonsaturating"):
        generator, discriminator = gd.gans.mlp_pair(seed=SEED)
        options = {"data": gd.gans.ring(), "batch_size": 128, "latent": 2, "device": device}
        game = gd.gans.GANGame(generator, discriminator, loss, **options)
        w, token = game.w0.clone(), game.draw(np.random.default_rng(SEED))
        u, operator = torch.randn_like(w), operator_of(game, w, token, "J")

        def timed(call: Any) -> Any:
            def run() -> None:
                for _ in range(10):
                    call()
                if device != "cpu":
                    torch.cuda.synchronize()

            return run

        calls = {
            "field": timed(lambda: game.field(w, token)),  # noqa: B023
            "jvp": timed(lambda: game.jvp(w, u, token)),  # noqa: B023
            "vjp": timed(lambda: game.vjp(w, u, token)),  # noqa: B023
            "J u in a spectrum": timed(lambda: operator(u)),  # noqa: B023
        }
        times = interleave(calls, "field", rounds)
        rows[loss] = {
            "parameters": game.dim,
            **{name: {k: round(times[name][k], 3) for k in ("ratio", "cpu_ratio")} for name in list(calls)[1:]},
            "undisturbed": round(times["undisturbed"], 2),
        }
        print("product over field", loss, rows[loss], flush=True)
    return rows


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
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--quick", action="store_true", help="small networks only")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    device, load = arguments.device, foreign_load()
    costs = product_costs(device, arguments.rounds)
    sizes = [((16, 16), True)] if arguments.quick else [((16, 16), True), ((37, 37), True), ((128, 128, 128), False)]
    rows = [ends_of(hidden, steps, device, dense) for hidden, dense in sizes for steps in (0, 1500)]
    record = {
        "what": "products with J against one field, and ends of the spectra of ring GANs against dense LAPACK",
        **environment(SEED),
        "torch": torch.__version__,
        "threads": 1,
        "accelerator": torch.cuda.get_device_name(0) if device != "cpu" else None,
        "foreign_load_cores": round(max(load, foreign_load()), 2),
        "product_over_field": costs,
        "spectra": rows,
    }
    if arguments.out:
        arguments.out.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
