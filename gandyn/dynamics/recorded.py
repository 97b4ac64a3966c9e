"""Programs of maps kept beside their libraries: a map whose code is on disk is recognised before anything is traced.

A record is filed under a hash of the game's expressions, the rule's structure and the sources of this package from
which maps are traced, so that an edited formula never meets an old one. Rules and projections of others are not
recorded: what they do may change while their names stay. What is read is numbers and names, never code.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from ..lazy import sympy
from ..symbolic.lowering import Instruction
from ..types import Counts
from ..worlds import is_symbolic
from . import library_cache
from .program import Program

PACKAGE = Path(__file__).parent.parent
SOURCES = (
    *("dynamics", "games", "losses", "lazy", "noise", "oracles", "parameters"),
    *("penalties", "rules", "symbolic", "text", "types", "worlds"),
)


class _ForeignError(TypeError):
    """A part of a map's description that has no lasting text."""


def name_of(content: object, structure: object) -> str | None:
    """The file name of a map's record; None where its game or rule holds what is not ours to describe."""
    if content is None:
        return None
    try:
        text = "\n".join([_text(content), _text(structure), sympy.__version__, _sources()])
    except (_ForeignError, OSError):
        return None
    return hashlib.sha256(text.encode()).hexdigest()[:40] + ".json"


def find(name: str) -> tuple[Program, Counts] | None:
    """The program and the oracle calls of one step, from the cache; None where there is no record."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        digest, _, text = (next(library_cache.folders()) / name).read_text().partition("\n")
        if digest != _digest(text):
            return None
        data = json.loads(text)
        fields = {key: _frozen(value) for key, value in data["program"].items()}
        for part in ("uniform", "varying"):
            fields[part] = tuple(Instruction(*line) for line in fields[part])
        return Program(**fields), Counts(**data["counts"])
    return None


def keep(name: str, program: Program, counts: Counts) -> None:
    """Write a record in one stroke; a folder that cannot be written keeps none."""
    data = {"program": dataclasses.asdict(program), "counts": dataclasses.asdict(counts)}
    for part in ("uniform", "varying"):
        data["program"][part] = [list(line.values()) for line in data["program"][part]]
    with contextlib.suppress(OSError):
        target = next(library_cache.folders()) / name
        handle, half = tempfile.mkstemp(dir=target.parent)
        text = json.dumps(data)
        with os.fdopen(handle, "w") as file:
            file.write(f"{_digest(text)}\n{text}")
        os.replace(half, target)
        library_cache.prune(target)


def _digest(text: str) -> str:
    """What stands before a record: libraries are shared by programs of other constants, and would run those."""
    return hashlib.sha256(text.encode()).hexdigest()


def _frozen(value: object) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


@functools.cache
def _sources() -> str:
    """A hash of the files that decide what a trace and its lowering are."""
    files = sorted({*PACKAGE.glob("*.py"), *(file for room in SOURCES for file in (PACKAGE / room).rglob("*.py"))})
    digest = hashlib.sha256()
    for file in files:
        digest.update(str(file.relative_to(PACKAGE)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _text(value: Any) -> str:
    """What stands for a part of a game or of a rule's structure in every process."""
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
        return repr(value)
    if is_symbolic(value):
        if any(type(s) is not sympy.Symbol for s in value.free_symbols):  # one value for each member
            raise _ForeignError
        return str(sympy.srepr(value))
    if isinstance(value, type) and (value.__module__ == "builtins" or _is_hashed(value.__module__)):
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, (tuple, list)):
        return f"({', '.join(map(_text, value))},)"
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
        return f"{value.shape}{value.dtype.str}{value.tobytes().hex()}"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _text((type(value), *(getattr(value, field.name) for field in dataclasses.fields(value))))
    raise _ForeignError


def _is_hashed(module: str) -> bool:
    """Whether a module is one of those whose text is part of every name."""
    package, _, rest = module.partition(".")
    return package == __name__.partition(".")[0] and rest.partition(".")[0] in SOURCES
