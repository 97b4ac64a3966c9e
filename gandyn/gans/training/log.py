"""The log of a run: one JSON object a line, cut back to the last checkpoint when a run goes on."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from ...errors import MissingDependencyError, writing
from .untrusted_files import CheckpointError, digest, parse_json, read_bytes, write_atomically

LARGEST_LOG = 2**30
Row = dict[str, Any]


class Writer(Protocol):
    """Anything that rows of the training log can be written to: a file, TensorBoard, a list."""

    def write(self, row: Row) -> None:
        """Write one row: the numbers logged at one step."""

    def close(self) -> None:
        """Finish writing; called once, when the run is over."""


class JsonLines:
    """Rows appended to a file, each flushed whole; numbers that are not finite become null."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with writing(path):
            self._file = path.open("a", encoding="utf-8")

    def write(self, row: Row) -> None:
        """Append one row to the file as a line of JSON. Raises OutputError where it cannot be written."""
        with writing(self._path):
            self._file.write(line(row))
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        with contextlib.suppress(OSError):  # what could not be written was reported when it was
            self._file.close()


class TensorBoard:
    """Rows as TensorBoard scalars: `losses/generator`, `metrics/modes`, ... Needs the extra `gandyn[tensorboard]`.

    Args:
        folder: where its files go.

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
        self._writer = SummaryWriter(str(folder))

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


def finite(value: object) -> Any:
    """Plain data made strict JSON: null stands for NaN and infinities, which JSON lacks."""
    if isinstance(value, dict):
        return {key: finite(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def line(row: Row) -> str:
    """A row as one line of strict JSON, as it stands in the log."""
    return json.dumps(finite(row), allow_nan=False) + "\n"


def seal(rows: Sequence[Row]) -> dict[str, Any]:
    """How many rows, and the SHA-256 of their log: what a checkpoint keeps of it."""
    return {"rows": len(rows), "sha256": digest("".join(map(line, rows)).encode())}


def seen(rows: Sequence[Row], record: dict[str, Any], path: Path) -> list[Row]:
    """The rows that a checkpoint saw; a last row of the same step may have come later. Raises CheckpointError where
    rows are missing or changed.
    """
    if not record["log"]:
        return list(rows)
    known = list(rows[: record["log"].get("rows", 0)])
    if seal(known) != record["log"]:
        given = f"{path.name}, which is not as the checkpoint of step {record['step']} saw it"
        raise CheckpointError(given, "the log of the run", "restore it, or start anew with resume=False")
    return known


def read_rows(path: Path, until: int | None = None) -> list[Row]:
    """The rows of a log up to a step, without an unfinished last line. Raises CheckpointError for other lines."""
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


def cut(path: Path, record: dict[str, Any]) -> list[Row]:
    """Keep the rows that a checkpoint saw, and return them; later ones are recomputed. Raises CheckpointError."""
    rows = seen(read_rows(path, record["step"]), record, path)
    write_atomically(path, "".join(map(line, rows)).encode())
    return rows
