"""What a rule's step costs on the ring GAN, in gradient evaluations, and over the oracle calls that it declares.

    python benchmarks/second_order.py --out benchmarks/results/second_order.json

One field, one Jacobian product and one transposed product of the network are timed in turn with one step of each rule,
on one thread. "gradients" is the step over one field evaluation, "gradients_by_hand" over both players' gradients as a
loop with torch.optim has them (`by_hand.py`), and "consensus_by_hand" is a consensus step of torch alone in the same
unit. "overhead" is the step over the sum of the calls that its oracle counted
in it, each at its own price: 1.1 means that the rule's own arithmetic adds a tenth.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from by_hand import SETTINGS, HandWritten, sgd
from rounds import foreign_load, interleave, record_on_torch

import gandyn as gd

STEPS, SEED = 5, 0
RULES = {
    "SimultaneousGD": gd.rules.SimultaneousGD(1e-3),
    "Extragradient": gd.rules.Extragradient(1e-3),
    "OptimisticGD": gd.rules.OptimisticGD(1e-3),
    "Adam": gd.rules.Adam(1e-3),
    "ExtraAdam": gd.rules.ExtraAdam(1e-3),
    "Consensus": gd.rules.Consensus(1e-3, 0.03),
    "SGA": gd.rules.SGA(1e-3, 0.1),
    "LinearizedCGD": gd.rules.LinearizedCGD(1e-3),
    "CompetitiveGD": gd.rules.CompetitiveGD(1e-3),
}


def ring_gan() -> Any:
    """A zero-sum GAN on the eight-mode ring, three layers of 128 a player."""
    generator, discriminator = gd.gans.mlp_pair(seed=SEED)
    return gd.gans.GANGame(generator, discriminator, "minimax", data=gd.gans.ring(), batch_size=128, latent=2)


def contestants(game: Any, rule: Any) -> tuple[dict[str, Any], dict[str, float]]:
    """Timed calls for one rule, and the oracle's counts of one of its steps."""
    rng = np.random.default_rng(SEED)
    w = game.w0.clone()
    token = game.draw(rng)
    u = torch.randn_like(w)
    state = rule.init(game, w, rng)
    hand, items = HandWritten(SETTINGS["ring"].pair(), sgd, frugal=False), SETTINGS["ring"].batches()

    def steps() -> None:
        here, memory = w, state
        for _ in range(STEPS):
            here, memory, _ = rule.step(game, here, memory, rng)

    before = game.counts * 1
    rule.step(game, w, state, rng)
    asked = game.counts - before
    counts = {"fields": asked.fields, "products": asked.jvps + asked.vjps}
    calls = {
        "field": lambda: [game.field(w, game.draw(rng)) for _ in range(STEPS)],
        "consensus": lambda: [hand.consensus(*next(items), 0.03) for _ in range(STEPS)],
        "by_hand": lambda: [hand.gradients(*next(items)) for _ in range(STEPS)],
        "jvp": lambda: [game.jvp(w, u, token) for _ in range(STEPS)],
        "step": steps,
    }
    return calls, counts


def main() -> None:
    """Time, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--rounds", type=int, default=21)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    load, rows = foreign_load(), {}
    for name, rule in RULES.items():
        calls, counts = contestants(ring_gan(), rule)
        times = interleave(calls, "field", arguments.rounds)
        declared = counts["fields"] + counts["products"] * times["jvp"]["cpu_ratio"]
        rows[name] = {
            **counts,
            "gradients": round(times["step"]["cpu_ratio"], 3),
            "gradients_by_hand": round(times["step"]["cpu_ratio"] / times["by_hand"]["cpu_ratio"], 3),
            "consensus_by_hand": round(times["consensus"]["cpu_ratio"] / times["by_hand"]["cpu_ratio"], 3),
            "product_over_field": round(times["jvp"]["cpu_ratio"], 3),
            "overhead": round(times["step"]["cpu_ratio"] / declared, 3),
        }
        print(f"{name:16s} {rows[name]}", flush=True)
    what = "a step of a rule on the ring GAN over a field evaluation: CPU seconds, medians of interleaved rounds"
    record_on_torch(arguments.out, what, SEED, load, parameters=ring_gan().dim, results=rows)


if __name__ == "__main__":
    main()
