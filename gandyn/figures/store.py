"""A figure's data on disk: arrays as NPZ, everything else as JSON, with what they were made by; whole files or none."""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import io
import json
import math
import os
import pathlib
import platform
import subprocess
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import ParameterError
from ..gans.training.untrusted_files import write_atomically
from ..results import plain

KEY = "__key__"
LIBRARIES = ("gandyn", "numpy", "scipy", "sympy", "matplotlib", "torch")


def split(data: Mapping[str, object]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """(arrays, plain values) of a figure's data. Raises ParameterError for anything but arrays and plain values."""
    arrays, values = {}, {}
    for name, value in data.items():
        if not isinstance(name, str) or name == KEY:
            raise ParameterError(f"the data's name {name!r}", "a text", "name it otherwise")
        if hasattr(value, "detach"):
            value = value.detach().cpu().numpy()
        number = isinstance(value, (float, complex, np.number))
        if isinstance(value, np.ndarray) or (number and not (isinstance(value, float) and math.isfinite(value))):
            arrays[name] = np.asarray(value)
            if arrays[name].dtype.hasobject:
                raise ParameterError(
                    f"{name}, an array of Python objects", "an array of numbers or texts", "give it a dtype"
                )
        else:
            values[name] = value
    try:
        json.dumps(values, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"data that cannot be saved: {error}", "arrays, numbers, texts", "convert them") from error
    return arrays, values


def write(stem: pathlib.Path, key: str, data: Mapping[str, object], about: Mapping[str, object]) -> None:
    """Write `STEM.npz`, then `STEM.json`, which makes it count."""
    arrays, values = split(data)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{**arrays, KEY: np.array(key)})  # type: ignore[arg-type]
    shapes = {name: {"shape": list(a.shape), "dtype": str(a.dtype)} for name, a in arrays.items()}
    write_atomically(with_suffix(stem, ".npz"), buffer.getvalue())
    write_record(stem, {"key": key, **about, "values": values, "arrays": shapes})


def write_record(stem: pathlib.Path, record: Mapping[str, object]) -> None:
    """Write the record of a figure, its numbers and versions of libraries, as `STEM.json`."""
    text = json.dumps(plain(dict(record)), indent=1, allow_nan=False) + "\n"
    write_atomically(with_suffix(stem, ".json"), text.encode())


def read_record(stem: pathlib.Path) -> dict[str, Any]:
    """`STEM.json`; nothing where there is none that can be read."""
    try:
        record = json.loads(with_suffix(stem, ".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def read(stem: pathlib.Path, key: str | None = None) -> dict[str, Any] | None:
    """The data; None where there are none, none of this key, or a file is damaged."""
    record = read_record(stem)
    try:
        content = io.BytesIO(with_suffix(stem, ".npz").read_bytes())
        with np.load(content, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        stored = str(arrays.pop(KEY))
        if stored != record["key"] or key not in (None, stored) or set(arrays) != set(record["arrays"]):
            return None
        return {**record["values"], **{n: a.item() if a.ndim == 0 else a for n, a in arrays.items()}}
    except (OSError, ValueError, LookupError, EOFError, zipfile.BadZipFile):
        return None


def with_suffix(stem: pathlib.Path, suffix: str) -> pathlib.Path:
    """`stem` with `suffix` appended; what follows a dot in the stem is kept as part of its name."""
    return stem.with_name(stem.name + suffix)


def made_by(folder: pathlib.Path) -> dict[str, Any]:
    """Commit of the figure's folder ("+" where files differ from it, None outside a repository) and versions."""
    versions = {"python": platform.python_version(), **_versions()}
    return {"commit": _commit(folder), "versions": versions, "system": f"{platform.system()} {platform.machine()}"}


@functools.cache
def _versions() -> dict[str, str]:
    """Of what is installed: a figure without networks is made without torch."""
    installed = [name for name in LIBRARIES if importlib.util.find_spec(name) is not None]
    return {name: importlib.metadata.version(name) for name in installed}


def _commit(folder: pathlib.Path) -> str | None:
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    words = ("rev-parse", "--short=12", "HEAD"), ("status", "--porcelain", "--untracked-files=no")
    try:
        hash_, changes = (
            subprocess.run(  # noqa: S603
                ["git", "-C", str(folder), *command],  # noqa: S607
                capture_output=True, text=True, check=True, env=environment,
            ).stdout.strip()
            for command in words
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return None
    return hash_ + ("+" if changes else "")
