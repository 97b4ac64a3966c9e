"""Does what the toy says hold on the ring GAN? Rule by rule: predicted, measured, five seeds.

    python benchmarks/prediction.py [--seeds 0 1 2 3 4] [--parts steps]

A small GAN is trained on the ring with R1, in double precision. At the end of the run J is taken on a big batch. The
point of a run is no rest point, and as `leftmost` says no stable one, so that there is nothing to predict about the run
itself. Predictions are for the *held* game: v(w*) is taken off and (mu/2)|x - x*|^2 added to both players' costs, with
mu just large enough that every eigenvalue of J has a real part of at least MARGIN. Everything else is the network's:
its curvatures, rotation, non-normality, nonlinearity, and the noise of fresh batches.

The toy is the quadratic game of two numbers with one eigenvalue of J, or the Dirac-GAN for R1. Results, a row a seed
and rule, go to `benchmarks/results/prediction.json`; a part of a seed that is there is not repeated.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from ring import RESULTS, environment
from scipy.linalg import solve_discrete_lyapunov
from torch import nn

import gandyn as gd
from gandyn.analysis.spectrum.maps import without_its_field
from gandyn.analysis.spectrum.operators import holding
from gandyn.analysis.spectrum.toy_against_network import promised, stable_multiple
from gandyn.gans.training.state import versions

WIDTH, GAMMA, STD, BATCH, BIG, TRAINING = 8, 0.1, 0.1, 128, 1024, 3000
SCRIPT = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
MARGIN, CRITICAL, STEPS, NOISY_STEPS, BATCHES = 0.1, 3, 200, 2000, 300
PARTS = ["modes", "penalty", "noise", "steps", "recommended"]
LONG = 400
RULES: dict[str, Callable[[float], Any]] = {
    "simultaneous": gd.rules.GDA,
    "alternating": lambda lr: gd.rules.Alternating(gd.rules.GDA(lr)),
    "extragradient": gd.rules.Extragradient,
    "optimistic": gd.rules.OptimisticGD,
    "heavy ball, -0.3": lambda lr: gd.rules.HeavyBall(lr, -0.3),
    "consensus, 0.5": lambda lr: gd.rules.Consensus(lr, 0.5),
}


def made(seed: int, gamma: float = GAMMA) -> Any:
    """The GAN of one seed, before training."""
    torch.manual_seed(seed)
    generator = nn.Sequential(nn.Linear(2, WIDTH), nn.Tanh(), nn.Linear(WIDTH, 2)).double()
    discriminator = nn.Sequential(nn.Linear(2, WIDTH), nn.Tanh(), nn.Linear(WIDTH, 1)).double()
    options = {"data": gd.gans.ring(std=STD), "batch_size": BATCH, "latent": 2, "seed": seed}
    return gd.gans.GANGame(generator, discriminator, "nonsaturating", f"R1({gamma})", **options)


def big_batch(game: Any) -> Any:
    """One batch of `BIG` points on which J is taken."""
    wide = copy.copy(game)
    vars(wide)["size"] = BIG
    return wide.draw(np.random.default_rng(5))


def held(game: Any, w: Any, batch: Any, mu: float) -> Any:
    """The game with v(w) taken off and (mu/2)|x_i - x_i*|^2 added to player i's cost."""
    rest = without_its_field(game, w, batch)
    costs_of, places = rest._network_costs, [block.detach().clone() for block in game.split(w)]

    def costs(networks: Any, token: Any, only: int | None) -> tuple[Any, ...]:
        found = costs_of(networks, token, only)
        vectors = [torch.cat([p.flatten() for p in network.parameters()]) for network in networks]
        pulls = [mu / 2 * ((x - x0) ** 2).sum() for x, x0 in zip(vectors, places, strict=True)]
        return tuple(None if c is None else c + pull for c, pull in zip(found, pulls, strict=True))

    view = copy.copy(rest)
    vars(view).update(_network_costs=costs, _kept_graph=None)
    return view


def errors(game: Any, rule: Any, w: Any, start: Any, steps: int) -> list[Any]:
    """w_t - w* along a run that begins at w* + start; it ends early where it is far away or gone."""
    rng, here, found = np.random.default_rng(0), w + start, [start]
    state = rule.init(game, here, rng)
    for _ in range(steps):
        here, state, _ = rule.step(game, here, state, rng)
        found.append(here.detach() - w)
        size = float(found[-1].norm())
        if not 1e-14 < size < 1e3 * float(start.norm()):
            break
    return found


def grows(game: Any, rule: Any, w: Any, start: Any) -> bool:
    """Whether a third of the error is left: beyond a flip it stays bounded, on an orbit of period 2."""
    return not float(errors(game, rule, w, start, STEPS)[-1].norm()) < 0.3 * float(start.norm())


