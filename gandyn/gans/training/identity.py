"""What makes a run that run: what its game, data, networks and rule are made of, not how they print."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import torch

from ...errors import ParameterError
from ...types import Array, Rule
from .distributed import whole
from .options import Stepping
from .untrusted_files import canonical, digest

ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
FUNCTION = re.compile(r"<function ([^ >]+) at 0x[0-9a-fA-F]+>")
MOST_BYTES = 2**28


def describe(game: Any, rule: Rule, stepping: Stepping) -> dict[str, Any]:
    """What two runs have in common that go on from each other, as plain data.

    Data, initial parameters and layers count by their content; functions by their names. Every member of an
    ensemble counts.
    """
    members = list({id(member): member for member in getattr(game, "games", [whole(game)])}.values())
    game_itself = members[0]
    settings = getattr(game_itself, "settings", {})
    return {
        "game": repr(game),
        "loss": repr(game_itself.loss),
        "penalties": [repr(penalty) for penalty in game.penalties],
        "batch": game_itself.size,
        "dtype": str(game.dtype),
        "rule": _named(repr(rule)),
        "seed": stepping.seed,
        "average": stepping.average,
        "precision": stepping.precision,
        "game_seed": getattr(game_itself, "seed", None),
        "networks": _digest(*(_named(repr(network)) for network in game_itself.networks)),
        "initial_parameters": _digest(game.w0),
        "data": _digest(*(part for member in members for part in _data(member.data))),
        **({"settings": repr(dict(settings))} if settings else {}),
    }


def refuse_nameless(identity: dict[str, object]) -> None:
    """Raises ParameterError for parts without a lasting name: lambdas, and objects that print their address."""
    for key, value in identity.items():
        found = re.search(r"\S*(<lambda>|<locals>)\S*|\S+" + ADDRESS.pattern, str(value))
        if found is not None:
            raise ParameterError(
                f"a run in a folder whose {key} is {found[0].strip('(<,')}, which another process cannot recognise",
                "a name: without one the run could not be resumed",
                "a function of a module, gd.rules.schedule.Cosine(steps), or folder=None",
            )


def _named(text: str) -> str:
    """The print of an object, with functions by their names instead of their addresses."""
    return FUNCTION.sub(lambda m: f"function {m[1]}", text)


def _data(data: object) -> list[Array | str]:
    """What data are made of: tensors, numbers and texts among their attributes, those of what they hold included."""
    if isinstance(data, torch.Tensor):
        return [data]
    if callable(data) and not hasattr(data, "__dict__"):
        return [repr(data)]
    parts: list[Any] = [type(data).__name__, getattr(data, "__qualname__", "")]
    for name, value in sorted(getattr(data, "__dict__", {}).items()):
        if name in ("position", "_position", "_order"):  # where reading stands, which changes as the run goes
            continue
        if isinstance(value, (torch.Tensor, int, float, str, tuple)):
            parts += [name, value if isinstance(value, torch.Tensor) else repr(value)]
        elif type(value).__module__.startswith("gandyn."):
            parts += [name, *_data(value)]
    return parts


def _digest(*parts: object) -> str:
    found = hashlib.sha256()
    for part in parts:
        if isinstance(part, torch.Tensor):
            held = part.detach().cpu().contiguous().view(-1)
            found.update(f"{part.dtype} {tuple(part.shape)}".encode())
            step = max(held.numel() * held.element_size() // MOST_BYTES, 1)
            found.update(held[::step].contiguous().view(torch.uint8).numpy().tobytes() if held.numel() else b"")
        else:
            found.update(repr(part).encode())
    return found.hexdigest()[:32]


def sealed(record: dict[str, object]) -> dict[str, Any]:
    """A record with the digest of the rest of it."""
    return {**record, "sha256": digest(canonical(_unsealed(record)))}


def intact(record: dict[str, object]) -> bool:
    """Whether a record has the digest of the rest of it."""
    return record.get("sha256") == digest(canonical(_unsealed(record)))


def _unsealed(record: dict[str, object]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key != "sha256"}
