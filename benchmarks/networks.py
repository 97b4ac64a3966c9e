"""One step of a network through a gandyn rule against a hand-written loop with torch.optim: the ratio of their times.

    python benchmarks/networks.py --out benchmarks/results/networks.json

Both sides first play the same batches in float64 and must arrive at the same parameters to 1e-10; otherwise the
comparison is void. They are then timed in float32, interleaved, each drawing its own batches; medians are compared.
There are two opponents. "usual" is the loop as tutorials write it: every loss.backward() fills the gradients of all
parameters that it reaches. "frugal" restricts each backward pass to the parameters of the player that moves.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import softplus

import gandyn as gd

LR, BATCH, LATENT, TOLERANCE = 1e-3, 128, 2, 1e-10
BETAS = (0.5, 0.999)


# --- the hand-written loops: non-saturating GAN -----------------------------------------------------------------------


class HandWritten:
    """A generator and a discriminator trained with torch.optim, as one writes it for one rule."""

    def __init__(self, networks: tuple[Any, Any], optimizer: Any, frugal: bool) -> None:
        self.generator, self.discriminator = networks
        self.own = [list(network.parameters()) for network in networks]
        self.everything = self.own[0] + self.own[1]
        self.optimizers = [optimizer(parameters) for parameters in self.own]
        self.frugal = frugal
        self.previous: list[Any] | None = None

    def backward(self, cost: Any, player: int) -> None:
        """Gradients of a cost, restricted to its player if frugal."""
        cost.backward(inputs=self.own[player] if self.frugal else None)

    def clear(self) -> None:
        """Forget all gradients."""
        for optimizer in self.optimizers:
            optimizer.zero_grad()

    def discriminator_cost(self, real: Any, fake: Any) -> Any:
        """-E log D(x) - E log(1 - D(G(z)))."""
        return softplus(-self.discriminator(real)).mean() + softplus(self.discriminator(fake)).mean()

    def gradients(self, real: Any, latent: Any) -> None:
        """Both players' gradients at one point, as usual: the generator's first, then the discriminator's, cleared."""
        fake = self.generator(latent)
        self.clear()
        self.backward(softplus(-self.discriminator(fake)).mean(), 0)
        self.optimizers[1].zero_grad()
        self.backward(self.discriminator_cost(real, fake.detach()), 1)

    def move(self) -> None:
        """One step of both optimisers."""
        for optimizer in self.optimizers:
            optimizer.step()

    def simultaneous(self, real: Any, latent: Any) -> None:
        """Both players at once."""
        self.gradients(real, latent)
        self.move()

    def alternating(self, real: Any, latent: Any, real2: Any, latent2: Any) -> None:
        """The generator, then the discriminator on a batch of its own."""
        self.clear()
        self.backward(softplus(-self.discriminator(self.generator(latent))).mean(), 0)
        self.optimizers[0].step()
        self.optimizers[1].zero_grad()
        with torch.no_grad():
            fake = self.generator(latent2)
        self.backward(self.discriminator_cost(real2, fake), 1)
        self.optimizers[1].step()

    def extragradient(self, real: Any, latent: Any) -> None:
        """Look ahead, come back, step with the gradients found there."""
        start = [p.detach().clone() for p in self.everything]
        self.gradients(real, latent)
        self.move()
        self.gradients(real, latent)
        with torch.no_grad():
            for p, value in zip(self.everything, start, strict=True):
                p.copy_(value)
        self.move()

    def optimistic(self, real: Any, latent: Any) -> None:
        """Step with 2 g - (previous g)."""
        self.gradients(real, latent)
        now = [p.grad.clone() for p in self.everything]
        for p, new, old in zip(self.everything, now, self.previous or now, strict=True):
            p.grad = 2 * new - old
        self.previous = now
        self.move()


def sgd(parameters: Any) -> Any:
    """Plain gradient descent."""
    return torch.optim.SGD(parameters, lr=LR)


