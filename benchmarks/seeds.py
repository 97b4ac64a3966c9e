"""64 seeds as one computation against 64 runs one by one: processor seconds per step of one member, on one thread.

    python benchmarks/seeds.py --out benchmarks/results/seeds.json

On several cores both ways share the seeds out among processes of one thread, so the ratio of processor seconds is the
ratio of throughputs. Both ways must first arrive at the same parameters in double precision, otherwise the comparison
is void. Rounds are interleaved; metrics and rows of the log are left out of both.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rounds import foreign_load, interleave, record_on_torch

import gandyn as gd

RULE = gd.rules.Alternating(gd.rules.Adam(1e-3, betas=(0.0, 0.99)))
SETTINGS = {  # hidden layers, batch, penalties
    "ring, 3 x 128, batch 128 (calibration)": ((128, 128, 128), 128, None),
    "the same with R1": ((128, 128, 128), 128, "R1(0.003)"),
    "ring, 2 x 64, batch 64": ((64, 64), 64, None),
    "ring, 2 x 32, batch 32": ((32, 32), 32, None),
}
TOLERANCE = 1e-10


def game(hidden: tuple[int, ...], batch: int, penalties: Any, device: str, double: bool = False) -> gd.gans.GANGame:
    """The ring GAN."""
    nets = [(net.double() if double else net).to(device) for net in gd.gans.mlp_pair(hidden=hidden)]
    return gd.gans.GANGame(*nets, "nonsaturating", penalties, data=gd.gans.ring(device=device), batch_size=batch)


def stepping(play: Any, start: Any, streams: Any) -> Callable[[], None]:
    """One step of the rule, again and again."""
    state = {"w": start, "rule": RULE.init(play, start, streams)}

    def step() -> None:
        state["w"], state["rule"], _ = RULE.step(play, state["w"], state["rule"], streams)
        play.advance()

    return step


def compare(name: str, seeds: int, rounds: int, device: str) -> dict[str, Any]:
    """One setting, both ways."""
    setting, unit = (*SETTINGS[name], device), "cpu_seconds" if device == "cpu" else "seconds"
    together = gd.gans.train(game(*setting, double=True), RULE, 3, seeds=3, metrics=None)
    alone = [gd.gans.train(game(*setting, double=True), RULE, 3, seed=k, metrics=None).w for k in range(3)]
    apart = float((together.w - torch.stack(alone)).abs().max())
    if apart > TOLERANCE:
        raise SystemExit(f"{name}: the two ways end {apart:.1e} apart, so their times cannot be compared")
    one, many = game(*setting), gd.gans.Ensemble([game(*setting)] * seeds)
    few = stepping(one, one.w0.clone(), np.random.default_rng((0, 0)))
    all_of_them = stepping(many, many.w0.clone(), [np.random.default_rng((k, 0)) for k in range(seeds)])
    count = 16

    def awaited(step: Callable[[], None], times: int) -> None:
        for _ in itertools.repeat(None, times):
            step()
        if device != "cpu":
            torch.cuda.synchronize()

    contestants = {"alone": lambda: awaited(few, count), "together": lambda: awaited(all_of_them, 2)}
    times = interleave(contestants, "together", rounds)
    lone, shared = times["alone"][unit] / count, times["together"][unit] / (2 * seeds)
    return {
        "setting": name,
        "seeds": seeds,
        "apart": apart,
        "milliseconds_alone": round(1e3 * lone, 3),
        "milliseconds_together": round(1e3 * shared, 3),
        "throughput": round(lone / shared, 2),
        "undisturbed": round(times["undisturbed"], 2),
    }


def main() -> None:
    """Every setting."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--settings", type=int, default=len(SETTINGS), help="the first so many")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    load, found = foreign_load(), []
    for name in list(SETTINGS)[: options.settings]:
        found.append(compare(name, options.seeds, options.rounds, options.device))
        print(found[-1], flush=True)
    record_on_torch(
        options.out, "64 seeds as one computation against runs one by one", 0, load, options.device, settings=found
    )


if __name__ == "__main__":
    main()
