"""A training step through a gandyn rule against a hand-written loop with fused torch.optim: time and memory.

    python benchmarks/training_steps.py --out benchmarks/results/training_steps.json

Both sides first play the same batches in double precision and must arrive at the same parameters to 1e-10; otherwise
the comparison is void. They are then timed in single precision on one thread, in turn, each drawing its own batches;
ratios are medians of processor seconds within rounds (of the clock on a device). ExtraAdam is compared with two field
evaluations. Peak memory is that of processes of their own, above what they had before networks and data were made.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from by_hand import BETAS, CASES, LR, SETTINGS
from rounds import foreign_load, interleave, record_on_torch

import gandyn as gd

TOLERANCE, SMALL = 1e-10, {"ring": 16, "digits": 4}
STEPS = {"ring": 10, "ring, wide": 5, "digits": 1}
MEMORY_STEPS = {"ring": 50, "digits": 8}
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
    times = interleave(
        {
            "gandyn": steps(setting.own_steps(CASES[case][0], device), count, device),
            "drop_in": steps(setting.drop_in_steps(CASES[case][0], device), count, device),
            "usual": steps(setting.hand_steps(case, False, device), count, device),
            "frugal": steps(setting.hand_steps(case, True, device), count, device),
        },
        "gandyn",
        rounds,
    )
    ratio, unit = ("cpu_ratio", "cpu_seconds") if device == "cpu" else ("ratio", "seconds")
    return {
        "rule": case,
        "setting": name,
        "apart": apart,
        **{f"ratio_{opponent}": round(1 / times[opponent][ratio], 3) for opponent in ("usual", "frugal")},
        **{
            f"ratio_drop_in_{who}": round(times["drop_in"][ratio] / times[who][ratio], 3) for who in ("usual", "frugal")
        },
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


def peak(name: str, who: str) -> None:
    """In a process of its own: print the mebibytes above those before anything was made."""
    torch.set_num_threads(1)
    torch.optim.Adam([torch.zeros(1, requires_grad=True)]).step()  # what torch imports only then is nobody's memory
    before = _resident("VmRSS")
    case, setting = "Alternating(Adam)", SETTINGS[name]
    running = setting.own_steps(CASES[case][0]) if who == "gandyn" else setting.hand_steps(case, who == "frugal")
    for _ in range(MEMORY_STEPS[name]):
        next(running)
    print(_resident("VmHWM") - before)


def _resident(entry: str) -> float:
    """Mebibytes of this program's own pages, now or at most; `ru_maxrss` would begin with those of its parent."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(entry)) / 1024


def memory(name: str) -> dict[str, Any]:
    """Peak memory of alternating Adam over that of the usual loop; the median of three processes each."""
    found = {}
    for who in ("gandyn", "usual", "frugal"):
        command = [sys.executable, __file__, "--peak", name, who]
        runs = [float(subprocess.run(command, capture_output=True, text=True, check=True).stdout) for _ in range(3)]
        found[who] = sorted(runs)[1]
    return {
        "setting": name,
        "ratio_usual": round(found["gandyn"] / found["usual"], 3),
        "ratio_frugal": round(found["gandyn"] / found["frugal"], 3),
        **{f"mebibytes_{who}": round(value, 1) for who, value in found.items()},
    }


def main() -> None:
    """Check, time, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--settings", nargs="+", default=list(SETTINGS), choices=list(SETTINGS))
    parser.add_argument("--rules", nargs="+", default=list(CASES), choices=list(CASES))
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--peak", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peak:
        peak(*arguments.peak)
        return
    torch.set_num_threads(1)
    load, device, rounds = foreign_load(), arguments.device, arguments.rounds
    timed, extra = [], []
    for name in arguments.settings:
        for case in (c for c in arguments.rules if name != "digits" or c in CONVOLUTIONAL):
            timed.append(compare(name, case, device, rounds))
            print(json.dumps(timed[-1]), flush=True)
        extra.append(extra_adam(name, device, rounds))
        print("ExtraAdam", json.dumps(extra[-1]), flush=True)
    held = [memory(name) for name in arguments.settings if name in MEMORY_STEPS and device == "cpu"]
    print(json.dumps(held))
    record_on_torch(
        arguments.out,
        "a training step of a gandyn rule over that of a hand-written torch.optim loop; non-saturating GANs",
        1,
        load,
        device,
        steps=timed,
        extra_adam=extra,
        peak_memory=held,
    )


if __name__ == "__main__":
    main()
