# ruff: noqa: E501
# fmt: off
"""Wrong calls of the public API as a table: a base call that works, and for each argument what it is not to be.

Every entry is (label, call). Each call has to end in a `GandynError`, quickly, on one line.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import sympy

import gandyn as gd

Call = tuple[str, Callable[[], Any]]
BILINEAR = gd.games.bilinear()
QUADRATIC = gd.games.quadratic(1, 2, 3)
GDA = gd.rules.GDA(0.1)
NAN, INF = math.nan, math.inf
REAL_A = sympy.Symbol("a", real=True)


class Plain:
    """A plain class with the methods of a rule, and not a rule."""

    lr = 0.1

    def init(self, game, w, rng=None):
        return {}

    def step(self, game, w, state, rng=None):
        return w, state, {}


KINDS: dict[str, list[Any]] = {
    "game": [gd.games.bilinear, gd.games.SymbolicGame, "no_such_game", "", None, GDA, 3, [BILINEAR], {}, np, Plain(), object()],
    "rule": [gd.rules.GDA, "NoRule(0.1)", "GDA(", "GDA", "", BILINEAR, 0.1, [GDA], {"lr": 0.1}, Plain, Plain(), lambda w: w, True],
    "point": [[1.0], [1.0, 2.0, 3.0], [NAN, 0.0], [0.0, INF], "1,0", "ab", [["a", "b"]], {}, {"x": 1.0}, [[1.0], [1.0, 2.0]],
              [], 1.0, [1j, 0], [None, 0], [True, "x"], object(), np.zeros((2, 3)), GDA],
    "count": [-1, 1.5, "10", None, NAN, INF, [5], 10**30, "many", {}, GDA, True],
    "seed": [-1, 1.5, "a", [1], NAN, {}, -(2**70)],
    "positive": [0, -1, NAN, "x", [], {}, GDA, True, -INF],
    "box": [[(1, 0), (1, 0)], [(0, 1)], [(0, 1)] * 3, "box", [(0, NAN)] * 2, 3.0, [(0, 1, 2)] * 2, [0, 1], [("a", "b")] * 2, {}],
    "no_class": [None, 3, "bilinear", GDA, gd.classes.Bilinear, [], (0.5, 2), {}],
    "rules": [3, "GDA", [3], [None], {}, BILINEAR, gd.rules.GDA],
    "degree": [0, -1, 1.5, "2", NAN, [2], True, 10**9],
    "class": [None, 3, "bilinear", BILINEAR, GDA, gd.classes.Bilinear, [], (0.5, 2), {}],
    "covariance": [-1.0, NAN, INF, True, "1/0", "", [], (), {}, [[1.0]], [1.0, 2.0, 3.0], (0.1, -0.1), [[1.0, 0.2], [0.3, 1.0]],
                   [[1.0, 2.0], [2.0, 1.0]], [[1.0, 0.0], [0.0, INF]], [[1.0], [1.0, 2.0]], np.eye(3), 1j, object(), GDA, BILINEAR],
    "name": ["no_such", "", 3, None, [], {}, GDA],
    "function": [3, "field", [], {}, 0.5, True, BILINEAR, (1.0, 0.0), np.zeros(2)],
    "name_or_none": ["no_such", "", 3, [], {}, GDA],
}  # fmt: skip

# Function, a base call that works, and the kind of each argument that is spoilt.
FUNCTIONS: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    ("iterate", {"game": BILINEAR, "rule": GDA, "start": [1.0, 0.0], "steps": 3},
     {"game": "game", "rule": "rule", "start": "point", "steps": "count", "rng": "seed", "noise": "covariance", "bound": "positive",
      "record": "name", "kernel": "name", "threads": "positive"}),
    ("flow", {"game": BILINEAR, "start": [1.0, 0.0], "time": 0.1},
     {"game": "game", "start": "point", "time": "positive", "rtol": "positive", "samples": "count", "method": "name",
      "bound": "positive", "kernel": "name", "field": "function"}),
    ("update_map", {"game": BILINEAR, "rule": GDA}, {"game": "game", "rule": "rule"}),
    ("linearize", {"game": BILINEAR, "rule": GDA}, {"game": "game", "rule": "rule", "at": "point"}),
    ("fixed_points", {"game": QUADRATIC}, {"game": "game", "box": "box", "seed": "seed"}),
    ("stability_region", {"game": BILINEAR, "rule": GDA}, {"game": "game", "rule": "rule", "parameters": "name", "at": "point"}),
    ("sweep", {"game": BILINEAR, "rule": GDA, "parameters": {"lr": [0.1, 0.2]}},
     {"game": "game", "rule": "rule", "measure": "name", "steps": "count", "at": "point"}),
    ("decompose", {"game": BILINEAR}, {"game": "game", "w": "point"}),
    ("classify", {"game": QUADRATIC}, {"game": "game", "at": "point"}),
    ("limit_cycles", {"game": QUADRATIC, "box": [(-1, 1)] * 2}, {"game": "game", "rule": "rule", "box": "box", "seed": "seed"}),
    ("bifurcation", {"game": BILINEAR, "rule": GDA, "parameter": "lr", "values": [0.1, 0.2, 0.3]},
     {"game": "game", "rule": "rule", "parameter": "name", "at": "point", "seed": "seed"}),
    ("bifurcation_curves", {"game": gd.games.dirac_gan(penalty=gd.penalties.R1("gamma")), "rule": gd.rules.GDA("lr"), "ranges": [(0.5, 1), (1, 2)]},
     {"game": "game", "rule": "rule", "parameters": "name", "at": "point", "length": "positive"}),
    ("lyapunov_exponents", {"game": QUADRATIC, "rule": GDA, "start": [1.0, 0.0], "steps": 20, "settle": 2},
     {"game": "game", "rule": "rule", "start": "point", "steps": "count", "settle": "count", "seed": "seed"}),
    ("recurrence", {"game": BILINEAR, "start": [1.0, 0.0], "time": 7.0},
     {"game": "game", "start": "point", "time": "positive", "radius": "positive", "rtol": "positive", "field": "function"}),
    ("basins", {"game": QUADRATIC, "rule": GDA, "grid": [[0.0, 0.0]]},
     {"game": "game", "rule": "rule", "grid": "point", "steps": "count", "tolerance": "positive"}),
    ("compare", {"game": QUADRATIC, "rules": [GDA], "start": [1.0, 0.0], "budget": 20, "step_sizes": (0.1,), "seeds": 1},
     {"game": "game", "rules": "rule", "start": "point", "budget": "positive", "unit": "name", "seeds": "count"}),
    ("duality_gap", {"game": QUADRATIC, "w": [1.0, 0.0]}, {"game": "game", "w": "point", "method": "name", "tolerance": "positive"}),
    ("gap_flow", {"game": QUADRATIC}, {"game": "game"}),
    ("worst_case", {"rule": GDA, "mu": 0.1}, {"rule": "rule", "mu": "positive", "lipschitz": "positive", "steps": "count"}),
    ("design", {"rule": gd.rules.GDA("lr"), "over": gd.classes.Spectrum(segment=(0.5, 2))}, {"rule": "rule", "over": "class", "parameters": "name", "budget": "positive"}),
    ("speed_limit", {"over": gd.classes.Bilinear(0.5, 2)}, {"over": "class", "degree": "degree"}),
    ("recommend", {"game_or_spectrum": gd.classes.Spectrum(segment=(0.5, 2)), "rules": [gd.rules.GDA("lr")]}, {"game_or_spectrum": "no_class", "rules": "rules", "budget": "positive"}),
    ("rate", {"rule": GDA, "over": gd.classes.Bilinear(0.5, 2)}, {"rule": "rule", "over": "class", "method": "name", "budget": "positive"}),
    ("certify", {"game": QUADRATIC, "rule": GDA, "at": [0, 0]}, {"game": "game", "rule": "rule", "at": "point", "box": "box"}),
    ("lyapunov_function", {"game": QUADRATIC, "rule": GDA}, {"game": "game", "rule": "rule", "at": "point"}),
    ("modified_flow", {"game": BILINEAR, "rule": GDA}, {"game": "game", "rule": "rule", "order": "count"}),
    ("high_resolution", {"game": BILINEAR, "rule": gd.rules.OptimisticGD(0.1)}, {"game": "game", "rule": "rule"}),
    ("spectrum", {"game": QUADRATIC, "w": [1.0, 0.0]},
     {"game": "game", "w": "point", "k": "count", "which": "name", "rule": "rule", "seed": "seed", "tolerance": "positive"}),
    ("path_angle", {"game": QUADRATIC, "w0": [1.0, 0.0], "w1": [0.0, 0.0]},
     {"game": "game", "w0": "point", "w1": "point", "points": "count", "seed": "seed"}),
    ("drift", {"game": BILINEAR, "rule": GDA}, {"game": "game", "rule": "rule"}),
    ("escape_time", {"game": BILINEAR, "rule": GDA, "start": [1.0, 0.0], "steps": 20, "radius": 1.05},
     {"game": "game", "rule": "rule", "start": "point", "steps": "count", "radius": "positive", "centre": "point", "rng": "seed"}),
    ("conserved_quantities", {"game": BILINEAR}, {"game": "game", "rule": "rule", "degree": "degree", "field": "function"}),
    ("stationary", {"game": QUADRATIC, "rule": GDA, "noise": 0.1},
     {"game": "game", "rule": "rule", "noise": "covariance", "at": "point", "budget": "positive"}),
    ("stochastic_flow", {"game": QUADRATIC, "rule": GDA, "noise": 0.1},
     {"game": "game", "rule": "rule", "noise": "covariance", "order": "count", "budget": "positive"}),
    ("mean_square", {"game": QUADRATIC, "rule": GDA}, {"game": "game", "rule": "rule", "at": "point", "budget": "positive"}),
    ("fit_rate", {"trajectory": None}, {"trajectory": "game"}),
    ("ergodic_average", {"trajectory": None}, {"trajectory": "game"}),
]  # fmt: skip
# What is right after all: a start of one number for all, None for an argument that may be left out, and the like.
RIGHT = {("iterate", "record", 3), ("compare", "rules", "[GDA]"), ("worst_case", "mu", 0)}


def spoilt() -> Iterator[Call]:
    """Each function with each of its arguments spoilt in each way."""
    for name, base, arguments in FUNCTIONS:
        function = getattr(gd, name)
        for argument, kind in arguments.items():
            for k, value in enumerate(KINDS[kind]):
                if (value is None and argument not in base) or (name, argument, _key(value)) in RIGHT:
                    continue
                yield f"{name}({argument}={_shown(value)})#{k}", lambda f=function, c={**base, argument: value}: f(**c)
        if {"game", "rule"} <= base.keys():
            swapped = {**base, "game": base["rule"], "rule": base["game"]}
            yield f"{name}(rule, game)", lambda f=function, c=swapped: f(**c)
        for missing in list(base)[:1]:
            left = {key: value for key, value in base.items() if key != missing}
            yield f"{name} without {missing}", lambda f=function, c=left: f(**c)
        yield f"{name}(no_such_option=1)", lambda f=function, c=base: f(**c, no_such_option=1)


def _key(value: Any) -> Any:
    return value if isinstance(value, (str, int, float)) else "[GDA]" if isinstance(value, list) and value[:1] == [GDA] else None


def _shown(value: Any) -> str:
    if isinstance(value, (type, types.FunctionType, types.ModuleType)):
        return value.__name__
    return repr(value).replace("\n", " ")[:40]


BUILDERS: list[tuple[str, Callable[..., Any], list[tuple[tuple[Any, ...], dict[str, Any]]]]] = [
    ("GDA", gd.rules.GDA, [((v,), {}) for v in (0, -0.1, NAN, INF, None, True, "0.1, 0.2", "a b", "1/0", [], {}, object(), 1j, GDA, np.zeros(0))]),
    ("GDA+", gd.rules.GDA, [((0.1,), {"rate": 1}), ((), {}), ((0.1, 0.2), {}), (((0.1, "x y"),), {}), (({"x": -1},), {})]),
    ("HeavyBall", gd.rules.HeavyBall, [((0.1, v), {}) for v in (NAN, INF, None, True, "1e999", [None], {"x": "("})]),
    ("HeavyBall+", gd.rules.HeavyBall, [((0.1, 0.5), {"alternating": v}) for v in ("maybe", 2, None, [], "nope", 0.0)]),
    ("Adam", gd.rules.Adam, [((0.1,), {"betas": v}) for v in (0.9, (0.9,), (1.5, 0.9), ("a b", 0), None, (NAN, 0), (0.9, 1.0), "x")]),
    ("Lookahead", gd.rules.Lookahead, [((v, 5), {}) for v in (gd.rules.GDA, "GDA", None, 0.1, BILINEAR)]
     + [((GDA, v), {}) for v in (0, -1, 1.5, "5", None, NAN, True)]),
    ("Alternating", gd.rules.Alternating, [((v,), {}) for v in (gd.rules.GDA, "GDA", None, 0.1, BILINEAR, [])]
     + [((GDA,), {"repeats": v}) for v in ((-1, 1), "ab", 1.5, (1, None))]),
    ("RungeKutta", gd.rules.RungeKutta, [((0.1, v), {}) for v in (0, 99, "2", None, 1.5)]),
    ("Unrolled", gd.rules.Unrolled, [((0.1, v), {}) for v in (-1, "2", None, 1.5, NAN)]),
    ("Consensus", gd.rules.Consensus, [((0.1, v), {}) for v in (NAN, None, "((", [[]], object())]),
    ("bilinear", gd.games.bilinear, [((v,), {}) for v in ([[NAN]], [[INF]], "import os", [[None]], [[1], [1, 2]], [], [[]], [[[1]]], {}, object(), GDA, [["a b"]])]),
    ("quadratic", gd.games.quadratic, [((v, 1, 1), {}) for v in (NAN, "a b", None, [], object(), [[1, 2]], {}, INF)]),
    ("matrix_game", gd.games.matrix_game, [((v,), {}) for v in ([[1, NAN], [2, 3]], [[1]], [1, 2], "x", None, [[1, INF], [0, 1]], [], [[1, 2], [3]], {}, 3)]),
    ("almost_bilinear", gd.games.almost_bilinear, [((v,), {}) for v in (NAN, None, "a b", [], {}, object(), INF)]),
    ("dirac_gan", gd.games.dirac_gan, [((v,), {}) for v in ("no_such", 3, None, [], {}, "hinge(1, 2, 3)", "hinge(", gd.losses.Hinge if hasattr(gd.losses, "Hinge") else type)]),
    ("dirac_gan+", gd.games.dirac_gan, [((), {"penalty": v}) for v in ("R9(1)", "R1", "R1(", 3, {}, "R1(nan)", gd.penalties.R1, "R1(1)(2)")]
     + [((), {"noise": v}) for v in (-1, NAN, "a b", [], {}, object())]),
    ("for_modules", gd.optim.for_modules, [(({}, GDA), {}), (({"g": 3}, GDA), {}), (([], GDA), {}), (({},), {})]),
    ("from_sympy costs", gd.games.from_sympy, [((v, ["a", "b"]), {}) for v in (
        [REAL_A > 0, "b"], REAL_A > 0, [sympy.I * REAL_A**2, "b"], [sympy.oo * REAL_A, "b"], [sympy.true, "b"], sympy.Eq(REAL_A, 1))]),
    ("from_sympy", gd.games.from_sympy, [(v, {}) for v in (
        ("a*b", []), ("a*b", None), ("a*b", 3), ("a*b", ["a", "a"]), ("a*b", ["a", "c"]), ("", ["a", "b"]), (None, ["a", "b"]), ("a b", ["a", "b"]),
        ("a*b + 1/0", ["a", "b"]), (["a*b"] * 3, ["a", "b"]), ("a.b", ["a", "b"]), ("import os", ["a", "b"]), ("a*b", ["a+1", "b"]), ("a*b", ["sin", "b"]),
        ("1e999*a*b", ["a", "b"]), ("a*b < 1", ["a", "b"]), ("true", ["a", "b"]), (lambda a, b: a * b, ["a", "b"]), (sympy.nan, ["a", "b"]))]),
    ("from_sympy+", gd.games.from_sympy, [(("c*a*b", ["a", "b"]), {"parameters": v}) for v in ({"d": 1}, {"c": NAN}, {"c": "("}, "c", 3, ["d"], {"c": None})]
     + [(("a**2/c + b*a - b**2", ["a", "b"]), {"parameters": {"c": 0}})]),
    ("R1", gd.penalties.R1, [((v,), {}) for v in (NAN, None, "a b", [], {}, object(), INF, True)]),
    ("WGANGP", gd.penalties.WGANGP, [((10,), {"one_sided": v}) for v in ("maybe", 2, None, [])] + [((10, v), {}) for v in (NAN, None, [], -1)]),
    ("WeightClipping", gd.penalties.WeightClipping, [((v,), {}) for v in (-1, NAN, None, "x y", [])]),
    ("least_squares", gd.losses.least_squares, [((v,), {}) for v in (NAN, None, "a b", [], {}, object())]),
    ("label_smoothing", gd.losses.label_smoothing, [(("hinge", v), {}) for v in (2, -1, NAN, None, "x y")] + [((v,), {}) for v in ("no_such", 3, None, "relativistic")]),
]  # fmt: skip


def built() -> Iterator[Call]:
    """Games, rules, penalties and losses with arguments that they cannot use."""
    for name, build, arguments in BUILDERS:
        for k, (positional, named) in enumerate(arguments):
            label = f"{name}{_shown(positional)}{_shown(named)}#{k}"
            yield label, lambda build=build, positional=positional, named=named: build(*positional, **named)


def of_networks() -> Iterator[Call]:
    """Data, networks and GANs with arguments that they cannot use; tensors as starts."""
    import torch

    gans = gd.gans
    generator, discriminator = gans.mlp_pair(hidden=(4,))
    ring = gans.ring()

    def game(**options: Any) -> Any:
        return gans.GANGame(*gans.mlp_pair(hidden=(4,)), **{"data": ring, "batch_size": 4, **options})

    def system(name: str) -> Callable[..., Any]:
        return lambda **o: getattr(gans.systems, name)(*gans.mlp_pair(latent=30, hidden=(4,)), **{"data": ring, "batch_size": 4, **o})

    table: list[tuple[str, Callable[..., Any], str, list[Any]]] = [
        ("ring", gans.ring, "modes", [0, -1, 1.5, "8", None, NAN, 10**9, True, [8]]),
        ("ring", gans.ring, "radius", [NAN, INF, "2", None, [], -INF]),
        ("ring", gans.ring, "std", [-1, NAN, INF, "x", None, []]),
        ("grid", gans.grid, "side", [0, -1, 1.5, "5", None, 10**6]),
        ("grid", gans.grid, "spacing", [NAN, INF, "x", None]),
        ("mlp_pair", gans.mlp_pair, "hidden", [0, (0,), (-1,), "x", None, (1.5,), (10**12,), NAN, {}]),
        ("mlp_pair", gans.mlp_pair, "latent", [0, -1, "x", 1.5, None]),
        ("mlp_pair", gans.mlp_pair, "size", [0, -1, "x", 1.5, None]),
        ("mlp_pair", gans.mlp_pair, "seed", [-1, 1.5, "x", None, NAN]),
        ("GANGame", game, "device", ["foo", "cuda:99", 3.5, [], {}, "cpu:x"]),
        ("GANGame", game, "seed", [-1, 1.5, "x", NAN, -(2**70)]),
        ("GANGame", game, "batch_size", [0, -1, 1.5, "x", None, NAN, True]),
        ("GANGame", game, "loss", ["no_such", 3, None, "hinge(", [], {}]),
        ("GANGame", game, "penalties", ["R9(1)", "R1", 3, ["R1("], {}, [None], gd.penalties.R1]),
        ("GANGame", game, "data", ["no_such", 3, "ring(modes=0)", [], {}, torch.full((10, 2), NAN), torch.zeros(0, 2)]),
        ("GANGame", game, "latent", [0, -1, "x", 1.5]),
        ("train", lambda **o: gans.train(game(), GDA, **{"steps": 1, **o}), "steps", [-1, 1.5, "x", None, NAN, 10**30, True]),
        ("train", lambda **o: gans.train(game(), GDA, 1, **o), "seed", [-1, 1.5, "x", None]),
        ("train", lambda **o: gans.train(game(), GDA, 1, **o), "average", [-1, 2, NAN, "x", 1.0]),
        ("train", lambda **o: gans.train(game(), GDA, 1, **o), "precision", ["float8", 32, None, ""]),
        ("train", lambda **o: gans.train(game(), GDA, 1, **o), "metrics", ["no_such", 3, []]),
        ("train", lambda **o: gans.train(game(), GDA, 1, **o), "log_every", [0, -1, "x", 1.5, None]),
        ("train", lambda **o: gans.train(game(), GDA, 1, **o), "keep", [0, -1, "x", 1.5, None]),
        ("train", lambda **o: gans.train(game(), GDA, 1, **o), "schedule", [3, "cosine", []]),
        ("train", lambda **o: gans.train(game(), **{"rule": GDA, "steps": 1, **o}), "rule", [v for v in KINDS["rule"] if v != "GDA"]),
        ("train", lambda **o: gans.train(**{"game": game(), "rule": GDA, "steps": 1, **o}), "game", KINDS["game"]),
        ("vae_gan", system("vae_gan"), "gamma", [-1, 2, "x", NAN, None]),
        ("vae_gan", system("vae_gan"), "encoder_hidden", [0, "x", (-1,)]),
        ("mode_regularized", system("mode_regularized"), "distance", [-1, NAN, None]),
        ("manifold_diffusion", system("manifold_diffusion"), "weight", [-1, "x", NAN]),
        ("memory_gan", system("memory_gan"), "keys", [0, 3, "x", None]),
        ("memory_gan", system("memory_gan"), "decay", [1, -1, "x", None, NAN]),
        ("mix_gan", system("mix_gan"), "parts", [0, "x", None, 1.5]),
        ("tabular", system("tabular"), "data", ["ring", 3, None]),
        ("dirac_memory", gans.dirac_memory, "bound", [0, -1, "x", NAN, None]),
        ("dirac_memory", gans.dirac_memory, "start", [(0, 0), 1, "ab", (1,), (NAN, 1), None]),
        ("nash_memory", lambda **o: gans.nash_memory(**{"game": game(loss="minimax"), "rounds": 1, "steps": 1, **o}), "lr", [NAN, "x", -1, None]),
        ("kernels", gans.kernels, "network", [3, None, "x"]),
        ("interpolation", lambda ends: gans.interpolation(game(), game().w0, ends), "ends", [3, None, [1], ["a", "b"], torch.zeros(2, 9)]),
        ("arithmetic", lambda plus: gans.arithmetic(game(), game().w0, plus), "plus", [3, None, [], [3], [torch.zeros(3, 9)]]),
        ("pyramid_samples", lambda runs: gans.pyramid_samples(runs, 3), "runs", [[], 3, None, [3]]),
        ("laplacian", gans.datasets.laplacian, "data", ["ring", 3]),
        ("mixed_table", gans.datasets.mixed_table, "path", ["nothing.csv", 3, None]),
        ("iterate in torch", lambda start: gd.iterate(BILINEAR, GDA, start, 2), "start",
         [torch.tensor([1, 0]), torch.tensor([True, False]), torch.tensor([NAN, 0.0]), torch.zeros(3), torch.zeros(()), torch.zeros(2, dtype=torch.complex64)]),
    ]  # fmt: skip
    for name, build, argument, wrong in table:
        for k, value in enumerate(wrong):
            yield f"{name}({argument}={_shown(value)})#{k}", lambda b=build, a=argument, v=value: b(**{a: v})
    for k, modules in enumerate([(generator,), (None, discriminator), (generator, "d"), (generator.state_dict(), discriminator)]):
        yield f"GANGame of modules #{k}", lambda m=modules: gans.GANGame(*m, data=ring)


def own_rules() -> Iterator[Call]:
    """Slips in a user's own rule, under each of the ways to run it."""
    import dataclasses

    def rule(step: Callable[..., Any], lr: Any = 0.1) -> Any:
        own = dataclasses.make_dataclass("Own", [("lr", Any, 0.1)], bases=(gd.types.Rule,), frozen=True, namespace={"step": step})
        return own(lr)

    def one_value(self, game, w, state, rng=None):
        return w - self.lr * game.field(w)

    def two_values(self, game, w, state, rng=None):
        return w - self.lr * game.field(w), state

    def numpy_function(self, game, w, state, rng=None):
        return w - 0.1 * np.tanh(game.field(w)), state, {}

    def branch(self, game, w, state, rng=None):
        v = game.field(w)
        return (w - 0.1 * v if v[0] > 0 else w - 0.2 * v), state, {}

    def unknown_state(self, game, w, state, rng=None):
        return w - 0.1 * state["momentum"], state, {}

    def wrong_length(self, game, w, state, rng=None):
        return w[..., :1], state, {}

    def new_state(self, game, w, state, rng=None):
        v = game.field(w)
        return w - 0.1 * v, gd.types.State({"m": v}), {}

    def dict_state(self, game, w, state, rng=None):
        return w - 0.1 * game.field(w), {"m": w}, {}

    def nothing(self, game, w, state, rng=None):
        return None

    def misspelt(self, game, w, state, rng=None):
        return w - 0.1 * game.feild(w), state, {}

    def fewer(self, game, w):
        return w, {}, {}

    def text(self, game, w, state, rng=None):
        return "w", state, {}

    bodies = [one_value, two_values, numpy_function, branch, unknown_state, wrong_length, new_state, dict_state, nothing, misspelt, fewer, text]
    ways: dict[str, Callable[[Any], Any]] = {
        "linearize": lambda r: gd.linearize(BILINEAR, r),
        "update_map": lambda r: gd.update_map(BILINEAR, r),
        "iterate": lambda r: gd.iterate(BILINEAR, r, [1.0, 0.5], 3),
        "stability_region": lambda r: gd.stability_region(BILINEAR, r),
        "certify": lambda r: gd.certify(QUADRATIC, r, at=[0, 0]),
    }
    runs_eagerly = {numpy_function, branch, new_state}
    for body in bodies:
        for way, run in ways.items():
            if way == "iterate" and body in runs_eagerly:
                continue
            yield f"{way} of a rule with {body.__name__}", lambda run=run, body=body: run(rule(body))


def calls() -> list[Call]:
    """The whole table."""
    return [*spoilt(), *built(), *of_networks(), *own_rules()]
