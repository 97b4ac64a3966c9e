"""Peak memory of a training step, beside that of a hand-written loop with torch.optim, and the vectors that it holds.

    python benchmarks/memory.py --out benchmarks/results/memory.json

"mebibytes" are of tensors: what torch's allocator notes within the third step, networks and moments included; neither
workspaces that kernels allocate for themselves nor data that come from NumPy are in it. The numbers do not depend on
the load. "vectors" is that peak over the size of all parameters together, on networks so wide that batches and
activations do not count.
"""

from __future__ import annotations

import argparse
import gc
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from by_hand import BETAS, CASES, LR, SETTINGS, HandWritten, adam, losses
from rounds import foreign_load, record_on_torch

import gandyn as gd

CASE, STEPS = "Alternating(Adam)", 3
WIDE, FEW = 512, 2
VECTORS = {  # the most that is wanted
    "Alternating(Adam)": (CASES["Alternating(Adam)"][0], 6),
    "ExtraAdam": (gd.rules.ExtraAdam(LR, betas=BETAS), 8),
    "Consensus": (gd.rules.Consensus(LR, 0.1), 8),
    "SGA": (gd.rules.SGA(LR, 0.1), 9),
}


def tensors_at_peak(make: Callable[[], Iterator[None]], steps: int = STEPS) -> int:
    """Bytes of tensors within the last of some steps, at most: of all that was made since the first began."""
    gc.collect()
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        running = make()
        for _ in range(steps - 1):
            next(running)
        began = time.time_ns()
        next(running)
    assert profile.profiler is not None
    events = [e for e in profile.profiler.kineto_results.events() if e.name() == "[memory]"]
    alive = most = 0
    for event in sorted(events, key=lambda e: e.start_ns()):
        alive += event.nbytes()
        most = max(most, alive) if event.start_ns() >= began else 0
    return most


def contestants(name: str) -> dict[str, Callable[[], Iterator[None]]]:
    """Alternating Adam in four loops."""
    setting, rule = SETTINGS[name], CASES[CASE][0]
    return {
        "gandyn": lambda: setting.own_steps(rule),
        "drop_in": lambda: setting.drop_in_steps(rule),
        "usual": lambda: setting.hand_steps(CASE, False),
        "frugal": lambda: setting.hand_steps(CASE, True),
    }


def compare(name: str) -> dict[str, Any]:
    """All four loops, and their ratios to the usual one."""
    held = {who: tensors_at_peak(make) / 2**20 for who, make in contestants(name).items()}
    return {
        "setting": name,
        "rule": CASE,
        **{f"mebibytes_{who}": round(value, 2) for who, value in held.items()},
        **{f"ratio_{who}": round(held[who] / held["usual"], 3) for who in ("gandyn", "drop_in")},
    }


def wide() -> tuple[Any, Any]:
    """Networks whose parameters outweigh everything else."""
    return gd.gans.mlp_pair(latent=2, hidden=(WIDE, WIDE), seed=0)


def wide_steps(rule: Any) -> Iterator[None]:
    """The drop-in on them; by hand, for no rule."""
    batch = torch.ones(FEW, 2)
    if rule is None:
        hand = HandWritten(wide(), adam, frugal=True)
        while True:
            hand.alternating(batch, batch, batch, batch)
            yield
    sums = rule.name == "SGA"
    objective = (lambda g, d: (-losses(g, d, (batch, batch))[1], losses(g, d, (batch, batch))[1])) if sums else losses
    optimizer = gd.optim.for_modules(*wide(), rule, zero_sum=sums)
    while True:
        optimizer.step(objective, **({} if sums else {"data": [(batch, batch)] * 4}))
        yield


def vectors(rule: Any) -> float:
    """Parameter-sized vectors at the peak of a step."""
    size = sum(p.numel() for network in wide() for p in network.parameters())
    return tensors_at_peak(lambda: wide_steps(rule)) / 4 / size


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    load, peaks = foreign_load(), []
    for name in SETTINGS:
        peaks.append(compare(name))
        print(json.dumps(peaks[-1]), flush=True)
    held = {"by hand": {"rule": CASE, "vectors": round(vectors(None), 2), "at_most": None}}
    held |= {name: {"rule": repr(rule), "vectors": round(vectors(rule), 2), "at_most": most}
             for name, (rule, most) in VECTORS.items()}  # fmt: skip
    print(json.dumps(held))
    what = "peak memory of a training step beside that of a hand-written torch.optim loop; parameter-sized vectors"
    record_on_torch(arguments.out, what, 0, load, peaks=peaks, vectors=held)


if __name__ == "__main__":
    main()
