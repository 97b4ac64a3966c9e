"""Tables of a config, and how they are read: known keys, required ones there, each value of its declared kind."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any

from ...errors import ParameterError, refuse_unknown

LONGEST_TEXT = 1000
LARGEST_COUNT = 10**9
# What is allocated at once, or started at once, has lower limits than what is done one after the other.
LARGEST = {"game.batch": 2**20, "game.latent": 2**16, "metrics.samples": 10**7, "train.threads": 1024}
LARGEST_OPTION = 2**16


@dataclasses.dataclass(frozen=True)
class GameTable:
    """`[game]`: networks by architecture with its options, and what they play.

    `generator = { architecture = "mlp", hidden = [128, 128] }`; data, loss and penalties are names or calls of what
    `gandyn list` shows: "ring(modes=8)", "R1(0.1)". `system` is a name of `gd.gans.systems` for more than two
    networks, or other costs, with its `options`.
    """

    generator: dict[str, Any]
    discriminator: dict[str, Any]
    data: str
    loss: str = "nonsaturating"
    penalties: tuple[str, ...] = ()
    batch: int = 128
    latent: int = 2
    seed: int = 0
    system: str = "gan"
    options: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class RuleTable:
    """`[rule]`: the update rule as a call, "Alternating(Adam(0.001, betas=(0, 0.99)))"."""

    call: str


@dataclasses.dataclass(frozen=True)
class ScheduleTable:
    """`[schedule]`: "constant", "cosine" (floor), "step" (every, factor), "power" (power, scale), "warmup" (steps)."""

    kind: str = "constant"
    floor: float = 0.0
    every: int = 1000
    factor: float = 0.1
    power: float = 0.5
    scale: float = 1.0
    steps: int = 100


@dataclasses.dataclass(frozen=True)
class TrainTable:
    """`[train]`: the arguments of `gd.gans.train`, and the threads that torch uses."""

    steps: int
    log_every: int = 50
    samples_every: int | None = None
    checkpoint_every: int | None = None
    keep: int = 2
    average: float | None = None
    precision: str = "float32"
    compile: bool = False
    device: str = "cpu"
    threads: int = 1


@dataclasses.dataclass(frozen=True)
class MetricsTable:
    """`[metrics]`: which, how often (in steps), on how many samples. "auto" is what the data say of themselves."""

    names: tuple[str, ...] = ("auto",)
    every: int | None = None
    samples: int = 2000


def checked(cls: Any, data: Any, where: str) -> Any:
    """A dataclass from a table: known keys, required ones there, each of its declared kind."""
    if not isinstance(data, Mapping):
        raise ParameterError(f"{where} = {data!r}", "a table", f"[{where}]")
    hints = typing.get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls)}
    for key in data:
        refuse_unknown(f"key of [{where}]", key, fields)
    missing = dataclasses.MISSING
    required = [k for k, f in fields.items() if f.default is missing and f.default_factory is missing and k not in data]
    if required:
        raise ParameterError(f"[{where}] without {', '.join(required)}", "a value for each", f"{required[0]} = ...")
    return cls(**{key: _value(f"{where}.{key}", value, hints[key]) for key, value in data.items()})


def _value(where: str, value: object, hint: object) -> Any:
    if dataclasses.is_dataclass(hint):
        return checked(hint, value, where.removeprefix("config."))
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if value is None and type(None) in kinds:
        return None
    kind = kinds[0]
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if typing.get_origin(kind) is tuple:
        if isinstance(value, (list, tuple)) and all(isinstance(v, str) for v in value):
            return tuple(value)
        raise ParameterError(f"{where} = {value!r}", "a list of texts", f'{where.split(".")[-1]} = ["..."]')
    plain_kind = typing.get_origin(kind) or kind
    if not isinstance(value, plain_kind) or (isinstance(value, bool) and plain_kind is not bool):
        raise ParameterError(f"{where} = {value!r}", f"a value of kind {plain_kind.__name__}", "check its quotes")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        least = 0 if isinstance(value, float) or where in ("game.seed", "train.steps") else 1
        most = LARGEST.get(where, LARGEST_COUNT)
        if not least <= value <= most:
            raise ParameterError(f"{where} = {value!r}", f"a number from {least} to {most}", "give one in that range")
    return value


def check_options(where: str, options: dict[str, object]) -> None:
    """Options of an architecture: a name, and flat numbers, texts and lists of whole numbers."""
    if where != "options" and not isinstance(options.get("architecture"), str):
        raise ParameterError(f"{where} = {options!r}", "an architecture", f'{where} = {{ architecture = "mlp" }}')
    for key, value in options.items():
        parts = value if isinstance(value, (list, tuple)) else [value]
        for part in parts:
            good = 0 <= part <= LARGEST_OPTION if isinstance(part, (int, float)) else isinstance(part, str)
            if not good:
                raise ParameterError(
                    f"{where}.{key} = {value!r}", f"numbers from 0 to {LARGEST_OPTION}, or text", "give one of these"
                )


def short_text(where: str, text: str) -> str:
    """A call or a name, refused where it is longer than any that has a meaning."""
    if len(text) > LONGEST_TEXT:
        raise ParameterError(f"{where} of {len(text)} letters", f"at most {LONGEST_TEXT}", "a shorter call")
    return text
