"""What has become faster or slower since a commit: the same lines of public API run by that tree and by this one.

    python benchmarks/since.py COMMIT [--rounds 5] [--only TEXT ...] [--out benchmarks/results/since.json]

Each case is a short script in a fresh process, its PYTHONPATH one of the two trees; old and new take turns. A case is
measured by CPU seconds: of the whole process ("process") or of the second and later of several repetitions ("warm",
their median, so that compilations and imports are not in it). The ratio is new over old, the median over rounds. Both
trees keep their bytecode, which is written before the first round.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rounds import environment

RESULTS = Path(__file__).parent / "results" / "since.json"
COMMAND = "import sys; sys.argv = ['gandyn', *{arguments!r}]\nfrom gandyn.cli import main\nmain()"
TIMED = """
import statistics, time
import numpy as np
import gandyn as gd
{setup}
def run():
    {body}
times = []
for _ in range({repeats}):
    begin = time.process_time()
    run()
    times.append(time.process_time() - begin)
print("CPU", statistics.median(times[1:]))
"""
GAN = """import torch
torch.set_num_threads(1)
torch.manual_seed(0)
pair = gd.gans.mlp_pair(hidden=(128, 128))
game = gd.gans.GANGame(*pair, "nonsaturating", data="ring", batch_size=128)
r = gd.rules
train = lambda rule, steps: gd.gans.train(game, rule, steps, metrics=None, log_every=1000)"""
STARTS = "z = np.random.default_rng(0).normal(size=({}, 2))"

# name: (setup, body, repetitions); without a body the setup is a whole process
CASES: dict[str, tuple[str, str, int]] = {
    "import gandyn": ("import gandyn", "", 1),
    "gandyn --help": (COMMAND.format(arguments=["--help"]), "", 1),
    "gandyn spiral": (COMMAND.format(arguments=["spiral", "--out", "spiral.png"]), "", 1),
    "GDA on xy, 20 000 x 1 000": (
        "game, rule = gd.games.bilinear(), gd.rules.GDA(0.1)\n" + STARTS.format(20_000),
        "gd.iterate(game, rule, z, steps=1000, record='last')",
        6,
    ),
    "extragradient on Dirac, 20 000 x 500": (
        "game, rule = gd.games.dirac_gan(), gd.rules.Extragradient(0.1)\n" + STARTS.format(20_000),
        "gd.iterate(game, rule, z, steps=500, record='last')",
        6,
    ),
    "GDA on Dirac, 1 000 x 1 000, every step kept": (
        "game, rule = gd.games.dirac_gan(), gd.rules.GDA(0.1)\n" + STARTS.format(1000),
        "gd.iterate(game, rule, z, steps=1000)",
        12,
    ),
    "a hundred calls of ten steps from one start": (
        "game, rule = gd.games.bilinear(), gd.rules.GDA(0.1)",
        "for _ in range(100): gd.iterate(game, rule, [1.0, 1.0], steps=10)",
        12,
    ),
    "a new step size": (
        "game, lr = gd.games.dirac_gan(), iter(range(1, 100))\n" + STARTS.format(20_000),
        "gd.iterate(game, gd.rules.GDA(next(lr) / 1000), z, steps=500, record='last')",
        6,
    ),
    "flow of 2 000 starts": (
        "game = gd.games.dirac_gan()\n" + STARTS.format(2000),
        "gd.flow(game, z, 10.0, samples=2)",
        5,
    ),
    "linearise five rules on xy": (
        "game, r = gd.games.bilinear(), gd.rules\n"
        "rules = [r.GDA(0.1), r.Extragradient(0.1), r.OptimisticGD(0.1), r.AlternatingGD(0.1), r.Consensus(0.1, 1)]",
        "for rule in rules: gd.linearize(game, rule)",
        4,
    ),
    "critical step of extragradient on xy": (
        "game, rule = gd.games.bilinear(), gd.rules.Extragradient(0.1)",
        "gd.stability_region(game, rule).critical",
        4,
    ),
    "fixed points of the forsaken game": ("game = gd.games.forsaken()", "gd.fixed_points(game)", 4),
    "basins of the forsaken game, 200 x 200": (
        "game, rule = gd.games.forsaken(), gd.rules.GDA(0.05)\n"
        "starts = np.stack(np.meshgrid(*[np.linspace(-2, 2, 200)] * 2, indexing='ij'), -1)",
        "gd.basins(game, rule, starts)",
        4,
    ),
    "ring GAN of 2 x 128, 60 steps of GDA": (GAN, "train(r.GDA(0.01), 60)", 5),
    "ring GAN of 2 x 128, 60 steps in turn": (GAN, "train(r.AlternatingGD(0.01), 60)", 5),
    "ring GAN of 2 x 128, 60 steps of ExtraAdam": (GAN, "train(r.ExtraAdam(0.001), 60)", 5),
    "ring GAN of 2 x 128, 60 steps of consensus": (GAN, "train(r.Consensus(0.01, 0.1), 60)", 5),
}


def measured(tree: Path, case: str, folder: str) -> float:
    """CPU seconds of a case with one tree's package."""
    setup, body, repeats = CASES[case]
    code = TIMED.format(setup=setup, body=body, repeats=repeats) if body else setup
    surroundings = {**os.environ, "PYTHONPATH": str(tree), "PYTHONPYCACHEPREFIX": f"{folder}/{tree.name}"}
    surroundings.pop("PYTHONDONTWRITEBYTECODE", None)
    surroundings["XDG_CACHE_HOME"] = f"{folder}/kernels-{tree.name}"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=surroundings, cwd=folder, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(f"{case!r} of {tree.name} failed:\n{done.stderr[-2000:]}")
    if not body:
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return float(done.stdout.rsplit("CPU", 1)[1])


def compared(old: Path, new: Path, cases: list[str], rounds: int, folder: str) -> list[dict[str, Any]]:
    """Each case by both trees in turn; one round unmeasured first, which writes bytecode and kernels."""
    rows = []
    for case in cases:
        pairs = [(measured(old, case, folder), measured(new, case, folder)) for _ in range(rounds + 1)][1:]
        ratios = sorted(after / before for before, after in pairs)
        rows.append({
            "case": case,
            "seconds_before": round(statistics.median(pair[0] for pair in pairs), 6),
            "seconds_after": round(statistics.median(pair[1] for pair in pairs), 6),
            "ratio": round(statistics.median(ratios), 3),
            "ratios": [round(ratio, 3) for ratio in ratios],
        })  # fmt: skip
        before, after, ratio = (rows[-1][name] for name in ("seconds_before", "seconds_after", "ratio"))
        print(f"{case:48} {before:10.4g} s {after:10.4g} s {ratio:8.3g}", flush=True)
    return rows


def main() -> None:
    """Check the old tree out beside this one, compare, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commit", help="what to compare with")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", default=[""], help="cases whose name holds one of these texts")
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    new = Path(__file__).resolve().parent.parent
    cases = [case for case in CASES if any(text in case for text in given.only)]
    record = environment(0)
    with tempfile.TemporaryDirectory() as folder:
        old = Path(folder) / "before"
        git = ["git", "-C", str(new), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(old), given.commit], check=True)
        try:
            rows = compared(old, new, cases, given.rounds, folder)
        finally:
            subprocess.run([*git, "remove", "--force", str(old)], check=True)
    record |= {"before": given.commit, "rounds": given.rounds, "rows": rows}
    given.out.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
