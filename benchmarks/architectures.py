"""Each architecture against its own ablation, several seeds, one process, one thread.

    python benchmarks/architectures.py NAME [--seeds N] [--steps N] [--out FILE]

NAME is one of `ABLATIONS`: configs as they are, and the same without what the system adds. Writes the last measurements
of every seed to `benchmarks/results/architectures_NAME.json`, with commit, device and versions, as soon as a seed is
done; a run that was cut off goes on from the seeds that are there, as long as script and steps are the same. Samples
of seed 0 go to `NAME.npz` in the folder `--samples`, from which `contact_sheet.py` draws.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from ring import RESULTS, environment

import gandyn as gd
from gandyn.gans.architectures.laplacian import pyramid_samples
from gandyn.gans.datasets.laplacian import finer
from gandyn.gans.training.measures import accuracy_metrics, digit_metrics
from gandyn.gans.training.start import start
from gandyn.gans.training.state import versions

SCRIPT = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
SAMPLES, SHOWN = 1000, 25
Row = dict[str, Any]
Run = Callable[[int, int], Row]  # seed, steps -> what was measured
PLAIN = {"system": "gan", "options": {}}
MLP = {"architecture": "mlp", "hidden": [64, 64]}
DCGAN = {"architecture": "dcgan", "width": 8}
RIDGE = 1e-2  # of the linear probe, times the number of features

# --- what is measured of a run --------------------------------------------------------------------------------------


def last(run: Any) -> Row:
    """The numbers that the config's own metrics end with."""
    return {k: v for k, v in run.metrics.items() if isinstance(v, int | float)}


def digits(run: Any) -> Row:
    """Frechet distance of samples, beside that of real digits from other real ones, and the classes covered."""
    return _digits(run.game, run.w)


def _digits(game: Any, w: Any) -> Row:
    found = digit_metrics(SAMPLES)(game, w, np.random.default_rng((game.seed, 9)))
    return {key: found[key] for key in ("frechet_digits64", "floor", "classes", "of")}


def named(run: Any) -> Row:
    """The share of held-out digits whose class is named rightly, and `digits`."""
    return {**_accuracy(run.game, run.w), **digits(run)}


def _accuracy(game: Any, w: Any) -> Row:
    return accuracy_metrics()(game, w, np.random.default_rng(0))


def table(run: Any) -> Row:
    """Scores of as many made rows of penguins as there are real ones."""
    return gd.gans.table_scores(run.game.data, run.game.table(run.w, len(run.game.data)), "species")


def probed(run: Any) -> Row:
    """`digits`, and what a linear classifier reads off the discriminator's features, trained and not."""
    game, accuracies = run.game, {}
    for name, w in (("probe", run.w), ("probe_untrained", game.w0)):
        game.load(w)
        accuracies[name] = probe(game.discriminator.trunk, game.data)
    return {**digits(run), **accuracies}


@torch.no_grad()
def probe(features: Callable[[Any], Any], data: Any) -> float:
    """Held-out accuracy of a ridge regression, on standardised features, of the labels of ten digits of each class."""
    few = data.few_labelled(10)
    known = few.labels < 10
    here, there = (features(points).flatten(1).double() for points in (few.points[known], data.held_out.points))
    mean, std = here.mean(0), here.std(0) + 1e-6
    x, y = (torch.cat([(f - mean) / std, torch.ones(len(f), 1).double()], 1) for f in (here, there))
    hot = torch.nn.functional.one_hot(few.labels[known], 10).double()
    dual = torch.linalg.solve(x @ x.T + RIDGE * x.shape[1] * torch.eye(len(x)).double(), hot)
    return float(((y @ x.T @ dual).argmax(1) == data.held_out.labels).double().mean())


def shown(game: Any, w: Any) -> Any:
    """Samples for a picture: points of the plane, two numbers of made penguins, or digits."""
    if hasattr(game, "table"):
        return numbers(game.table(w, len(game.data)))
    return game.sample(w, 1000 if hasattr(game.data, "modes") else SHOWN, np.random.default_rng(3)).detach().numpy()


def numbers(penguins: dict[str, list[str]]) -> Any:
    """Bill and flipper lengths, in millimetres, of the rows that have both, (n, 2)."""
    rows = zip(penguins["bill_length_mm"], penguins["flipper_length_mm"], strict=True)
    return np.array([[float(cell) for cell in row] for row in rows if all(row)])


# --- how a case is run ----------------------------------------------------------------------------------------------


def trained(config: str, measure: Callable[[Any], Row] = last, times: float = 1, **changes: object) -> Run:
    """Training by a config with some changes, `times` as many steps as the other cases."""

    def run(seed: int, steps: int) -> Row:
        done = ended(config, seed, round(times * steps), changes)
        found = sorted({finding.name for finding in done.findings})
        told = {"status": done.status.name, "findings": found, "parameters": done.game.dim, **measure(done)}
        return {**told, "samples": shown(done.game, done.w)}

    return run