def largest_step(game: Any, make: Callable[[float], Any], w: Any, start: Any, near: float) -> float:
    """By bisection to 3 %, between half and four times what is predicted; nan beyond."""
    low, high = near / 1.06, near * 1.06
    if grows(game, make(low), w, start):
        low, high = near / 2, low
        if grows(game, make(low), w, start):
            return float("nan")
    elif not grows(game, make(high), w, start):
        low, high = high, near * 4
        if not grows(game, make(high), w, start):
            return float("nan")
    while high / low > 1.03:
        middle = (low * high) ** 0.5
        low, high = (low, middle) if grows(game, make(middle), w, start) else (middle, high)
    return float((low * high) ** 0.5)


def row(seed: int, rule: str, what: str, predicted: float, measured: float, within: float = 0.1) -> dict[str, Any]:
    """One line of the table: they agree where they differ by at most `within` of the prediction."""
    agree = bool(abs(measured - predicted) <= within * abs(predicted))
    numbers = {"predicted": float(predicted), "measured": float(measured) if np.isfinite(measured) else None}
    return {"seed": seed, "rule": rule, "what": what, **numbers, "within": within, "agree": agree}


def steps_rows(seed: int, game: Any, w: Any, values: Any) -> list[dict[str, Any]]:
    """The largest stable step of every rule, from the `CRITICAL` eigenvalues that are worst for GDA."""
    worst = values[values.imag >= 0]
    worst = worst[np.argsort(-(abs(worst) ** 2) / worst.real)][:CRITICAL]
    start = torch.tensor(np.random.default_rng(seed).normal(size=len(w)))
    start *= 1e-3 * w.norm() / start.norm()
    found = []
    for name, make in RULES.items():
        unit = 0.01
        predicted = min(unit * stable_multiple(make(unit), complex(z)) for z in worst)
        found.append(row(seed, name, "largest stable step", predicted, largest_step(game, make, w, start, predicted)))
    return found


def mode_rows(seed: int, game: Any, w: Any, matrix: Any, lr: float) -> list[dict[str, Any]]:
    """Growth and turns a step of the mode that rotates fastest, from its amplitude y^H e / y^H x."""
    values, vectors = np.linalg.eig(matrix)
    k = int(np.argmax(values.imag))
    x, y = vectors[:, k], np.linalg.inv(vectors)[k]
    start = torch.tensor(1e-3 * x.real)
    found = []
    for name in ("simultaneous", "extragradient", "alternating", "consensus, 0.5"):
        rule = RULES[name](lr)
        amplitudes = [complex(y @ e.numpy()) for e in errors(game, rule, w, start, 12)]
        rate = (amplitudes[-1] / amplitudes[2]) ** (1 / (len(amplitudes) - 3))
        turns = np.unwrap(np.angle(amplitudes))
        growth, turn = promised(rule, complex(values[k]))
        found.append(row(seed, name, "contraction a step of the rotating mode", 1 - growth, 1 - abs(rate)))
        turned = abs(turns[-1] - turns[2]) / (2 * np.pi * (len(turns) - 3))
        found.append(row(seed, name, "turns a step of the rotating mode", turn, turned))
    return found


def recommended_rows(seed: int, game: Any, w: Any, values: Any) -> list[dict[str, Any]]:
    """Contraction a step of each rule with the values that `gd.recommend` gives it over all eigenvalues of J.

    Measured over the later half of a run from anywhere near, when only the slowest mode is left.
    """
    over = gd.classes.Spectrum(points=list(values))
    free = [gd.rules.GDA("lr"), gd.rules.Extragradient("lr"), gd.rules.OptimisticGD("lr")]
    table = gd.recommend(over, [*free, gd.rules.HeavyBall("lr", "momentum")])
    start = torch.tensor(np.random.default_rng((seed, 11)).normal(size=len(w)))
    start *= 1e-3 * w.norm() / start.norm()
    what, found, reached = "contraction a step, values as recommended", [], {}
    for choice in table.choices:
        rule = choice.design.best
        sizes = [float(e.norm()) for e in errors(game, rule, w, start, LONG)]
        half = len(sizes) // 2
        rate = (sizes[-1] / sizes[half]) ** (1 / (len(sizes) - 1 - half))
        found.append(row(seed, rule.name, what, 1 - choice.design.rate, 1 - rate))
        reached[rule.name] = rate ** (1 / choice.cost)
    first = min(reached, key=lambda name: reached[name])
    order = float(first == table.best.name)
    return [*found, row(seed, "the recommended rule", "is the fastest a gradient of the four", 1.0, order)]


