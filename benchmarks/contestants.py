"""The contestants of the benchmark table (run.py): what gandyn does, and the same work by hand beside it.

A row's contestants are "ours" and "anchor"; each is a function that does the work once, or times itself in another
process. The ratio of the two is what is compared from one commit to the next: it depends little on the machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from ensembles import LR, SEED, yardstick

import gandyn as gd

Work = Callable[[], Any]


# --- ensembles and calls ----------------------------------------------------------------------------------------------


def ensemble(game: Callable[[], Any], rule: Any, loop: str, kernel: str, members: int, steps: int) -> dict[str, Work]:
    """A rule from many starts on one thread, against the fused loop written by hand in C++."""
    import ctypes

    start = np.random.default_rng(SEED).normal(size=(members, 2))
    by_hand = getattr(yardstick(), loop)
    by_hand.argtypes = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_double]
    made = game()

    def anchor() -> None:
        w = start.copy()
        by_hand(w.ctypes.data, members, steps, LR)

    return {
        "ours": lambda: gd.iterate(made, rule, start, steps, "last", kernel=kernel, threads=1) and None,
        "anchor": anchor,
    }


def one_call() -> dict[str, Work]:
    """Two hundred calls of ten steps from one start, against the ten steps by hand."""
    game, rule, start = gd.games.bilinear(), gd.rules.GDA(LR), np.array([1.0, 0.0])
    gd.iterate(game, rule, start, 10, kernel="c")
    step = np.eye(2) - LR * np.array([[0.0, 1.0], [-1.0, 0.0]])

    def by_hand() -> None:
        for _ in range(200):
            w = start
            for _ in range(10):
                w = step @ w

    def ours() -> None:
        for _ in range(200):
            gd.iterate(game, rule, start, 10)

    return {"ours": ours, "anchor": by_hand}


def new_value() -> dict[str, Work]:
    """Another step size each time, against the same one again."""
    game, start = gd.games.dirac_gan(), np.random.default_rng(SEED).normal(size=(20_000, 2))
    values = iter(np.linspace(0.01, 0.3, 10_000))

    def run(lr: float) -> None:
        gd.iterate(game, gd.rules.Extragradient(lr), start, 500, "last", kernel="c", threads=1)

    return {"ours": lambda: run(float(next(values))), "anchor": lambda: run(LR)}


def recording() -> dict[str, Work]:
    """Every step of an ensemble kept, against an array of that size filled with one number."""
    start = np.random.default_rng(SEED).normal(size=(20_000, 2))
    game, rule = gd.games.bilinear(), gd.rules.GDA(LR)
    return {
        "ours": lambda: gd.iterate(game, rule, start, 200, kernel="c", threads=1) and None,
        "anchor": lambda: np.full((201, 20_000, 2), 1.0) is None,
    }


def flow() -> dict[str, Work]:
    """Circles to t = 50 at 1e-9, against SciPy's tableau on the stacked system."""
    start, game = np.random.default_rng(SEED).normal(size=(5_000, 2)), gd.games.bilinear()

    def run(kernel: str) -> Work:
        return lambda: gd.flow(game, start, 50.0, 1e-9, samples=2, kernel=kernel, threads=1) and None

    return {"ours": run("c"), "anchor": run("eager")}


def sweep() -> dict[str, Work]:
    """The spectral radius at a hundred thousand pairs of parameters, against NumPy on the matrices written by hand."""
    lr, momentum = np.linspace(0.01, 1, 400), np.linspace(-0.9, 0.9, 250)

    def by_hand() -> None:
        h, b = np.meshgrid(lr, momentum, indexing="ij")
        matrices = np.zeros((*h.shape, 4, 4))
        matrices[..., 0, 0] = matrices[..., 1, 1] = 1
        matrices[..., 0, 1], matrices[..., 1, 0] = -h, h
        matrices[..., 0, 2] = matrices[..., 1, 3] = h * b
        matrices[..., 2, 1], matrices[..., 3, 0] = -1, 1
        matrices[..., 2, 2] = matrices[..., 3, 3] = b
        np.abs(np.linalg.eigvals(matrices)).max(-1)

    game, rule = gd.games.bilinear(), gd.rules.HeavyBall(0.1, 0.1)
    axes = {"lr": lr, "momentum": momentum}
    return {"ours": lambda: gd.sweep(game, rule, axes, "spectral_radius") and None, "anchor": by_hand}


# --- exact answers ----------------------------------------------------------------------------------------------------


def quadratic(players: int, size: int = 1, seed: int = 0) -> Any:
    """A game of several players with decimals of two digits and an attracting equilibrium."""
    rng, d = np.random.default_rng(seed), players * size
    matrix = rng.normal(size=(d, d)).round(2)
    matrix = ((matrix - matrix.T) / 2).round(2)
    matrix[np.diag_indices(d)] = rng.uniform(0.1, 1, d).round(2)
    blocks = [slice(i * size, (i + 1) * size) for i in range(players)]
    for own in blocks:
        matrix[own, own] = np.diag(np.diag(matrix[own, own]))
    return gd.games.general_quadratic([[matrix[a, b].tolist() for b in blocks] for a in blocks])


GAMES = {
    "3 x 3 bilinear": lambda: gd.games.bilinear(np.random.default_rng(0).normal(size=(3, 3)).round(2)),
    "4 x 4 bilinear": lambda: gd.games.bilinear(np.random.default_rng(0).normal(size=(4, 4)).round(2)),
    "three players": lambda: quadratic(3),
    "four players": lambda: quadratic(4),
    "five players": lambda: quadratic(5),
    "eight players": lambda: quadratic(8),
}
RULES = {
    "extragradient": gd.rules.Extragradient("lr"),
    "optimistic": gd.rules.OptimisticGD("lr"),
    "momentum": gd.rules.HeavyBall("lr", -0.3),
    "alternating momentum": gd.rules.HeavyBall("lr", -0.3, alternating=True),
    "alternating": gd.rules.AlternatingGD("lr"),
}


