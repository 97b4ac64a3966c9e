"""Training runs as TOML: tables with known keys, values checked one by one, objects named as in the registries."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ...errors import GandynError, ParameterError, UnknownNameError, refuse_unknown
from ...results import plain
from ...types import Game
from .tables import GameTable, MetricsTable, RuleTable, ScheduleTable, TrainTable, check_options, checked, short_text
from .untrusted_files import canonical, digest, parse_json, read_bytes

LARGEST_CONFIG = 2**18
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
SHIPPED = Path(__file__).parent.parent / "configs"


@dataclasses.dataclass(frozen=True)
class Config:
    """A training run.

    Attributes:
        name: of the run: letters, digits, - and _.
        about: a sentence on what it shows.
        game, rule, schedule, train, metrics: the tables.

    Example:
        >>> import gandyn as gd
        >>> config = gd.gans.Config.find("ring-optimistic-adam")
        >>> config.rule.call
        'OptimisticAdam((0.003, 0.006), betas=(0, 0.99))'
    """

    name: str
    game: GameTable
    rule: RuleTable
    train: TrainTable
    schedule: ScheduleTable = dataclasses.field(default_factory=ScheduleTable)
    metrics: MetricsTable = dataclasses.field(default_factory=MetricsTable)
    about: str = ""

    # --- reading -----------------------------------------------------------------------------------------------------

    @classmethod
    def find(cls, name: str | Path) -> Config:
        """A shipped config by name, or a file by its path.

        Raises:
            UnknownNameError: for a name that is neither. ParameterError: as `from_dict`.
        """
        return cls.read(named_or_path("config", name, shipped()))

    @classmethod
    def read(cls, path: Path) -> Config:
        """A TOML file, or the JSON that a run's folder keeps; a config without a name is called as its file.

        Raises:
            CheckpointError: for a file that cannot be read. ParameterError: as `from_dict`.
        """
        data = read_bytes(path, LARGEST_CONFIG, "the config")
        if path.suffix == ".json":
            return cls.from_dict(parse_json(data, f"the config {path.name}"))
        return cls.from_dict({"name": path.stem, **parse_toml(data, path)})

    @classmethod
    def from_dict(cls, data: object) -> Config:
        """A configuration from a dict, each key checked by name and value.

        Raises:
            UnknownNameError: for a key that does not exist, with the nearest that does.
            ParameterError: for missing keys, and values of the wrong kind or out of range.
        """
        config = checked(cls, data, "config")
        if not NAME.fullmatch(config.name):
            raise ParameterError(f"name={config.name!r}", "letters, digits, - and _", 'name = "ring-adam"')
        refuse_unknown("schedule", config.schedule.kind, SCHEDULES)
        for where in ("generator", "discriminator", "options"):
            check_options(where, getattr(config.game, where))
        return config  # type: ignore[no-any-return]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, from which `from_dict` makes the same config."""
        return plain(dataclasses.asdict(self))  # type: ignore[no-any-return]

    @property
    def sha256(self) -> str:
        """Digest of the plain data: two configs with the same digest are the same run."""
        return digest(canonical(self.to_dict()))

    def replace(self, **changes: object) -> Config:
        """Another config: `steps=100, seed=1, call="GDA(0.1)"`, or any key of any table, by its name or as "table.key".

        Of keys that two tables have, the name alone is that of the first of train, game, rule, metrics, schedule.

        Raises:
            UnknownNameError: for a key that no table has.
        """
        data = self.to_dict()
        tables: dict[str, dict[str, Any]] = {}
        for name in ("schedule", "metrics", "rule", "game", "train"):
            tables |= dict.fromkeys(data[name], data[name]) | {f"{name}.{key}": data[name] for key in data[name]}
        for key, value in changes.items():
            if key in ("name", "about"):
                data[key] = value
            elif key not in tables:
                raise UnknownNameError.among("key of the config", key, tables)
            else:
                tables[key][key.rpartition(".")[2]] = value
        return Config.from_dict(_without_none(data))

    def difference(self, other: Config) -> str:
        """The first key in which another config differs, with both values; "" where there is none."""
        return _different(self.to_dict(), other.to_dict())

    # --- building ----------------------------------------------------------------------------------------------------

    def build(self) -> tuple[Any, Any]:
        """The game, and the rule with its schedule.

        Raises:
            GandynError: for names and calls that the registries do not know, and whatever cannot be built.
        """
        try:
            return self._game(), self._rule()
        except GandynError:
            raise
        except (
            ArithmeticError,
            LookupError,
            MemoryError,
            RecursionError,
            RuntimeError,
            TypeError,
            ValueError,
        ) as error:
            raise ParameterError(
                f"the config {self.name} cannot be built ({str(error)[:200]})",
                "options that fit together",
                "change the option that the message names",
            ) from error

    def _game(self) -> Game:
        from .. import datasets, systems
        from ..given import device_named

        table = self.game
        data = datasets.resolve(short_text("data", table.data))
        shape = tuple(int(n) for n in getattr(data, "shape", (2,)))
        latent = {} if "latent" in table.generator else {"latent": table.latent}
        system = systems.registry[table.system].build
        _known_options(table.system, system, table.options)
        game: Game = system(
            _network("generator", shape, 2 * table.seed, {**latent, **table.generator}),
            _network("discriminator", shape, 2 * table.seed + 1, table.discriminator),
            short_text("loss", table.loss),
            [short_text("penalties", penalty) for penalty in table.penalties],
            data=data,
            batch_size=table.batch,
            device=device_named(self.train.device),
            seed=table.seed,
            **{k: tuple(v) if isinstance(v, list) else v for k, v in table.options.items()},
        )
        return game

    def _rule(self) -> Any:
        from ... import rules

        rule = rules.registry.from_text(short_text("call", self.rule.call))
        schedule = SCHEDULES[self.schedule.kind](self.schedule, self.train.steps)
        return rule if schedule is None else rules.registry["Scheduled"].build(rule, schedule)


