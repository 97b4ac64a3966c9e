"""Ten kinds of run, each as a function of a folder, for processes that are killed while they work.

As a program, `python killed_runs.py KIND FOLDER STEP` makes the run, says "now" when that step is done, and at the end
how it came out.
"""

from __future__ import annotations

import json
import sys

import torch

import gandyn as gd
from gandyn.gans.training.sweep import Sweep

R = gd.rules
STEPS = 48


class Announced:
    """A display that says when a step is done; step 0 is the beginning."""

    def __init__(self, at):
        self.at = at

    def step(self, done):
        if done >= self.at >= 0:
            self.at = -1
            print("now", flush=True)

    def row(self, row):
        self.step(row["step"])

    def finding(self, finding):
        pass

    def close(self):
        pass


def game():
    pair = gd.gans.mlp_pair(hidden=(8,), seed=1)
    return gd.gans.GANGame(*pair, "nonsaturating", "R1(0.1)", data=gd.gans.ring(), batch_size=16, seed=1)


def trained(folder, rule, progress=False, steps=STEPS, **options):
    options = {"log_every": 3, "checkpoint_every": 5, "metrics_every": 6, "seed": 2, **options}
    return gd.gans.train(game(), rule, steps, folder=folder, progress=progress, **options)


def resumed(folder, progress=False):
    """Half the steps, then all of them: a kill may come in either half."""
    half = trained(folder, R.OptimisticAdam(1e-3), progress, STEPS // 2)
    if half.status is gd.Status.INTERRUPTED:
        return half
    return trained(folder, R.OptimisticAdam(1e-3), progress)


SWEEP = Sweep.from_dict({
    "name": "killed", "base": "ring-alternating-adam", "seeds": [0, 1],
    "change": {
        "steps": STEPS, "batch": 16, "log_every": 4, "checkpoint_every": 5, "metrics.samples": 64,
        "generator": {"architecture": "mlp", "hidden": [8]}, "discriminator": {"architecture": "mlp", "hidden": [8]},
    },
    "axis": [{"name": "lr", "values": [0.001, 0.01]}],
})  # fmt: skip


def swept(folder, progress=False):
    """Four cells; their names tell how far it is."""
    cells = []

    def told(row):
        cells.append(row)
        if progress:
            progress.step(STEPS // 4 * len(cells))

    if progress:
        progress.step(0)
    return SWEEP.run(folder, progress=told)


KINDS = {
    "simultaneous": lambda *at: trained(at[0], R.GDA(0.05), *at[1:]),
    "alternating": lambda *at: trained(at[0], R.Alternating(R.Adam(1e-3, (0.0, 0.99))), *at[1:]),
    "ExtraAdam": lambda *at: trained(at[0], R.ExtraAdam(1e-3), *at[1:]),
    "averaged": lambda *at: trained(at[0], R.Adam(1e-3), *at[1:], average=0.9),
    "early stopping": lambda *at: trained(
        at[0], R.GDA(0.05), *at[1:], log_every=2, metrics_every=2,
        stop_when=gd.gans.EarlyStopping("near_quality", patience=15, largest=True),
    ),
    "schedule": lambda *at: trained(at[0], R.Lookahead(R.SGDM(0.05), 3, 0.5), *at[1:], schedule=R.schedule.Cosine(50)),
    "sweep": swept,
    "pictures": lambda *at: trained(at[0], R.AlternatingGD(0.05), *at[1:], samples_every=20),
    "checkpoint every step": lambda *at: trained(at[0], R.Consensus(0.02, 0.1), *at[1:], checkpoint_every=1, keep=3),
    "resumed twice": resumed,
}  # fmt: skip


def outcome(result):
    """All that has to come out the same, as plain data: numbers by their bits."""
    if isinstance(result, gd.gans.training.sweep.SweepResult):
        kept = ("case", "seed", "sha256", "outcome", "status", "step", "gradients", "losses", "metrics", "findings")
        return json.loads(json.dumps([{key: row[key] for key in kept} for row in result.rows]))
    arrays = [result.w, *(leaf for _, leaf in result.state.leaves())]
    arrays += [] if result.average is None else [result.average]
    bits = [array.contiguous().view(torch.uint8).numpy().tobytes().hex() for array in arrays]
    rows = [{key: value for key, value in row.items() if key != "seconds"} for row in result.rows]
    return json.loads(json.dumps({
        "status": result.status.name, "step": result.step, "bits": bits, "rows": rows,
        "gradients": result.counts.fields, "findings": [finding.to_dict() for finding in result.findings],
        "rng": result.game._rng.bit_generator.state,
    }))  # fmt: skip


if __name__ == "__main__":
    torch.set_num_threads(1)
    kind, folder, step = sys.argv[1:]
    print(json.dumps(outcome(KINDS[kind](folder, Announced(int(step))))), flush=True)
