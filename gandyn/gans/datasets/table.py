"""Your own numbers from a file: CSV, TSV, NPY, NPZ and Parquet; rows are points, one column may be the label."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ...doors import door
from ...errors import MissingDependencyError, ParameterError, ShapeError
from ...types import Array
from ..registries import datasets as registry
from .points import Points

TEXT = {".csv": ",", ".tsv": "\t"}
SUFFIXES = (*TEXT, ".npy", ".npz", ".parquet")
Columns = dict[str, Array]


@registry.register("table", examples=())
@door
def table(
    path: str | Path,
    columns: Sequence[str] | None = None,
    labels: str | None = None,
    held_out: float = 0.0,
    seed: int = 0,
) -> Points:
    """The rows of a file as points. NPY and NPZ files may hold points of any shape, pictures (N, c, h, w) for instance.

    Numbers are taken as they are, without scaling; bytes stand for pictures and become [-1, 1]. Parquet needs pandas
    with pyarrow. Arrays of objects, which would have to be unpickled, are refused.

    Args:
        path: ends in .csv, .tsv, .npy, .npz or .parquet. CSV and TSV begin with a row of names.
        columns: which make the point, by name, all but the label by default. In NPZ the one array of the points.
        labels: the column (in NPZ: the array) of labels; different values, sorted, become 0, 1, 2, ...
        held_out: share kept apart, of every class alike. seed: of that choice.

    Raises:
        ParameterError: for files and cells that cannot be read, by row and column. ShapeError: for other shapes.
        MissingDependencyError: for Parquet without pandas and pyarrow.
    """
    file = Path(path)
    if file.suffix.lower() not in SUFFIXES:
        raise ParameterError(f"the file {file.name}", f"one ending in {', '.join(SUFFIXES)}", "save it as CSV")
    try:
        read = _columns(file)
    except (OSError, ValueError) as error:
        reason = str(error).split("\n")[0]
        raise ParameterError(f"{file} cannot be read ({reason})", "a file of numbers", "check the path") from error
    given = None if labels is None else _column(read, labels, file)
    names = list(columns) if columns is not None else [name for name in read if name != labels]
    arrays = [_numbers(_column(read, name, file), name, file) for name in names]
    if not arrays:
        raise ParameterError(f"{file.name} without a column for the points", "one or more", "name them: columns=[...]")
    if len(arrays) > 1 and any(a.ndim > 1 for a in arrays):
        shown = ", ".join(f"{n} {a.shape}" for n, a in zip(names, arrays, strict=True))
        raise ShapeError(f"{file.name} with several arrays ({shown})", "one for the points", f"columns=[{names[0]!r}]")
    points = arrays[0] if arrays[0].ndim > 1 else np.stack(arrays, 1)
    kinds = None if given is None else np.unique(given, return_inverse=True)[1].reshape(-1)
    made = of_array(points, kinds, file.stem)
    return made.split(held_out, seed) if held_out else made


def of_array(points: Array, labels: Array = None, name: str = "array") -> Points:
    """A NumPy array or tensor (N, ...) as points: bytes stay bytes, other numbers become single or double precision.
    Raises ParameterError for entries that are no numbers, or not finite; ShapeError for other than (N, ...) with N >=
    1.
    """
    array = points.detach().cpu().numpy() if isinstance(points, torch.Tensor) else np.asarray(points)
    if array.dtype.kind not in "fiub":
        raise ParameterError(f"{name} of {array.dtype}", "real numbers", "points.astype(float)")
    if array.ndim == 1:
        raise ShapeError(f"{name} of shape {array.shape}", "(N, ...), one row a point", "points[:, None]")
    if array.dtype != np.uint8:
        array = array.astype(np.float64 if array.dtype == np.float64 else np.float32)
        bad = ~np.isfinite(array)
        if bad.any():
            row, *place = (int(i) for i in np.argwhere(bad)[0])
            given = f"{name} with {int(bad.sum())} entries that are not finite, the first in row {row}, at {place}"
            raise ParameterError(given, "finite numbers", "leave those rows out, or fill them in")
    dtype = torch.float64 if array.dtype == np.float64 else torch.float32
    return Points(name, torch.from_numpy(np.array(array)), labels, dtype=dtype)


def _columns(file: Path) -> Columns:
    """All columns of a table, or all arrays of a NumPy file, by name."""
    suffix = file.suffix.lower()
    if suffix in TEXT:
        return _text(file, TEXT[suffix])
    if suffix == ".npy":
        return {"array": np.load(file, allow_pickle=False)}
    if suffix == ".npz":
        with np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    try:
        import pandas

        frame = pandas.read_parquet(file)
    except ImportError as error:
        raise MissingDependencyError(
            "Parquet files need pandas and pyarrow", "both", "pip install pandas pyarrow, or save it as CSV"
        ) from error
    return {str(name): frame[name].to_numpy() for name in frame.columns}


def _text(file: Path, separator: str) -> Columns:
    with file.open(newline="", encoding="utf-8-sig") as lines:
        rows = [row for row in csv.reader(lines, delimiter=separator) if row]
    if len(rows) < 2:
        raise ParameterError(f"{file.name} with {len(rows)} rows", "a row of names, then numbers", "add the names")
    header, *cells = rows
    if len(set(header)) < len(header):
        raise ParameterError(f"{file.name} with two columns of one name", "different names", "rename one")
    for k, row in enumerate(cells):
        if len(row) != len(header):
            given = f"row {k + 2} of {file.name} with {len(row)} cells under {len(header)} names"
            raise ShapeError(given, "as many cells as names", "mend that row")
    return {name: np.array([row[i].strip() for row in cells]) for i, name in enumerate(header)}


def _column(columns: Columns, name: str, file: Path) -> Array:
    if name not in columns:
        raise ParameterError(f"the column {name!r} of {file.name}", f"one of {', '.join(columns)}", "check its name")
    return columns[name]


def _numbers(column: Array, name: str, file: Path) -> np.ndarray:
    """A column of text as numbers. Raises ParameterError by row and column for any other cell."""
    if column.dtype.kind not in "UO":
        return np.asarray(column)
    found = np.empty(len(column))
    for k, cell in enumerate(column):
        try:
            found[k] = float(cell)
        except (TypeError, ValueError):
            found[k] = math.nan
        if not math.isfinite(found[k]):
            given = f"row {k + 2} of {file.name}, column {name!r}: {str(cell)[:20]!r}"
            fix = f"leave the row out; or, for categories, labels={name!r}"
            raise ParameterError(given, "a finite number", fix)
    return found