def adam(parameters: Any) -> Any:
    """Adam as torch has it by default."""
    return torch.optim.Adam(parameters, lr=LR, betas=BETAS)


# rule, method of HandWritten, its optimiser, batches per step, batches before the first step
CASES: dict[str, tuple[Any, str, Any, int, int]] = {
    "SimultaneousGD": (gd.rules.SimultaneousGD(LR), "simultaneous", sgd, 1, 0),
    "AlternatingGD": (gd.rules.AlternatingGD(LR), "alternating", sgd, 2, 0),
    "Extragradient": (gd.rules.Extragradient(LR), "extragradient", sgd, 1, 0),
    "OptimisticGD": (gd.rules.OptimisticGD(LR), "optimistic", sgd, 1, 1),
    "Adam": (gd.rules.Adam(LR, betas=BETAS), "simultaneous", adam, 1, 0),
    "Alternating(Adam)": (gd.rules.Alternating(gd.rules.Adam(LR, betas=BETAS)), "alternating", adam, 2, 0),
}


# --- the same numbers -----------------------------------------------------------------------------------------------


def make(width: int, dtype: Any, device: str) -> tuple[Any, Any]:
    """The same two networks every time."""
    networks = gd.gans.mlp_pair(latent=LATENT, hidden=(width,) * 3, seed=0)
    return tuple(network.to(device=device, dtype=dtype) for network in networks)  # type: ignore[return-value]


def game_of(networks: tuple[Any, Any]) -> Any:
    """The networks as a game."""
    return gd.gans.GANGame(*networks, "nonsaturating", data=gd.gans.ring(), batch_size=BATCH, latent=LATENT)


def disagreement(case: str, width: int, device: str, frugal: bool, steps: int = 5) -> float:
    """Largest difference of a parameter after some steps on the same batches, in float64."""
    rule, method, optimizer, batches, before = CASES[case]
    game = game_of(make(width, torch.float64, device))
    hand = HandWritten(make(width, torch.float64, device), optimizer, frugal)
    rng, tokens = np.random.default_rng(1), np.random.default_rng(1)
    w = game.w0
    state = rule.init(game, w, rng)
    first = [game.draw(tokens) for _ in range(before)]
    if first:  # the optimistic rule's first "previous" field is that of the start, on a batch of its own
        hand.gradients(first[0].real, first[0].latent)
        hand.previous = [p.grad.clone() for p in hand.everything]
    for _ in range(steps):
        w, state, _ = rule.step(game, w, state, rng)
        drawn = [game.draw(tokens) for _ in range(batches)]
        getattr(hand, method)(*(part for token in drawn for part in (token.real, token.latent)))
    theirs = torch.cat([p.detach().reshape(-1) for p in hand.everything])
    return float((w - theirs).abs().max())


# --- the times ------------------------------------------------------------------------------------------------------


def own_steps(case: str, width: int, device: str) -> Iterator[None]:
    """One step of the rule at each `next`."""
    rule = CASES[case][0]
    game = game_of(make(width, torch.float32, device))
    rng, w = np.random.default_rng(1), game.w0
    state = rule.init(game, w, rng)
    while True:
        w, state, _ = rule.step(game, w, state, rng)
        game.advance()
        yield


def hand_steps(case: str, width: int, device: str, frugal: bool) -> Iterator[None]:
    """One step of the hand-written loop at each `next`."""
    _, method, optimizer, batches, _ = CASES[case]
    hand = HandWritten(make(width, torch.float32, device), optimizer, frugal)
    data, source = gd.gans.ring(device=device), torch.Generator(device).manual_seed(1)
    while True:
        drawn = []
        for _ in range(batches):
            drawn += [data.sample(BATCH, source), torch.randn(BATCH, LATENT, generator=source, device=device)]
        getattr(hand, method)(*drawn)
        yield


