# ruff: noqa: E501
# fmt: off
"""Every public function and class, each of its arguments in turn spoilt by everything that it might be handed.

The base calls come from the signatures: an argument is what its name or its declared type stands for, a result of that
class, or its default. An end is right that is an answer, or one line of a `GandynError`.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import sympy
from test_results import EXAMPLES, example

import gandyn as gd

BILINEAR, QUADRATIC, GDA = gd.games.bilinear(), gd.games.quadratic(1, 2, 1), gd.rules.GDA(0.1)


class Stranger:
    """An object that knows nothing."""


def stranger(*arguments: object) -> None:
    """A function that gives nothing."""


WRONG: list[Any] = [
    None, True, 0, 3, -1, 10**30, 1.5, -0.5, math.nan, math.inf, 1j, sympy.Symbol("q"), sympy.I, sympy.nan,
    "", "no_such", "x(", "\x00", b"bytes", [], [math.nan, 0.0], [[1.0], [1.0, 2.0]], ["a", None], (), (1, 2, 3), {}, {"x": 1}, {1, 2},
    Stranger(), Stranger, stranger, np.zeros(0), np.zeros((2, 3)), np.array(["a"]), np.array([1j, 0]), np.zeros((1, 1, 1, 1)), np.float32(2),
    BILINEAR, GDA, gd.games.bilinear, gd.rules.GDA, np, range(3), iter(()), Path("no_such"), Exception("no"), slice(None),
]  # fmt: skip

BY_NAME: dict[str, Callable[[], Any]] = {
    "game": lambda: QUADRATIC, "rule": lambda: GDA, "inner": lambda: GDA, "rules": lambda: [GDA], "start": lambda: [1.0, 0.5], "w": lambda: [1.0, 0.5],
    "w0": lambda: [1.0, 0.5], "w1": lambda: [0.0, 0.0], "steps": lambda: 5, "time": lambda: 0.5, "box": lambda: [(-1.0, 1.0)] * 2, "over": lambda: gd.classes.Bilinear(0.5, 2),
    "lr": lambda: 0.1, "gamma": lambda: 0.1, "lam": lambda: 0.1, "alpha": lambda: 0.1, "momentum": lambda: 0.1, "exploration": lambda: 0.1, "eps": lambda: 0.1,
    "variance": lambda: 0.1, "distance": lambda: 0.1, "beta": lambda: 0.1, "bound": lambda: 1.0, "mu": lambda: 0.1, "lipschitz": lambda: 1.0, "smallest": lambda: 0.5, "largest": lambda: 2.0,
    "covariance": lambda: 0.1, "spectra": lambda: example("Spectrum"), "linearizations": lambda: example("Linearization"), "lin": lambda: example("Linearization"),
    "cycle": lambda: example("LimitCycle"), "grid": lambda: [(-1, 1, 3)] * 2, "trajectories": lambda: example("Trajectory"), "trajectory": lambda: example("Trajectory"),
}  # fmt: skip
# What the name alone does not say, by function.
BASES: dict[str, dict[str, Callable[[], Any]]] = {
    "bifurcation": {"parameter": lambda: "lr", "values": lambda: [0.1, 0.2, 0.3]},
    "sweep": {"rule": lambda: gd.rules.GDA("lr"), "parameters": lambda: {"lr": [0.1, 0.2]}, "steps": lambda: 3},
    "design": {"rule": lambda: gd.rules.GDA("lr"), "over": lambda: gd.classes.Spectrum(segment=(0.5, 2))},
    "recommend": {"game_or_spectrum": lambda: gd.classes.Spectrum(segment=(0.5, 2)), "rules": lambda: [gd.rules.GDA("lr")]},
    "compare": {"budget": lambda: 20, "step_sizes": lambda: (0.1,), "seeds": lambda: 1},
    "stationary": {"noise": lambda: 0.1},
    "stochastic_flow": {"noise": lambda: 0.1},
    "escape_time": {"radius": lambda: 2.0, "box": lambda: None},
    "recurrence": {"game": lambda: gd.games.matching_pennies(), "start": lambda: [0.4, 0.6, 0.7, 0.3]},
    "multiplicative_weights": {"game": lambda: gd.games.matching_pennies()},
    "replicator_in_logits": {"game": lambda: gd.games.matching_pennies()},
    "animate": {"drawing": lambda: gd.plots.phase_portrait(BILINEAR, trajectories=gd.iterate(BILINEAR, GDA, [1.0, 0.5], 3)), "path": lambda: "x.gif", "frames": lambda: 2, "dpi": lambda: 20},
    "training": {"run": lambda: example("TrainingRun")},
    "bands": {"runs": lambda: example("SeededRuns"), "quantities": lambda: "losses/generator"},
    "clouds": {"results": lambda: [example("Stationary")], "members": lambda: 5},
    "gap_during_training": {"runs": lambda: {"run": [{"step": 1, "metrics": dict.fromkeys(("duality_gap", "w1", "near_modes", "near_quality"), 1.0)}] * 2}},
    "seeds": {"panels": lambda: {"ring": {"GDA": [2.0, 3.0]}}},
    "data_space": {"game": gd.games.mixture_game, "w": lambda: [0.1] * 8},
    "compute_spiral": {"steps": lambda: 5},
    "spiral": {"steps": lambda: 5},
    "landscapes": {"grid": lambda: 5},
    "certificate": {"grid": lambda: 5, "steps": lambda: 50},
    "general_quadratic": {"blocks": lambda: (((1,), (2,)), ((-2,), (1,)))}, "hamiltonian_quadratic": {"matrix": lambda: ((0, 1), (-1, 0))}, "potential_quadratic": {"matrix": lambda: ((2, 1), (1, 1))},
    "matrix_game": {"A": lambda: ((3, -1), (-2, 1))}, "mixed_quadratic": {"symmetric": lambda: ((1, 0.5), (0.5, 0)), "antisymmetric": lambda: ((0, 2), (-2, 0))},
    "planted_quadratic": {"eigenvalues": lambda: (1 + 2j, 0.5 - 1j)}, "Clipped": {"norm": lambda: 1.0},
    "stochastic_bilinear": {"size": lambda: 2}, "robust_regression": {"rows": lambda: 4, "columns": lambda: 2},
    "basins": {"steps": lambda: 50},
    "lyapunov_exponents": {"settle": lambda: 2},
}  # fmt: skip


def base(name: str, function: Callable[..., Any]) -> dict[str, Any]:
    """Arguments with which the function works."""
    found: dict[str, Any] = {}
    for key, parameter in inspect.signature(function).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        declared = str(parameter.annotation).strip("'")
        made = BASES.get(name, {}).get(key)
        if made is None and declared in EXAMPLES:
            found[key] = example(declared)
        elif made is not None or parameter.default is parameter.empty:
            found[key] = (made or BY_NAME[key])()
    return found


def spoilt(name: str, function: Callable[..., Any]) -> Iterator[tuple[str, Callable[[], Any]]]:
    """(label, call) of the function with each argument, and each wrong value in its place."""
    right = base(name, function)
    for key, parameter in inspect.signature(function).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        for k, value in enumerate(WRONG):
            if key == "progress" and callable(value):  # a function of the caller's own, with errors of its own
                continue
            yield f"{name}({key}={shown(value)})#{k}", lambda key=key, value=value: function(**{**right, key: value})


def shown(value: Any) -> str:
    return getattr(value, "__name__", None) or repr(value).replace("\n", " ")[:30]


def functions() -> dict[str, Callable[..., Any]]:
    """The public functions and classes whose arguments are spoilt, by a name that tells where they are."""
    found: dict[str, Callable[..., Any]] = {
        name: getattr(gd, name) for name in gd.public_names.HOMES if name not in ("explore", "watch")
    }
    return found


def pictures() -> dict[str, Callable[..., Any]]:
    """The functions of `gd.plots`."""
    return {name: getattr(gd.plots, name) for name in gd.plots.__all__ if inspect.isfunction(getattr(gd.plots, name)) and name != "house_style"}


def registered() -> dict[str, Callable[..., Any]]:
    """Every game, rule, loss and penalty."""
    return {entry.name: entry.build for room in (gd.games, gd.rules, gd.losses, gd.penalties) for entry in room.registry}
