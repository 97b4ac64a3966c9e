"""Reading files that anybody may have written: bounded JSON without surprises, and files replaced in one move."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from ...errors import GandynError, OutputError, writing

LARGEST_JSON = 4 * 2**20
DEEPEST = 32


class CheckpointError(GandynError, ValueError):
    """A file of a run that is damaged, hostile, or of another run."""


def read_bytes(path: Path, largest: int, what: str) -> bytes:
    """The bytes of a regular file of at most `largest` bytes. Raises CheckpointError for anything else."""
    try:
        if not path.is_file():
            kind = "is not a file" if path.exists() else "is not there"
            raise CheckpointError(f"{what} {path} {kind}", "a regular file", "check the path")
        size = path.stat().st_size
        if size > largest:
            raise CheckpointError(
                f"{what} {path.name} of {size} bytes", f"at most {largest}", "it was not written here"
            )
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{what} {path.name} ({error.strerror})", "a readable file", "check the path") from error


def parse_json(data: bytes, what: str) -> Any:
    """Strict JSON: UTF-8, no NaN, no repeated keys, at most 32 levels. Raises CheckpointError for anything else."""
    try:
        parsed = json.loads(data.decode(), parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{what} is no JSON ({error})", "strict JSON", "it was not written here") from error
    if _deeper(parsed, DEEPEST):
        raise CheckpointError(f"{what} is nested deeper than {DEEPEST} levels", "flat data", "it was not written here")
    return parsed


def read_json(path: Path, what: str, largest: int = LARGEST_JSON) -> Any:
    """The strict JSON of a small file."""
    return parse_json(read_bytes(path, largest, what), f"{what} {path.name}")


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"the number {name}")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        raise ValueError("a key that occurs twice")
    return result


def _deeper(value: object, levels: int) -> bool:
    if isinstance(value, (dict, list)):
        inner = value.values() if isinstance(value, dict) else value
        return levels == 0 or any(_deeper(v, levels - 1) for v in inner)
    return False


def digest(data: bytes) -> str:
    """The SHA-256 of the bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def canonical(value: object) -> bytes:
    """The one JSON text of plain data, for digests."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def write_atomically(path: Path, data: bytes) -> None:
    """Replace a file in one move: readers see the old or the new one. Raises OutputError if it cannot be written."""
    with writing(path):
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        raise OutputError(
            f"{path} cannot be written ({error.strerror})",
            "space on the disk",
            "delete files that are no longer needed",
        ) from error
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut, where the system lets a folder be opened."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
