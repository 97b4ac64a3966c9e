"""Checkpoints: all that a run needs to go on to the same numbers, as safetensors beside JSON; reading runs no code."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...types import Array, State
from .identity import intact, sealed
from .untrusted_files import CheckpointError, digest, parse_json, read_bytes, read_json, write_atomically

FORMAT = 1
LARGEST_HEADER = 2**20
LARGEST_ARRAYS = 2**36
NAME = re.compile(r"checkpoint-(\d{9})\.json")
KEYS = {"format", "step", "rng", "counters", "counts", "seconds", "identity", "versions", "tensors_sha256",
        "log", "sha256"}  # fmt: skip
KINDS = {torch.float64: "F64", torch.float32: "F32", torch.bfloat16: "BF16", torch.float16: "F16", torch.int64: "I64",
         torch.int32: "I32", torch.bool: "BOOL", torch.uint8: "U8"}  # fmt: skip


@dataclasses.dataclass
class Snapshot:
    """A run between two steps.

    Attributes:
        step: steps done. w: the joint vector (d,). state: the rule's. average: of the generator's parameters, or None.
        buffers: the networks' buffers by name. rng: state of the generators of random numbers, by name.
        counts: what the oracle has been asked for. seconds: spent so far.
    """

    step: int
    w: Any
    state: State
    average: torch.Tensor | None
    buffers: dict[str, Any]
    rng: dict[str, Any]
    counts: dict[str, int]
    seconds: float

    def tensors(self) -> dict[str, Array]:
        """Every array by the name that it has in the file."""
        named = {"w": self.w, **{f"state/{path}": array for path, array in self.state.leaves()}}
        if self.average is not None:
            named["average"] = self.average
        return named | {f"buffers/{name}": buffer for name, buffer in self.buffers.items()}


def write(
    folder: Path,
    snapshot: Snapshot,
    identity: dict[str, object],
    versions: dict[str, str],
    keep: int,
    log: dict[str, object] | None = None,
) -> Path:
    """Write `checkpoint-STEP.safetensors`, then `checkpoint-STEP.json`, which makes it count; drop all but `keep`.

    `identity` is what a run must have in common with the one that goes on from here, and `log` says how many rows the
    log has so far, and their digest; the last `keep` checkpoints stay. Returns the path of the JSON file.
    """
    from safetensors.torch import save

    tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in snapshot.tensors().items()}
    data = save(tensors)
    record = {
        "format": FORMAT,
        "step": snapshot.step,
        "rng": snapshot.rng,
        "counters": {path: _count(value) for path, value in snapshot.state.counter_leaves()},
        "counts": snapshot.counts,
        "seconds": snapshot.seconds,
        "identity": identity,
        "versions": versions,
        "tensors_sha256": digest(data),
        "log": log or {},
    }
    record = sealed(json.loads(json.dumps(record, allow_nan=False)))
    path = folder / f"checkpoint-{snapshot.step:09d}.json"
    write_atomically(path.with_suffix(".safetensors"), data)
    write_atomically(path, json.dumps(record, indent=1, allow_nan=False).encode())
    _drop_old(folder, keep)
    return path


def _count(value: Any) -> int | float:
    value = value.item() if hasattr(value, "item") else value
    return int(value) if float(value).is_integer() else float(value)


def _drop_old(folder: Path, keep: int) -> None:
    """JSON first: a tensor file alone is no checkpoint, so a kill between the two leaves nothing half."""
    kept = listed(folder)[-keep:]
    for path in listed(folder)[:-keep]:
        path.unlink(missing_ok=True)
    names = {path.stem for path in kept}
    for path in folder.glob("checkpoint-*.safetensors"):
        if path.stem not in names:
            path.unlink(missing_ok=True)


def listed(folder: Path) -> list[Path]:
    """The checkpoints of a folder, oldest first."""
    return sorted(path for path in folder.glob("checkpoint-*.json") if NAME.fullmatch(path.name))


def of_run(folder: Path) -> list[Path]:
    """The checkpoints of the folder of a run, oldest first. Raises CheckpointError where there is none."""
    paths = listed(folder) if folder.is_dir() else []
    if not paths:
        raise CheckpointError(f"no checkpoint in {folder}", "the folder of a run", "gandyn train CONFIG --out FOLDER")
    return paths


def read_record(path: Path) -> dict[str, Any]:
    """The JSON of a checkpoint, checked. Raises CheckpointError for wrong keys and kinds of values."""
    record = read_json(path, "the checkpoint")
    if not isinstance(record, dict) or set(record) != KEYS:
        given = sorted(set(record) ^ KEYS) if isinstance(record, dict) else type(record).__name__
        raise CheckpointError(f"{path.name} with other keys ({given})", ", ".join(sorted(KEYS)), "another version?")
    number: dict[str, Any] = {"format": int, "step": int, "seconds": (int, float)}
    for key, kind in number.items():
        if isinstance(record[key], bool) or not isinstance(record[key], kind) or record[key] < 0:
            raise CheckpointError(f"{key}={record[key]!r} in {path.name}", "a number >= 0", "it was not written here")
    for key in ("rng", "counters", "counts", "identity", "versions", "log"):
        if not isinstance(record[key], dict):
            raise CheckpointError(f"{key}={record[key]!r} in {path.name}", "a table", "it was not written here")
    for key in ("counters", "counts"):
        for name, value in record[key].items():
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise CheckpointError(f"{name}={value!r} in {path.name}", "a number", "it was not written here")
    match = NAME.fullmatch(path.name)
    if record["format"] != FORMAT or match is None or int(match[1]) != record["step"]:
        raise CheckpointError(
            f"{path.name} of format {record['format']} at step {record['step']}",
            f"format {FORMAT}, and a name that tells the step",
            "files of a run keep their names",
        )
    return record


def read(path: Path, like: Snapshot) -> tuple[Snapshot, dict[str, Any]]:
    """A checkpoint as a snapshot of the same structure as `like`, and its record.

    No code is executed. Names, shapes, kinds, sizes, digest and finiteness are checked before anything is used. Raises
    CheckpointError for whatever differs, by name.
    """
    record = read_record(path)
    expected = like.tensors()
    size = sum(t.numel() * t.element_size() for t in expected.values())
    file = path.with_suffix(".safetensors")
    data = read_bytes(file, size + LARGEST_HEADER + 8, "the checkpoint's arrays")
    _check_header(data, expected, file.name)
    if digest(data) != record["tensors_sha256"]:
        raise CheckpointError(
            f"{file.name} with another digest than {path.name} names",
            "the two files that were written together",
            f"delete {path.name} to go on from the checkpoint before",
        )
    tensors = _tensors(data, expected, file.name)
    counters = _counters(record["counters"], like.state, path.name)
    leaves = iter([tensors[f"state/{name}"] for name, _ in like.state.leaves()])
    snapshot = Snapshot(
        step=record["step"],
        w=tensors["w"],
        state=like.state.replace_leaves(leaves, iter(counters)),
        average=tensors.get("average"),
        buffers={name: tensors[f"buffers/{name}"] for name in like.buffers},
        rng=record["rng"],
        counts=record["counts"],
        seconds=float(record["seconds"]),
    )
    if not intact(record):
        raise _damaged(path)
    return snapshot, record


def verify(path: Path) -> None:
    """Raises CheckpointError, by its name, for a checkpoint whose two files are not as they were written."""
    record = read_record(path)
    data = read_bytes(path.with_suffix(".safetensors"), LARGEST_ARRAYS, "the checkpoint's arrays")
    if not intact(record) or digest(data) != record["tensors_sha256"]:
        raise _damaged(path)


def _damaged(path: Path) -> CheckpointError:
    given = f"{path.name}, which is not as it was written: its digest is another"
    return CheckpointError(given, "the files of the run", f"delete {path.stem}.* to do without it")


def _counters(given: dict[str, Any], state: State, name: str) -> list[int]:
    needed = [path for path, _ in state.counter_leaves()]
    if set(given) != set(needed):
        raise CheckpointError(f"counters {sorted(given)} in {name}", f"{sorted(needed)}", "was it another rule's?")
    return [given[path] for path in needed]


def _check_header(data: bytes, expected: dict[str, Array], name: str) -> None:
    """The table at the head of a safetensors file against what the run needs, before the library sees it."""
    length = int.from_bytes(data[:8], "little") if len(data) >= 8 else 0
    if not 2 <= length <= min(LARGEST_HEADER, len(data) - 8):
        raise CheckpointError(f"{name} with a header of {length} bytes", "one that fits", "it was not written here")
    header = parse_json(data[8 : 8 + length], f"the header of {name}")
    table = {key: value for key, value in header.items() if key != "__metadata__"} if isinstance(header, dict) else {}
    if set(table) != set(expected):
        different = ", ".join(sorted(set(table) ^ set(expected))[:5])
        raise CheckpointError(f"{name} with other arrays ({different})", "those of this run", "was it another run's?")
    for key, tensor in expected.items():
        entry = table[key]
        kind, shape = (entry.get("dtype"), entry.get("shape")) if isinstance(entry, dict) else (None, None)
        if shape != list(tensor.shape) or kind != KINDS[tensor.dtype]:
            raise CheckpointError(
                f"{key} of shape {shape} and kind {kind} in {name}",
                f"{list(tensor.shape)} of kind {KINDS[tensor.dtype]}",
                "the config, or the networks, have changed since",
            )


def _tensors(data: bytes, expected: dict[str, Array], name: str) -> dict[str, Array]:
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        tensors = load(data)
    except (SafetensorError, ValueError, RuntimeError, KeyError, TypeError) as error:
        raise CheckpointError(f"{name} ({error})", "a safetensors file", "it is damaged") from error
    for key, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise CheckpointError(
                f"{key} in {name} has entries that are not finite", "numbers", "it was not written here"
            )
        tensors[key] = tensor.to(expected[key].device)
    return dict(tensors)


def generator_state(rng: np.random.Generator) -> dict[str, Any]:
    """The state of a NumPy generator as plain data."""
    state: dict[str, Any] = rng.bit_generator.state  # type: ignore[assignment]
    return state


def restore_generator(rng: np.random.Generator, state: Any, name: str) -> None:
    """Put a NumPy generator into a state that was read. Raises CheckpointError if it is none of its states."""
    try:
        rng.bit_generator.state = state
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise CheckpointError(
            f"no state of a {type(rng.bit_generator).__name__} for {name} ({error})",
            "a state that this generator can take",
            "use a checkpoint that gandyn wrote",
        ) from error
