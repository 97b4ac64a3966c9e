# ruff: noqa: E501
# fmt: off
"""Wrong configs as a table: one that works, and what each of its keys is not to be. Each has to be refused by name."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from typing import Any

NAN, INF = math.nan, math.inf
BASE: dict[str, Any] = {
    "name": "small",
    "game": {
        "data": "ring", "loss": "nonsaturating", "penalties": ["R1(0.1)"], "batch": 4, "latent": 2, "seed": 0,
        "generator": {"architecture": "mlp", "hidden": [4]}, "discriminator": {"architecture": "mlp", "hidden": [4]},
    },
    "rule": {"call": "Alternating(Adam(0.001, betas=(0, 0.99)))"},
    "schedule": {"kind": "cosine", "floor": 0.1},
    "train": {"steps": 2, "log_every": 1, "keep": 1, "precision": "float32", "device": "cpu", "threads": 1},
    "metrics": {"names": ["auto"], "samples": 100},
}
COUNT = [0, -1, 1.5, "5", None, NAN, INF, True, [5], {}, 10**10, 10**30, "many", -(10**20), 0.0]
REAL = [-1.0, NAN, INF, "0.1", True, [0.1], {}, 1e10, -INF, "x"]
FLAG = [0, 1, "yes", "true", 0.5, [], {}, "off"]
TEXT = [3, 0.5, True, [], {}, "", " ", "\x00", "a" * 2000, "../x", "__import__('os').system('true')", "(", "1", "none", "a.b()", "lambda: 1"]
TABLE = [3, "text", [], True, 0.5, None]
RULES = [
    "GDA", "GDA(", "GDA()", "GDA(0.1", "GDA(0.1))", "GDA(0.1)(0.2)", "GDA(-0.1)", "GDA(0)", "GDA(0/3)", "GDA(1/0)", "GDA(nan)", "GDA(inf)", "GDA(none)", "GDA(true)", "GDA(1e400)",
    "GDA(0.1, 0.2)", "GDA(lr=0.1, lr=0.2)", "GDA(lr=0.1, 0.2)", "GDA(rate=0.1)", "GDA('a b')", "GDA(sqrt(-2))", "GDA(log(1/2))", "GDA(-1/3)", "GDA((0.1,))", "GDA((0.1, 0.2, 0.3))", "GDA(())", "GDA({})",
    "GDA({x: 0.1})", "GDA({x: 0.1, x: 0.2})", "GDA(lambda: 1)", "GDA(exp(1000))", "GDA(9**9**9**9)", "GDA(" + "9" * 400 + ")", "GDA(" + "-" * 500 + "1)", "GDA(R1(1))", "GDA(eval('1'))", "gdaa(0.1)", "Adam", "Adam()",
    "Adam(0.1, betas=0.9)", "Adam(0.1, betas=(0.9,))", "Adam(0.1, betas=(1.5, 0.9))", "Adam(0.1, betas=(0, 1))", "Adam(0.1, eps=-1)", "Adam(0.1, betas=(true, 0))", "Alternating", "Alternating()", "Alternating(Adam)",
    "Alternating(0.1)", "Alternating(GDA(0.1), repeats=-1)", "Alternating(GDA(0.1), repeats=(1, 1.5))", "Alternating(GDA(0.1), repeats='ab')", "Alternating(GDA(0.1), repeats=10**9)", "Alternating(())", "Alternating(None)", "Alternating(Alternating)", "HeavyBall(0.1)",
    "HeavyBall(0.1, 0.5, alternating=maybe)", "HeavyBall(0.1, 0.5, alternating=2)", "HeavyBall(0.1, nan)", "HeavyBall(0.1, none)", "Lookahead(GDA(0.1), k=0)", "Lookahead(GDA(0.1), k=10**9)", "Lookahead(GDA(0.1), k=1/2)",
    "Lookahead(GDA, k=5)", "Lookahead(0.1, k=5)", "Lookahead(GDA(0.1), k=5, k=6)", "Extragradient(0.05, fresh=perhaps)", "Extragradient('')", "SGDM(0.1, momentum=none)", "Consensus(0.1)", "Consensus(0.1, gamma=x y)", "RMSProp(0.1, nan)",
    "Unrolled(0.1, k=-1)", "Unrolled(0.1, k=10**8)", "RungeKutta(0.1, order=9)", "Scheduled(GDA(0.1), x)", "Averaging(GDA(0.1), kind=no_such)", "Averaging(GDA(0.1), decay=2)", "a-b-c(0.1)", "0.1", "1/3", "()", "[]", "GDA(0.1),GDA(0.2)", "GDA(0.1) GDA(0.2)", "GDA[0.1]",
    "GDA{0.1}", "GDA(0.1);", "#GDA(0.1)", "GDA(0.1)#", "GDA(0x10)", "GDA(1_)", "GDA(0..1)", "GDA(^2)", "GDA(0.1 if 1 else 2)", "GDA(*[0.1])", "GDA(**{})", "GDA(lr:=0.1)", "GDA(@)", "GDA(0.1=lr)", "GDA(lr==0.1)", "GDA(not 1)", "GDA(f(1))", "ring(8)",
]
DATA = [
    "rign", "ring(", "ring(modes=0)", "ring(modes=-3)", "ring(modes=10**8)", "ring(modes=1.5)", "ring(modes=x)", "ring(modes=none)", "ring(modes=true)", "ring(radius=nan)", "ring(radius=inf)", "ring(radius=x)", "ring(std=-1)", "ring(std=0)",
    "ring(std=nan)", "ring(std=x)", "ring(moods=8)", "ring(8, 8, 8, 8)", "ring(modes=8, modes=9)", "ring(8)(8)", "ring(R1(1))", "grid(side=0)", "grid(side=10**6)", "grid(side=1.5)", "grid(spacing=nan)", "grid(side=x)", "folder", "folder()", "folder(3)", "folder('/no/such/folder')",
    "folder(none)", "idx('/no/such/file')", "idx()", "cifar('/no/such')", "cifar()", "digits(size=0)", "digits(size=-1)", "digits(size=x)", "digits(held_out=2)", "digits(held_out=-1)", "digits(seed=-1)", "digits(seed=x)", "1", "none", "", "(", "ring()()", "os.system('x')", "open('x')", "ring(device=warp)",
    "ring(dtype=float8)", "ring(weights=(1,))", "ring(weights=x)",
]
LOSSES = [
    "no_such", "hinge(", "hinge(1)", "hinge(1, 2, 3)", "hinge(x=1)", "least_squares(1, 2, 3, 4)", "least_squares(nan)", "least_squares(none)", "label_smoothing(no_such)", "label_smoothing(hinge, 2)", "label_smoothing(hinge, -1)",
    "label_smoothing(hinge, nan)", "label_smoothing(relativistic)", "label_smoothing(hinge)(1)", "hinge.real", "__import__('os')", "1", "none", "", "()", "hinge, hinge", "relativistic(no_such)", "loss_sensitive(margin=none)", "gls-gan(slope=2)", "ls_gann", "LSGAN GAN",
]
PENALTIES = [
    "R9(1)", "R1", "R1()", "R1(", "R1(1", "R1(1)(2)", "R1(1, 2)", "R1(gamma=1, gamma=2)", "R1(x=1)", "R1(nan)", "R1(inf)", "R1(none)", "R1(true)", "R1((1, 2))", "R1('a b')", "R1(1/0)", "R1(1e999)", "R1(gamma)", "WGANGP(10, one_sided=maybe)", "WGANGP(10, one_sided=2)",
    "WGANGP(-1)", "WGANGP(10, target=-1)", "WGANGP(10, target=none)", "WeightClipping(-1)", "WeightClipping(nan)", "WeightClipping", "Orthogonal(-1)", "Orthogonal(0.1, off_diagonal=7)", "InstanceNoise(-1)", "InstanceNoise(x y)", "DRAGAN(none)", "GDA(0.1)", "1", "none",
    "", "(", "zero-centered", "zero-centred(1)", "SpectralNormalization(-1)", "SpectralNormalization(soft=8)", "__import__('os')", "R1(lambda: 1)", "R1(9**9**9)", "R1(--------------------------------------------------1)",
]


def _changed(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    data = copy.deepcopy(BASE)
    table: Any = data
    for key in path[:-1]:
        table = table[key]
    table[path[-1]] = value
    return data


def wrong() -> Iterator[tuple[str, dict[str, Any]]]:
    """(what is wrong, the config) for each."""
    def each(path: str, values: list[Any], but: tuple[Any, ...] = ()) -> Iterator[tuple[str, dict[str, Any]]]:
        for k, value in enumerate(values):
            if not any(value is b or (type(value) is type(b) and value == b) for b in but):
                yield f"{path} = {value!r}"[:90] + f" #{k}", _changed(tuple(path.split(".")), value)

    yield from each("rule.call", RULES + TEXT)
    yield from each("game.data", DATA + TEXT)
    yield from each("game.loss", LOSSES + TEXT)
    yield from each("game.penalties", [[p] for p in PENALTIES] + [["R1(0.1)", p] for p in PENALTIES] + ["R1(1)", 3, True, {}, [3], [None], [["R1(1)"]], [True]])
    yield from each("game.batch", [*COUNT, 10 ** 9])
    yield from each("game.latent", COUNT)
    yield from each("game.seed", COUNT, (0,))
    yield from each("train.steps", COUNT, (0,))
    for key in ("log_every", "keep", "threads"):
        yield from each(f"train.{key}", COUNT)
    for key in ("samples_every", "checkpoint_every"):
        yield from each(f"train.{key}", COUNT, (None,))
    yield from each("train.average", [*REAL, 2.0, 1.5, 1.0])
    yield from each("train.precision", [*TEXT, "float8", "float64", "half"])
    yield from each("train.device", [*TEXT, "warp", "cuda:99", "cpu:x", "gpu"])
    yield from each("train.compile", FLAG)
    yield from each("schedule.kind", [*TEXT, "cosin", "linear"])
    yield from each("schedule.floor", REAL)
    for key in ("every", "steps"):
        yield from each(f"schedule.{key}", COUNT)
    for key in ("factor", "power", "scale"):
        yield from each(f"schedule.{key}", REAL, (1e10,))
    yield from each("metrics.names", [[t] for t in TEXT if isinstance(t, str) and t != "none"] + [[3], 3, "auto", True, {}, ["no_such"], ["modes("], ["gap(k=0)"], ["modes", "no_such"], [["auto"]]])
    yield from each("metrics.every", COUNT, (None,))
    yield from each("metrics.samples", COUNT)
    for side in ("generator", "discriminator"):
        path = f"game.{side}"
        yield from each(path, [*TABLE, {}, {"hidden": [4]}])
        yield from each(f"{path}.architecture", [*TEXT, "mpl", "mlp_generator", "resnet"])
        yield from each(f"{path}.hidden", [0, -1, [0], [-1], [1.5], "x", ["x"], [[4]], {}, True, [True], [10**9], NAN, [NAN], None, [None], 4])
        yield from each(f"{path}.classes", [-1, 1.5, "x", NAN, [3], {}, None, True])
        yield from each(f"{path}.seed", [-1, 1.5, "x", NAN, [3], {}, None, True])
        for key in ("hiden", "width_", "no_such", "shape", "", "import"):
            yield from each(f"{path}.{key}" if key else path, [1] if key else [{"architecture": "mlp", "": 1}])
    yield from each("game.discriminator.dropout", [-1, 2, NAN, "x", [0.1], {}, None])
    yield from each("game.discriminator.spectral", [2, "maybe", [], {}, None])
    yield from each("game.discriminator.condition", ["no_such", 3, [], True])
    yield from each("game.generator.output_noise", [-1, NAN, "x", [], {}, None])
    yield from each("name", [3, True, [], {}, "", " ", "a/b", "../x", "\x00", "a" * 100, "é", ".hidden", "a b"])
    yield from each("about", [3, True, [], {}, None])
    for table in ("game", "rule", "schedule", "train", "metrics"):
        yield from each(table, [*TABLE, [{}]])
        for key in ("no_such", "", "Steps", "lr", "call ", "__class__"):
            yield f"[{table}] {key}", _changed((table, key), 1)
    for table, keys in (("game", ("data", "generator", "discriminator")), ("rule", ("call",)), ("train", ("steps",))):
        for key in keys:
            data = copy.deepcopy(BASE)
            del data[table][key]
            yield f"[{table}] without {key}", data
    for table in ("game", "rule", "train", "name"):
        data = copy.deepcopy(BASE)
        del data[table]
        yield f"without {table}", data
    for whole in (None, 3, "text", [], True, [BASE]):
        yield f"a config that is {whole!r}"[:60], whole  # type: ignore[misc]


TOML = '''name = "small"
[game]
generator = { architecture = "mlp", hidden = [4] }
discriminator = { architecture = "mlp", hidden = [4] }
data = "ring"
[rule]
call = "GDA(0.1)"
[train]
steps = 2
'''


def damaged() -> Iterator[tuple[str, bytes]]:
    """Files that are no configs: cut, doubled, with a sign too many or too few."""
    text = TOML
    for k in range(1, len(text) - 14):
        yield f"cut at {k}", text[:k].encode()
    lines = text.splitlines()
    for k, line in enumerate(lines):
        yield f"line {k} twice", "\n".join([*lines[: k + 1], line, *lines[k + 1 :]]).encode()
        for extra in ("]", '"', "= 3", "{", "\x00", "\\", "}", "'", ",", " = = 1", "[[", "\t=", ":"):
            yield f"line {k} with {extra!r}", "\n".join([*lines[:k], line + extra, *lines[k + 1 :]]).encode()
    for bad in (b"\xff\xfe", b"\x00" * 50, text.encode("utf-16"), b"[" * 5000, b"a = " + b"[" * 5000, text.encode() * 2, b"x" * 2**19, b"{}", b"null", b"<xml/>"):
        yield f"bytes {bad[:12]!r}", bad