def penalty_row(seed: int, game: Any, w: Any, batch: Any, matrix: Any) -> dict[str, Any]:
    """What twice the R1 adds to the real part of the rotating mode: half the discriminator's added curvature."""
    values, vectors = np.linalg.eig(matrix)
    k = int(np.argmax(values.imag))
    more = made(seed, 2 * GAMMA).jacobian(w, batch).detach().numpy() - game.jacobian(w, batch).detach().numpy()
    own = game.blocks[1] if hasattr(game, "blocks") else slice(len(game.split(w)[0]), len(w))
    part = vectors[own, k]
    curvature = float((part.conj() @ more[own, own] @ part).real / (part.conj() @ part).real)
    changed = np.linalg.eigvals(matrix + more)
    nearest = changed[np.argmin(abs(changed - values[k]))]
    return row(seed, "R1", "added damping of the rotating mode", curvature / 2, nearest.real - values[k].real, 0.25)


def noise_rows(seed: int, game: Any, rest: Any, w: Any, matrix: Any, lr: float) -> list[dict[str, Any]]:
    """Variance of the last iterate and of an average under fresh batches, against the toy and the linear law."""
    rng = np.random.default_rng((seed, 3))
    fields = np.array([rest.field(w, game.draw(rng)).detach().numpy() for _ in range(BATCHES)])
    noise, d = np.cov(fields.T), len(w)
    step = np.eye(d) - lr * matrix
    law = float(np.trace(solve_discrete_lyapunov(step, lr**2 * noise, method="bilinear")))
    values = np.linalg.eigvals(matrix)
    toy = float(np.trace(noise)) / d * float((lr / (2 * values.real - lr * abs(values) ** 2)).sum())
    here, mean, path = w.clone(), fields.mean(0), []
    for _ in range(NOISY_STEPS):
        here = here - lr * (rest.field(here, game.draw(rng)).detach() - torch.tensor(mean))
        path.append(here.numpy() - w.numpy())
    late = np.array(path[NOISY_STEPS // 10 :])
    measured = float(late.var(0).sum())
    length = 100
    blocks = late[: len(late) // length * length].reshape(-1, length, d).mean(1)
    inverse = np.linalg.inv(matrix)
    average = float(np.trace(inverse @ noise @ inverse.T)) / length
    ratio = float(blocks.var(0, ddof=1).sum())
    return [
        row(seed, "simultaneous", "noise floor, toy with equal noise in every mode", toy, measured, 0.25),
        row(seed, "simultaneous", "noise floor, linear law with the batches' covariance", law, measured, 0.25),
        row(seed, "averaging", f"variance of an average over {length} steps, linear law", average, ratio, 0.25),
    ]  # fmt: skip


def one(seed: int, parts: list[str]) -> list[dict[str, Any]]:
    """Train a seed and look at where it ends; then predict and measure these parts."""
    began, game = time.process_time(), made(seed)
    run = gd.gans.train(game, gd.rules.Alternating(gd.rules.Adam(5e-3)), TRAINING, seed=seed, metrics=None)
    w, batch = run.w.detach(), big_batch(game)
    points = game.sample(w, 2000, np.random.default_rng((seed, 9)))
    near = game.data.modes(points, radius=0.5)
    matrix = game.jacobian(w, batch).detach().numpy()
    leftmost = float(np.linalg.eigvals(matrix).real.min())
    mu = max(0.0, MARGIN - leftmost)
    rest, matrix = held(game, w, batch, mu), matrix + mu * np.eye(len(w))
    values = np.linalg.eigvals(matrix)
    lr = float((values.real / abs(values) ** 2).min())  # half of the largest stable step
    still = holding(rest, batch)
    point = {
        "parameters": len(w), "status": run.status.name, "near_modes": near.covered, "near_quality": near.high_quality,
        "field": float(game.field(w, batch).norm()), "leftmost": leftmost, "mu": mu,
        "largest": float(abs(values).max()), "turning": float(values.imag.max()), "lr": lr,
    }  # fmt: skip
    measure: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "modes": lambda: mode_rows(seed, still, w, matrix, lr / 2),
        "penalty": lambda: [penalty_row(seed, game, w, batch, matrix)],
        "noise": lambda: noise_rows(seed, game, rest, w, matrix, lr),
        "steps": lambda: steps_rows(seed, still, w, values),
        "recommended": lambda: recommended_rows(seed, still, w, values),
    }
    found = []
    for part in parts:
        rows = measure[part]()
        seconds, began = round(time.process_time() - began, 1), time.process_time()
        found.append({"seed": seed, "part": part, **point, "cpu_seconds": seconds, "rows": rows})
    return found


def main(arguments: list[str] | None = None) -> None:
    """Every part of every seed that the result file lacks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--out", type=Path, default=RESULTS / "prediction.json")
    options = parser.parse_args(arguments)
    runs = json.loads(options.out.read_text())["runs"] if options.out.exists() else []
    for seed in options.seeds:
        done = {run["part"] for run in runs if run["seed"] == seed}
        parts = [part for part in options.parts if part not in done]
        if parts:
            runs += one(seed, parts)
            print(seed, parts, flush=True)
            script = {"what": "what the toy predicts, on ring GANs", "script_sha256": SCRIPT}
            result = {**script, **environment(), "versions": versions(), "runs": runs}
            options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