def threshold(game: str, rule: str) -> dict[str, Work]:
    """The exact critical step size, against bisection of the numeric spectral radius."""

    def ours() -> None:
        gd.stability_region(GAMES[game](), RULES[rule]).critical("lr")

    lin = gd.linearize(GAMES[game](), RULES[rule])
    import sympy

    matrix = sympy.lambdify(sympy.Symbol("lr", positive=True), lin.exact.matrix, "numpy")

    def by_hand() -> None:
        grid = np.geomspace(1e-3, 10, 200)
        radii = np.array([np.abs(np.linalg.eigvals(np.array(matrix(h), dtype=float))).max() for h in grid])
        beyond = np.flatnonzero(radii >= 1)
        low, high = (0.0, grid[0]) if not len(beyond) or not beyond[0] else grid[beyond[0] - 1 : beyond[0] + 1]
        for _ in range(45):
            middle = (low + high) / 2
            stable = np.abs(np.linalg.eigvals(np.array(matrix(middle), dtype=float))).max() < 1
            low, high = (middle, high) if stable else (low, middle)

    return {"ours": ours, "anchor": by_hand}


def linearised() -> dict[str, Work]:
    """Every rule on every toy, exactly (benchmarks/linearise.py), against as many numeric eigenvalue problems."""
    folder = Path(__file__).parent

    def ours() -> dict[str, float]:
        return process([sys.executable, str(folder / "linearise.py"), "--out", os.devnull])

    return {"ours": ours, "anchor": eigenvalue_problems}


def eigenvalue_problems() -> None:
    """Ten thousand 8 x 8 eigenvalue problems in NumPy: the yardstick of work that nobody does by hand."""
    for matrix in np.random.default_rng(0).normal(size=(10_000, 8, 8)):
        np.linalg.eigvals(matrix)


def analysis(work: Work) -> Callable[[], dict[str, Work]]:
    """An analysis at its slowest registered case, against the yardstick."""
    return lambda: {"ours": work, "anchor": eigenvalue_problems}


# --- whole processes --------------------------------------------------------------------------------------------------


def process(command: list[str], **environment: str) -> dict[str, float]:
    """Wall and CPU seconds of a process, with those it starts; bytecode is kept, as of an installed package."""
    cache = Path(tempfile.gettempdir()) / "gandyn-benchmark-bytecode"
    surroundings = {**os.environ, "PYTHONPYCACHEPREFIX": str(cache), **environment}
    surroundings.pop("PYTHONDONTWRITEBYTECODE", None)
    before, began = os.times(), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=surroundings)
    wall, after = time.perf_counter() - began, os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return {"wall": wall, "cpu": used}


def python(code: str, against: str) -> Callable[[], dict[str, Work]]:
    """Two fresh interpreters."""
    return lambda: {
        "ours": lambda: process([sys.executable, "-c", code]),
        "anchor": lambda: process([sys.executable, "-c", against]),
    }


def command(*arguments: str) -> str:
    """The program of one command line, in a fresh interpreter."""
    return f"import sys; sys.argv = ['gandyn', *{list(arguments)!r}]; from gandyn.cli import main; main()"


FIRST = """
import gandyn as gd, numpy as np, time, sympy
game, rule = gd.games.forsaken(), gd.rules.Extragradient(0.1)
start = np.full((1000, 2), 0.1)
began = time.process_time()
gd.iterate(game, rule, start, 1000, "last")
print(time.process_time() - began)
"""


def first_call(warm: bool) -> dict[str, Work]:
    """The first `iterate` of a fresh process, imports made: with its kernel on disk, or with an empty cache."""

    def ours() -> dict[str, float]:
        with tempfile.TemporaryDirectory() as folder:
            kept = {"GANDYN_CACHE": str(Path(tempfile.gettempdir()) / "gandyn-benchmark-kernels") if warm else folder}
            surroundings = {**os.environ, **kept, "PYTHONPYCACHEPREFIX": tempfile.gettempdir() + "/gandyn-bytecode"}
            surroundings.pop("PYTHONDONTWRITEBYTECODE", None)
            code = FIRST.replace('"last")', '"last", kernel="c")') if warm else FIRST
            answer = subprocess.run(
                [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=surroundings
            )
        return {"wall": float(answer.stdout), "cpu": float(answer.stdout)}

    return {"ours": ours, "anchor": eigenvalue_problems}


def figure() -> dict[str, Work]:
    """Two hundred trajectories of a thousand points over the field, against bare matplotlib."""
    import io

    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    game, start = gd.games.bilinear(), np.random.default_rng(SEED).normal(size=(200, 2))
    run = gd.iterate(game, gd.rules.Extragradient(0.05), start, 999)

    def ours() -> None:
        made = gd.plots.phase_portrait(game, [(-3, 3), (-3, 3)], [run])
        made.savefig(io.BytesIO(), format="png")
        plt.close(made)

    def by_hand() -> None:
        made, axes = plt.subplots()
        x, y = np.meshgrid(np.linspace(-3, 3, 24), np.linspace(-3, 3, 24))
        axes.quiver(x, y, -y, x)
        axes.plot(run.w[..., 0], run.w[..., 1], lw=0.8)
        made.savefig(io.BytesIO(), format="png")
        plt.close(made)

    return {"ours": ours, "anchor": by_hand}
