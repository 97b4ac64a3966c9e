"""The log of a run: one JSON object a line, cut back to the last checkpoint when a run goes on."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from ...errors import MissingDependencyError
from .hostile import CheckpointError, parse_json, read_bytes, write_atomically

LARGEST_LOG = 2**30
Row = dict[str, Any]


class Writer(Protocol):
    """Whatever takes rows."""

    def write(self, row: Row) -> None:
        """Take one row."""

    def close(self) -> None:
        """The run is over."""


class JsonLines:
    """Rows appended to a file, each flushed whole; numbers that are not finite become null."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")

    def write(self, row: Row) -> None:
        """Append one line."""
        self._file.write(json.dumps(finite(row), allow_nan=False) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> JsonLines:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class TensorBoard:
    """Rows as TensorBoard scalars: `losses/generator`, `metrics/modes`, ... Needs the extra `gandyn[tensorboard]`.

    Raises:
        MissingDependencyError: where TensorBoard is not installed.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise MissingDependencyError(
                "TensorBoard is not installed", "the extra tensorboard", "pip install 'gandyn[tensorboard]'"
            ) from error
        self._writer: Any = SummaryWriter(str(folder))

    def write(self, row: Row) -> None:
        """Add every number of the row."""
        for name, value in scalars(row):
            self._writer.add_scalar(name, value, row["step"])

    def close(self) -> None:
        """Write what is waiting."""
        self._writer.close()


def scalars(row: Row, prefix: str = "") -> list[tuple[str, float]]:
    """(path, number) of every finite number in a row but its step."""
    found = []
    for key, value in row.items():
        if isinstance(value, dict):
            found += scalars(value, f"{prefix}{key}/")
        elif isinstance(value, (int, float)) and not isinstance(value, bool) and key != "step" and math.isfinite(value):
            found.append((prefix + key, float(value)))
    return found


def finite(value: Any) -> Any:
    """The same plain data with null for NaN and infinities, which JSON lacks."""
    if isinstance(value, dict):
        return {key: finite(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read_rows(path: Path, until: int | None = None) -> list[Row]:
    """The rows of a log up to a step; a last line without its end, cut off by a kill, is dropped.

    Raises:
        CheckpointError: for other lines that are no rows.
    """
    if not path.exists():
        return []
    *lines, _ = read_bytes(path, LARGEST_LOG, "the log").split(b"\n")
    rows = []
    for number, line in enumerate(lines, 1):
        row = parse_json(line, f"line {number} of {path.name}")
        if not isinstance(row, dict) or not isinstance(row.get("step"), int):
            raise CheckpointError(f"line {number} of {path.name}", "an object with a step", "delete the line")
        if until is None or row["step"] <= until:
            rows.append(row)
    return rows


def cut(path: Path, until: int) -> list[Row]:
    """Keep the rows up to a step, and return them: what came later will be computed again."""
    rows = read_rows(path, until)
    write_atomically(path, b"".join(json.dumps(row, allow_nan=False).encode() + b"\n" for row in rows))
    return rows