def ended(config: str, seed: int, steps: int, changes: Row) -> Any:
    """The run of a config with some changes."""
    every = {"metrics.every": max(steps // 4, 1)}
    run, signal = start(gd.gans.Config.find(config).replace(seed=seed, steps=steps, **every, **changes))
    if run is None or signal is not None:
        raise KeyboardInterrupt
    return run


def pyramid(seed: int, steps: int) -> Row:
    """Both levels of a LAPGAN, four coarse steps for each fine one; beside it, the coarse pictures made finer."""
    widths = {"generator": FINE | {"kernels": [7, 5]}, "discriminator": FINE | {"dropout": 0.2}}
    fine = ended("digits-lapgan-fine", seed, steps, widths)
    runs = [ended("digits-lapgan-coarse", seed, 4 * steps, {}), fine]
    pictures = pyramid_samples(runs, SAMPLES, seed)
    found = [_against_digits(made, seed) for made in (pictures[1], finer(pictures[0]))]
    status = max(run.status.name for run in runs)
    kinds = sorted({finding.name for run in runs for finding in run.findings})
    parameters = sum(run.game.dim for run in runs)
    only_coarse = {"frechet_of_coarse_alone": found[1]["frechet_digits64"]}
    told = {"status": status, "findings": kinds, "parameters": parameters, **found[0], **only_coarse}
    return {**told, "samples": pictures[1][:SHOWN].numpy()}


FINE = {"architecture": "laplacian", "width": 8}


def _against_digits(pictures: Any, seed: int) -> Row:
    """`digits` of pictures that no single game makes."""

    class Made:
        data = gd.gans.datasets.digits()

        def sample(self, w: object, n: int, rng: object) -> Any:
            return pictures[:n]

    made = Made()
    made.seed = seed  # type: ignore[attr-defined]
    return _digits(made, None)


def alone(config: str, names: tuple[str, ...], cost: Callable[[Any, Any], Any], measure: Callable[..., Row]) -> Run:
    """Some of a config's networks on one cost, by Adam as in the config and on its batches: no game."""

    def run(seed: int, steps: int) -> Row:
        game, _ = gd.gans.Config.find(config).replace(seed=seed, steps=steps).build()
        game.load(game.w0)
        torch.manual_seed(seed)
        parameters = [p for name in names for p in getattr(game, name).parameters()]
        optimizer, rng = torch.optim.Adam(parameters, 5e-4, betas=(0.5, 0.99)), np.random.default_rng(seed)
        for _ in range(steps):
            optimizer.zero_grad()
            cost(game, game.draw(rng).real).backward()
            optimizer.step()
        own = torch.cat([p.detach().flatten() for network in game.networks for p in network.parameters()])
        count = sum(p.numel() for p in parameters)
        return {"status": "OK", "findings": [], "parameters": count, **measure(game, own), "samples": shown(game, own)}

    return run


def variational(game: Any, real: Any) -> Any:
    """The cost of a VAE: KL(N(m, s^2) | N(0, I)) + 1/2 |x - y|^2 in pixels."""
    mean, log_std = game.encoder(real).chunk(2, 1)
    near = game.generator(mean + log_std.exp() * torch.randn_like(mean))
    divergence = (mean.square() + (2 * log_std).exp() - 2 * log_std - 1).sum(1).mean() / 2
    return divergence + (near - real).square().flatten(1).sum(1).mean() / 2


def of_labels(game: Any, real: Any) -> Any:
    """The cross-entropy of all data that have a label."""
    known = game.data.labels < game.class_outputs
    names = game.discriminator(game.data.points[known])[1]
    return torch.nn.functional.cross_entropy(names, game.data.labels[known])


def nash(pure: bool) -> Run:
    """Exploitability by answers of so many steps, of mixtures of stored networks or of the newest networks alone."""

    def run(seed: int, steps: int) -> Row:
        pair = gd.gans.mlp_pair(hidden=(32, 32), seed=seed)
        game = gd.gans.GANGame(*pair, "minimax", data=gd.gans.ring(), batch_size=64, seed=seed)
        memory = gd.gans.nash_memory(game, rounds=5, steps=steps, seed=seed, pure=pure)
        return {"exploitability": [round(float(gap), 4) for gap in memory.exploitability]}

    return run


# --- the ablations --------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Ablation:
    """Cases by name, with the steps of each and how many seeds."""

    steps: int
    cases: dict[str, Run]
    seeds: int = 5


TWO_STAGES = {"system": "manifold_diffusion", "options": {"weight": 0.1, "distance": 1.0}}
ONE_STAGE = {"system": "mode_regularized", "options": {"distance": 0.2, "logit": 0.1}}
PATCH = {"architecture": "patch", "width": 8, "layers": 1}
TURNS = DCGAN | {"classes": 4, "condition": "auxiliary"}
JUDGE = {"architecture": "mlp", "hidden": [256, 128]}
FLAT = {"architecture": "mlp", "hidden": [52, 52]}
ABLATIONS: dict[str, Ablation] = {
    "stages": Ablation(400, {
        "two stages": trained("failure-mode-collapse", **TWO_STAGES),
        "one stage": trained("failure-mode-collapse", **ONE_STAGE),
        "no encoder": trained("failure-mode-collapse"),
    }),
    "mixture": Ablation(250, {
        "three of each": trained("ring-mix-gan"),
        "one pair, as many steps": trained("ring-mix-gan", **PLAIN),
        "one pair, nine times the steps": trained("ring-mix-gan", times=9, **PLAIN),
    }),
    "labels": Ablation(200, {
        "K + 1 classes": trained("digits-semi-supervised", named, names=[]),
        "GAN without labels": trained(
            "digits-semi-supervised", digits, names=[], discriminator=JUDGE, loss="nonsaturating"
        ),
        "classifier alone": alone("digits-semi-supervised", ("discriminator",), of_labels, _accuracy),
    }),
    "autoencoder": Ablation(120, {
        "VAE-GAN": trained("digits-vae-gan", digits, names=[]),
        "GAN without encoder": trained("digits-vae-gan", digits, names=[], **PLAIN),
        "VAE without adversary": alone("digits-vae-gan", ("generator", "encoder"), variational, _digits),
    }),
    "pyramid": Ablation(200, {
        "two levels": pyramid,
        "flat, mlp": trained(
            "digits-lapgan-coarse", digits, times=14, generator=FLAT, discriminator=FLAT, data="digits"
        ),
    }),
    "pictures": Ablation(200, {  # batches of 32
        "dcgan": trained("digits-patch", probed, batch=32, names=[], generator=DCGAN, discriminator=DCGAN),
        "with rotation": trained("digits-rotation", probed, batch=32, names=[], generator=DCGAN, discriminator=TURNS),
        "patches": trained("digits-patch", digits, batch=32, names=[], generator=DCGAN, discriminator=PATCH),
    }),
    "memory": Ablation(500, {"with": trained("ring-memory-gan"), "without": trained("ring-memory-gan", **PLAIN)}),
    "fuzzy": Ablation(300, {
        "with": trained("ring-takagi-sugeno"),
        "without": trained("ring-takagi-sugeno", generator=MLP, discriminator=MLP),
    }, seeds=10),
    "packing": Ablation(200, {
        "packs of 10": trained("penguins-tabular", table),
        "single rows": trained("penguins-tabular", table, options={"pack": 1, "gamma": 10, "asked": 1}),
    }),
    "nash": Ablation(100, {"mixture": nash(False), "pure": nash(True)}),
}  # fmt: skip


def rows(ablation: Ablation, seeds: int, steps: int, done: list[Row], samples: Row) -> Iterator[Row]:
    """A row for each seed of each case that is not done; samples of seed 0 are kept by case."""
    for seed in range(seeds):
        for case, run in ablation.cases.items():
            if any((row["case"], row["seed"]) == (case, seed) for row in done):
                continue
            cpu = time.process_time()
            measured = run(seed, steps)
            made = measured.pop("samples", None)
            if seed == 0 and made is not None:
                samples[case] = made
            yield {"case": case, "seed": seed, "cpu_seconds": round(time.process_time() - cpu, 1), **measured}


def main(arguments: list[str] | None = None) -> None:
    """One ablation, every seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=[*ABLATIONS])
    parser.add_argument("--seeds", type=int, default=None)
    parser.add_argument("--steps", type=int, default=None, help="other than the ablation's")
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--samples", type=Path, default=None)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    ablation = ABLATIONS[options.name]
    seeds, steps = options.seeds or ablation.seeds, options.steps or ablation.steps
    out = options.out or RESULTS / f"architectures_{options.name}.json"
    what = f"{options.name}, each seed's last measurement; see benchmarks/architectures.py"
    same = {"what": what, "script_sha256": SCRIPT, "steps": steps}
    before = json.loads(out.read_text()) if out.exists() else {}
    found: list[Row] = before["rows"] if same.items() <= before.items() else []
    where, samples = {**environment(), "versions": versions()}, {}
    for row in rows(ablation, seeds, steps, list(found), samples):
        found = sorted([*found, row], key=lambda r: (list(ablation.cases).index(r["case"]), r["seed"]))
        written = {**same, **where, "cpu_seconds": round(sum(r["cpu_seconds"] for r in found), 1), "rows": found}
        partial = out.with_suffix(".partial")
        partial.write_text(json.dumps(written, indent=1) + "\n")
        partial.replace(out)
        print(options.name, json.dumps(row), flush=True)
        if options.samples is not None and row["seed"] == 0:
            np.savez_compressed(options.samples / f"{options.name}.npz", **samples)


if __name__ == "__main__":
    main()
