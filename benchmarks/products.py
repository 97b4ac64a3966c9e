"""Products with the Jacobian of a GAN on a kept graph, in units of one field evaluation at the same point and batch.

    python benchmarks/products.py --out benchmarks/results/products.json

J u, J^T u and (S u, A u), which is two products, are timed in turn with one field and with both players' gradients as a
loop with torch.optim has them (`by_hand.py`). For the non-saturating game the same products are also taken by
`torch.autograd.grad` alone on a kept graph, without the package ("by_torch"). Ratios are medians of processor seconds
within rounds, on one thread (of the clock on a device).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from by_hand import SETTINGS, HandWritten, sgd
from rounds import foreign_load, interleave, record_on_torch

SEED, REPEATS = 0, {"ring": 10, "digits": 1}
NAMES = ("jvp", "vjp", "parts")


def product_costs(name: str, loss: str, device: str, rounds: int) -> dict[str, Any]:
    """Each product over one field."""
    setting = SETTINGS[name]
    game = setting.game(setting.pair(device=device), device, loss)
    w, token = game.w0.clone(), game.draw(np.random.default_rng(SEED))
    u = torch.randn(game.dim, generator=torch.Generator().manual_seed(SEED)).to(w)

    def repeated(evaluate: Callable[[], Any]) -> Callable[[], None]:
        def run() -> None:
            for _ in range(REPEATS[name]):
                evaluate()
            if device != "cpu":
                torch.cuda.synchronize()

        return run

    game.jvp(w, u, token)  # makes the graph; the next product makes that of J^T p
    calls = {"field": repeated(lambda: game.field(w, token))}
    hand = HandWritten(setting.pair(device=device), sgd, frugal=False)
    calls["by_hand"] = repeated(lambda: hand.gradients(token.real, token.latent))
    kept = hand.products(token.real, token.latent, u) if loss == "nonsaturating" else {}
    calls |= {f"{product}_by_torch": repeated(call) for product, call in kept.items()}
    calls |= {product: repeated(lambda product=product: getattr(game, product)(w, u, token)) for product in NAMES}
    times = interleave(calls, "field", rounds)
    ratio = "cpu_ratio" if device == "cpu" else "ratio"
    return {
        "setting": name,
        "loss": loss,
        "parameters": game.dim,
        "milliseconds_field": round(1e3 * times["field"]["cpu_seconds"] / REPEATS[name], 3),
        **{product: round(times[product][ratio], 3) for product in NAMES},
        **{
            f"{product}_by_torch_by_hand": round(times[f"{product}_by_torch"][ratio] / times["by_hand"][ratio], 3)
            for product in kept
        },
        **{f"{product}_by_hand": round(times[product][ratio] / times["by_hand"][ratio], 3) for product in NAMES},
        "undisturbed": round(times["undisturbed"], 2),
    }


def main() -> None:
    """Time, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    load, rows = foreign_load(), []
    for name in REPEATS:
        for loss in ("nonsaturating", "minimax"):
            rows.append(product_costs(name, loss, arguments.device, arguments.rounds))
            print(rows[-1], flush=True)
    what = "products with the Jacobian of a GAN on a kept graph over one field"
    record_on_torch(arguments.out, what, SEED, load, arguments.device, results=rows)


if __name__ == "__main__":
    main()