def synchronise(device: str) -> None:
    """Wait for the device."""
    if device == "cuda":
        torch.cuda.synchronize()


def timed(steps: Iterator[None], count: int, device: str) -> float:
    """Seconds a step: of processor time on a CPU, which other processes disturb less, and of the clock elsewhere."""
    clock = time.process_time if device == "cpu" else time.perf_counter
    synchronise(device)
    start = clock()
    for _ in range(count):
        next(steps)
    synchronise(device)
    return (clock() - start) / count


def compare(case: str, width: int, device: str, rounds: int, count: int) -> dict[str, Any]:
    """Median seconds a step and median ratio, rounds interleaved and in alternating order."""
    runners: dict[str, Callable[[], float]] = {}
    for name, steps in (
        ("gandyn", own_steps(case, width, device)),
        ("usual", hand_steps(case, width, device, frugal=False)),
        ("frugal", hand_steps(case, width, device, frugal=True)),
    ):
        timed(steps, 20, device)
        runners[name] = lambda steps=steps: timed(steps, count, device)
    seconds: dict[str, list[float]] = {name: [] for name in runners}
    for k in range(rounds):
        order = list(runners) if k % 2 else list(runners)[::-1]
        for name in order:
            seconds[name].append(runners[name]())
    ratios = {
        f"ratio_{name}": statistics.median(a / b for a, b in zip(seconds["gandyn"], seconds[name], strict=True))
        for name in ("usual", "frugal")
    }
    medians = {f"microseconds_{name}": 1e6 * statistics.median(values) for name, values in seconds.items()}
    return {**{k: round(v, 3) for k, v in ratios.items()}, **{k: round(v, 1) for k, v in medians.items()}}


def foreign_load() -> float:
    """Load of other processes, in cores: what the machine did while this process slept."""

    def busy() -> tuple[int, int]:
        fields = [int(x) for x in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
        return sum(fields) - fields[3] - fields[4], sum(fields)

    if not Path("/proc/stat").exists():
        return os.getloadavg()[0]
    before = busy()
    time.sleep(1.0)
    after = busy()
    return (os.cpu_count() or 1) * (after[0] - before[0]) / max(after[1] - before[1], 1)


def commit() -> str:
    """The commit that is measured."""
    try:
        run = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return run.stdout.strip()


def main() -> None:
    """Check, time, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--steps", type=int, default=20, help="steps a round")
    parser.add_argument("--widths", type=int, nargs="+", default=[128, 256])
    parser.add_argument("--rules", nargs="+", default=list(CASES), choices=list(CASES))
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    before, results = foreign_load(), []
    for width in arguments.widths:
        size = game_of(make(width, torch.float32, "cpu")).dim
        for case in arguments.rules:
            apart = max(disagreement(case, 16, arguments.device, frugal) for frugal in (False, True))
            if apart > TOLERANCE:
                raise SystemExit(f"{case}: the loops end {apart:.1e} apart, so their times cannot be compared")
            row = compare(case, width, arguments.device, arguments.rounds, arguments.steps)
            results.append({"rule": case, "width": width, "parameters": size, "apart": apart, **row})
            print(
                f"{case:20s} {size:8d} parameters  {row['microseconds_gandyn']:8.0f} us  "
                f"{row['ratio_usual']:.3f} of usual, {row['ratio_frugal']:.3f} of frugal",
                flush=True,
            )
    load = max(before, foreign_load())
    if load > 0.3:
        print(f"other processes used {load:.1f} cores: repeat on a quiet machine")
    record = {
        "what": "time of one training step, gandyn rule over hand-written torch.optim loop; non-saturating MLP GAN",
        "commit": commit(),
        "device": torch.cuda.get_device_name() if arguments.device == "cuda" else platform.processor() or "cpu",
        "threads": 1,
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
        "seed": 1,
        "batch": BATCH,
        "foreign_load_cores": round(load, 2),
        "results": results,
    }
    if arguments.out:
        arguments.out.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
