"""All that wants a device, in one command, in order of value: tests, benchmarks, then network figures at full settings.

    python benchmarks/device.py --minutes 10 [--out benchmarks/results/device]

Each job is a process of its own with the time that is left; its result file is written as it ends, and `jobs.json`, how
each ended, after every job: what an interruption leaves is whole. A job that has its result file is not repeated, so
the same command goes on. Without a device it says so and exits with status 2; `--device cpu` goes through small forms
of the benchmarks, to see that they run.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
LEAST = 5.0  # seconds that are worth beginning a job for
FIGURES = ("chavdarova_2021_ode",)


@dataclasses.dataclass(frozen=True)
class Job:
    """One process. `result`: the file that it writes, or "" for what it prints."""

    name: str
    command: tuple[str, ...]
    result: str = ""


def jobs(device: str, out: Path) -> list[Job]:
    """What there is to do, the most valuable first."""
    small = device == "cpu"

    def benchmark(script: str, *options: str) -> Job:
        name = script.removesuffix(".py")
        written = str(out / f"{name}.json")
        return Job(name, (str(HERE / script), *options, "--device", device, "--out", written), written)

    rounds = ("--rounds", "1") if small else ("--rounds", "11")
    ring = ("--settings", "ring")
    found = [] if small else [Job("tests", ("-m", "pytest", "-n", "0", "-q", "-m", "cuda", str(HERE.parent / "tests")))]
    found += [
        benchmark("training_steps.py", *rounds, *(ring if small else ())),
        benchmark("seeds.py", *(("--rounds", "1", "--seeds", "4", "--settings", "1") if small else ("--rounds", "5"))),
        benchmark("products.py", *rounds),
        benchmark("spectrum.py", *(("--quick",) if small else ())),
    ]
    if small:
        return found
    shown = "from gandyn.cli import main; main()"
    return found + [Job(name, ("-c", shown, "figure", name, "--out", str(out))) for name in FIGURES]


def run(job: Job, seconds: float, out: Path) -> dict[str, object]:
    """One job, ended when its time is up; what it printed last stays beside its result."""
    began = time.monotonic()
    try:
        done = subprocess.run([sys.executable, *job.command], capture_output=True, text=True, timeout=seconds,
                              cwd=HERE.parent, check=False)  # fmt: skip
        status, printed = ("done" if done.returncode == 0 else f"failed ({done.returncode})"), done.stdout + done.stderr
    except subprocess.TimeoutExpired as error:
        status, printed = "out of time", str(error.stdout or "")
    (out / f"{job.name}.txt").write_text(printed[-20_000:])
    return {"job": job.name, "status": status, "seconds": round(time.monotonic() - began, 1), "result": job.result}


def main(arguments: list[str] | None = None) -> int:
    """Jobs until the time is up; 0 where all that ran succeeded, 1 where one failed, 2 without a device."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "device")
    options = parser.parse_args(arguments)
    if options.device != "cpu" and not torch.cuda.is_available():
        print("no CUDA device here: nothing was run; --device cpu goes through small forms of the benchmarks")
        return 2
    options.out.mkdir(parents=True, exist_ok=True)
    until, record = time.monotonic() + 60 * options.minutes, options.out / "jobs.json"
    ended = json.loads(record.read_text()) if record.exists() else []
    known = {one["job"] for one in ended if one["status"] == "done"}
    for job in jobs(options.device, options.out.resolve()):
        left = until - time.monotonic()
        if job.name in known or left < LEAST:
            print(f"{job.name}: {'done before' if job.name in known else 'not begun, no time left'}", flush=True)
            continue
        ended = [*(one for one in ended if one["job"] != job.name), run(job, left, options.out)]
        record.write_text(json.dumps(ended, indent=1) + "\n")
        print(f"{job.name}: {ended[-1]['status']} in {ended[-1]['seconds']} s", flush=True)
    return int(any(str(one["status"]).startswith("failed") for one in ended))


if __name__ == "__main__":
    sys.exit(main())
