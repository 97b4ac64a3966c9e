"""A training step through a gandyn rule against a hand-written loop with fused torch.optim.

    python benchmarks/training_steps.py --out benchmarks/results/training_steps.json

Both sides first play the same batches in double precision and must arrive at the same parameters to 1e-10; otherwise
the comparison is void. They are then timed in single precision on one thread, in turn, each drawing its own batches;
ratios are medians of processor seconds within rounds (of the clock on a device). ExtraAdam is compared with two field
evaluations. "bare" is the arithmetic of a step in turn on flat vectors, with nothing of the package in it: what is
above it are the package's own calls. Peak memory is measured by `memory.py`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from by_hand import BETAS, CASES, LR, SETTINGS
from rounds import foreign_load, interleave, record_on_torch

import gandyn as gd

TOLERANCE, SMALL = 1e-10, {"ring": 16, "digits": 4, "dcgan 64": 2}
STEPS = {"ring": 10, "ring, wide": 5, "digits": 1, "dcgan 64": 1}
FEW = {"dcgan 64": 7}  # rounds
CONVOLUTIONAL = ("Adam", "Alternating(Adam)")


def steps(make: Iterator[None], count: int, device: str) -> Callable[[], None]:
    """So many steps, awaited."""

    def run() -> None:
        for _ in range(count):
            next(make)
        if device != "cpu":
            torch.cuda.synchronize()

    return run


def compare(name: str, case: str, device: str, rounds: int) -> dict[str, Any]:
    """One rule in one setting against both hand-written loops."""
    setting, count, kind = SETTINGS[name], STEPS[name], name.split(",")[0]
    apart = max(setting.disagreement(case, frugal, SMALL[kind], device=device) for frugal in (False, True))
    if case != "OptimisticGD":  # whose first step by hand takes a batch more
        apart = max(apart, setting.drop_in_disagreement(case, SMALL[kind], device=device))
    if apart > TOLERANCE:
        raise SystemExit(f"{case} on {name}: the loops end {apart:.1e} apart, so their times cannot be compared")
    contestants = {
        "gandyn": steps(setting.own_steps(CASES[case][0], device), count, device),
        "drop_in": steps(setting.drop_in_steps(CASES[case][0], device), count, device),
        "usual": steps(setting.hand_steps(case, False, device), count, device),
        "frugal": steps(setting.hand_steps(case, True, device), count, device),
    }
    if kind == "ring" and case.startswith("Alternating") and device == "cpu":
        contestants["bare"] = steps(setting.bare_steps(case), count, device)
    times = interleave(contestants, "gandyn", rounds)
    ratio, unit = ("cpu_ratio", "cpu_seconds") if device == "cpu" else ("ratio", "seconds")
    return {
        "rule": case,
        "setting": name,
        "apart": apart,
        **{f"ratio_{opponent}": round(1 / times[opponent][ratio], 3) for opponent in ("usual", "frugal")},
        **{
            f"ratio_drop_in_{who}": round(times["drop_in"][ratio] / times[who][ratio], 3) for who in ("usual", "frugal")
        },
        **({"ratio_bare_usual": round(times["bare"][ratio] / times["usual"][ratio], 3)} if "bare" in times else {}),
        **{f"milliseconds_{who}": round(1e3 * times[who][unit] / count, 3) for who in times if who != "undisturbed"},
        "undisturbed": round(times["undisturbed"], 2),
    }


def extra_adam(name: str, device: str, rounds: int) -> dict[str, Any]:
    """A step of ExtraAdam over two fields on two batches."""
    setting, count = SETTINGS[name], STEPS[name]
    contestants = {
        "fields": steps(setting.fields(2, device), count, device),
        "step": steps(setting.own_steps(gd.rules.ExtraAdam(LR, betas=BETAS), device), count, device),
    }
    times = interleave(contestants, "fields", rounds)
    ratio = times["step"]["cpu_ratio" if device == "cpu" else "ratio"]
    return {"setting": name, "step_over_two_fields": round(ratio, 3), "undisturbed": round(times["undisturbed"], 2)}


def main() -> None:
    """Check, time, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--settings", nargs="+", default=list(SETTINGS), choices=list(SETTINGS))
    parser.add_argument("--rules", nargs="+", default=list(CASES), choices=list(CASES))
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    load, device, rounds = foreign_load(), arguments.device, arguments.rounds
    timed, extra = [], []
    for name in arguments.settings:
        for case in (c for c in arguments.rules if name.startswith("ring") or c in CONVOLUTIONAL):
            timed.append(compare(name, case, device, min(rounds, FEW.get(name, rounds))))
            print(json.dumps(timed[-1]), flush=True)
        extra.append(extra_adam(name, device, min(rounds, FEW.get(name, rounds))))
        print("ExtraAdam", json.dumps(extra[-1]), flush=True)
    record_on_torch(
        arguments.out,
        "a training step of a gandyn rule over that of a hand-written torch.optim loop; non-saturating GANs",
        1,
        load,
        device,
        steps=timed,
        extra_adam=extra,
    )


if __name__ == "__main__":
    main()