def named_or_path(what: str, name: str | Path, known: Mapping[str, Path]) -> Path:
    """The path of a shipped file by its name, or a path as it is. Raises UnknownNameError for neither."""
    path = Path(name)
    if path.suffix in (".toml", ".json") or len(path.parts) > 1:
        return path
    refuse_unknown(what, str(name), known)
    return known[str(name)]


def parse_toml(data: bytes, path: Path) -> dict[str, Any]:
    """The tables of a TOML file. Raises ParameterError for what is none."""
    try:
        return tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise ParameterError(f"{path.name} is no TOML ({error})", "a TOML file", "see docs/gans/training") from error


def shipped() -> dict[str, Path]:
    """The configs that come with gandyn, by name."""
    return {path.stem: path for path in sorted(SHIPPED.glob("*.toml"))}


def _schedule(name: str, *keys: str) -> Callable[[ScheduleTable, int], Any]:
    def build(table: ScheduleTable, steps: int) -> Any:
        from ...rules import schedule

        values = [getattr(table, key) for key in keys]
        return getattr(schedule, name)(*([max(steps, 1), *values] if name == "Cosine" else values))

    return build


SCHEDULES: dict[str, Callable[[ScheduleTable, int], Any]] = {
    "constant": lambda table, steps: None,
    "cosine": _schedule("Cosine", "floor"),
    "step": _schedule("StepDecay", "every", "factor"),
    "power": _schedule("PowerDecay", "power", "scale"),
    "warmup": _schedule("Warmup", "steps"),
}


def _network(kind: str, shape: tuple[int, ...], seed: int, options: Mapping[str, object]) -> Any:
    import inspect

    from .. import architectures

    name, options = options["architecture"], {k: v for k, v in options.items() if k != "architecture"}
    known = sorted(e.name.removesuffix(f"_{kind}") for e in architectures.registry if e.name.endswith(f"_{kind}"))
    refuse_unknown("architecture", name, known)
    build = architectures.registry[f"{name}_{kind}"].build
    parameters = set(inspect.signature(build).parameters) - {"shape"}
    for key in options:
        refuse_unknown(f"option of the {name} {kind}", key, parameters)
    ready = {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
    return build(shape, **{"seed": seed, **ready})


def _known_options(name: str, system: Any, options: Mapping[str, object]) -> None:
    """Raises UnknownNameError for options that a system of networks lacks, or that the config says elsewhere."""
    import inspect

    from ..gan_game import GANGame

    said = set(inspect.signature(GANGame).parameters)
    known = [p.name for p in inspect.signature(system).parameters.values() if p.kind == p.KEYWORD_ONLY]
    for key in options:
        if key not in known or key in said:
            raise UnknownNameError.among(f"option of {name}", key, [k for k in known if k not in said])


def _without_none(data: dict[str, object]) -> dict[str, Any]:
    return {
        key: _without_none(value) if isinstance(value, dict) else value
        for key, value in data.items()
        if value is not None
    }


def _different(ours: dict[str, object], theirs: dict[str, object], prefix: str = "") -> str:
    for key in sorted({*ours, *theirs}):
        a, b = ours.get(key), theirs.get(key)
        if isinstance(a, dict) and isinstance(b, dict):
            inner = _different(a, b, f"{prefix}{key}.")
            if inner:
                return inner
        elif a != b:
            return f"{prefix}{key}: {b!r} there, {a!r} here"
    return ""
