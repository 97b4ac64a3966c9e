"""Generated code for an update map. Every backend applies the same program; a run freezes members that overflow.

A `Kernel` is what `UpdateMap.kernel(backend)` returns and what `iterate` runs. Backends: "c" (native.py), "numpy"
(blocked.py), "torch" (tensors.py), "numba" (jit.py) and "javascript" (javascript.py).
"""

from __future__ import annotations

import abc
import concurrent.futures
import dataclasses
import importlib
import itertools
import os
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from ..errors import DomainError, ParameterError, ShapeError, UnknownNameError
from ..types import Array
from . import compile as compiling
from .program import Program, program

BACKENDS = {
    "c": ("native", "CKernel"),
    "numpy": ("blocked", "NumpyKernel"),
    "torch": ("tensors", "TorchKernel"),
    "numba": ("jit", "NumbaKernel"),
    "javascript": ("javascript", "JavaScriptKernel"),
}
HUGE = float(np.finfo(float).max)
TRUSTED = 1e-90  # of the ceiling: a window that begins and ends this far below it is not looked into
CHUNK_SECONDS = 0.2
GRAIN = 1024
FEW = 64  # members that are looked at one by one sooner than as a whole
T = TypeVar("T")


@dataclasses.dataclass
class Run:
    """What one call of a kernel computed.

    Attributes:
        z: final augmented states, (N, D). rows: recorded w, (rows, N, d), or None. t: step numbers of the rows.
        done: steps computed by each member. alive: which members never left the bound.
        counters: the rule's counts at the end. calls: steps computed by the ensemble as a whole.
        interrupted: whether Ctrl-C ended the run.
    """

    z: Array
    rows: Array
    t: Array
    done: Array
    alive: Array
    counters: list[float]
    calls: int
    interrupted: bool


@dataclasses.dataclass
class Chunk:
    """Some steps of a run, as a backend sees them: arrays to be updated in place.

    A row is due every `stride` steps, the first after `stride - phase`; the next one goes to `rows[0]`. A member
    stops where a coordinate of w would exceed `limit`, or any number of z `ceiling`, which is never below `limit`.
    `keys` are those of all draws of the run, in order.
    """

    z: Array
    alive: Array
    done: Array
    counters: list[float]
    limit: float
    ceiling: float
    stride: int
    pool: concurrent.futures.ThreadPoolExecutor | None
    threads: int
    steps: int = 0
    phase: int = 0
    rows: Array = None
    keys: Array = None

    @property
    def trusted(self) -> float:
        """Where z is within this before and after a window of steps, no member is taken to have left inside it.

        Zero where a bound is watched at every step. Overflow lasts (`Program.absorbing`), so without a ceiling the end
        of a window tells all; an orbit that leaves a ceiling and is back 90 decades below it at the end is not seen.
        """
        if self.limit < self.ceiling:
            return 0.0
        return self.ceiling if self.ceiling >= HUGE else self.ceiling * TRUSTED

    def share(self, part: Callable[[int, int], T]) -> T:
        """Run `part(first, last)` over the members on all threads; the answer of one part (they all agree)."""
        n = len(self.z)
        if self.pool is None:
            return part(0, n)
        pieces = max(1, min(4 * self.threads, n // GRAIN))
        edges = [n * k // pieces // GRAIN * GRAIN for k in range(pieces)] + [n]
        futures = [self.pool.submit(part, a, b) for a, b in itertools.pairwise(edges)]
        answers = [future.result() for future in futures]
        return answers[0]


class Kernel(abc.ABC):
    """z+ = F(z) as generated code. Call it on augmented states of shape (..., D).

    Attributes:
        source: the generated code. backend: its name.
    """

    backend: str
    source: str
    threaded = False
    whole = 1  # steps that a chunk is a multiple of, so that the time they take decides nothing
    price = 3e-9  # seconds an instruction takes for one member, roughly

    def __init__(self, title: str, program: Program) -> None:
        self.title, self.program = title, program

    @abc.abstractmethod
    def _advance(self, chunk: Chunk) -> None:
        """Compute `chunk.steps` steps of every living member, in place, with rows every `stride` steps."""

    def __call__(self, z: Array, steps: int = 1, counters: Sequence[float] | None = None) -> Array:
        """z after `steps` steps, shape (..., D); for a stateless rule z is w. Members that overflow hold their point.

        Args:
            z: augmented states, (..., D): w, then the state arrays.
            steps: how many. counters: the rule's step counts before the first; zeros by default.
        """
        z = self._array(z)
        size = self.program.size
        if z.ndim == 0 or z.shape[-1] != size:
            raise ShapeError(
                f"an augmented state of shape {tuple(z.shape)}",
                f"(..., {size}) for {self.title}",
                "put the rule's state arrays after w",
            )
        start = [0] * len(self.program.counters) if counters is None else list(counters)
        return self.run(z.reshape(-1, size), steps, start).z.reshape(z.shape)

    def run(
        self,
        z: Array,
        steps: int,
        counters: Sequence[float] = (),
        *,
        stride: int | None = None,
        bound: float = np.inf,
        ceiling: float = np.inf,
        threads: int | None = None,
        progress: Callable[[int, int], None] | None = None,
        keys: Array = None,
    ) -> Run:
        """Advance N members `steps` steps.

        Args:
            z: (N, D). steps: how many. counters: the rule's step counts before the first.
            stride: record w every `stride` steps, the start included; None records nothing.
            bound: a member with a coordinate of w beyond it stops at its last point inside.
            ceiling: the same for every number of z, the rule's state included; by default they only have to be finite.
            threads: how many; all cores this process may use by default.
            progress: called with (steps done, steps) between chunks.
            keys: of the random vectors, one for each draw of each step; the last counter is then the step's number.

        Ctrl-C ends the run at the last whole chunk of steps, with what was computed up to there.
        """
        chunk = self._chunk(z, counters, stride, bound, ceiling, threads)
        chunk.keys = keys
        rows = None if stride is None else self._rows(chunk.z, steps // stride + 1)
        t, size = 0, self._first_chunk(len(chunk.z))
        checkpoint = _Checkpoint(z, chunk)
        interrupted = False
        try:
            while t < steps and bool(chunk.alive.any()):
                began = time.perf_counter()
                chunk.steps, chunk.phase = min(-(-size // self.whole) * self.whole, steps - t), t % chunk.stride
                chunk.rows = None if rows is None else rows[t // chunk.stride + 1 :]
                self._advance(chunk)
                checkpoint = _Checkpoint(chunk.z, chunk) if t + chunk.steps < steps else checkpoint
                t += chunk.steps
                size = max(1, int(size * min(4.0, max(0.25, CHUNK_SECONDS / (time.perf_counter() - began + 1e-9)))))
                if progress is not None:
                    progress(t, steps)
        except KeyboardInterrupt:
            interrupted = True
        if chunk.pool is not None:
            chunk.pool.shutdown()  # other threads are done with the arrays before they are restored
        if interrupted:
            checkpoint.restore(chunk)
        return self._finish(chunk, rows, t, steps, counters, interrupted)

    def _chunk(
        self, z: Array, counters: Sequence[float], stride: int | None, bound: float, ceiling: float, threads: int | None
    ) -> Chunk:
        z = self._copy(z)
        if threads is not None and (not isinstance(threads, int) or threads < 1):
            raise ParameterError(f"threads={threads!r}", "a whole number >= 1", "threads=None for all cores")
        workers = threads or (available_threads() if len(z) > 1 else 1)
        threaded = self.threaded and workers > 1 and len(z) >= 2 * GRAIN
        pool = concurrent.futures.ThreadPoolExecutor(workers) if threaded else None
        top = min(float(ceiling), HUGE)
        alive, done = self._flags(z, top)
        limit = min(float(bound), top)
        return Chunk(z, alive, done, list(counters), limit, top, stride or (1 << 62), pool, workers)

    def _first_chunk(self, members: int) -> int:
        """Steps that take about `CHUNK_SECONDS`, by a rough price for each instruction: Ctrl-C is heard in between."""
        work = max(1, members) * max(1, len(self.program.varying)) * self.price
        return max(1, int(CHUNK_SECONDS / work))

    def _finish(
        self, chunk: Chunk, rows: Array | None, t: int, steps: int, counters: Sequence[float], interrupted: bool
    ) -> Run:
        calls = t
        if not interrupted and not bool(chunk.alive.any()):
            calls = min(steps, int(chunk.done.max()) + 1) if len(chunk.z) else 0
            chunk.counters = self.program.count(counters, calls)
        if rows is not None and interrupted:
            rows = rows[: t // chunk.stride + 1]
        elif rows is not None:
            rows[t // chunk.stride + 1 :] = chunk.z[:, : self.program.dim]
        times = np.arange(len(rows)) * chunk.stride if rows is not None else np.array([t if interrupted else steps])
        return Run(chunk.z, rows, times, chunk.done, chunk.alive, chunk.counters, calls, interrupted)

    # --- arrays: NumPy's by default --------------------------------------------------------------------------------

    def _array(self, z: Array) -> Array:
        return np.asarray(z, dtype=float)

    def _copy(self, z: Array) -> Array:
        return np.array(z, dtype=float, order="C")

    def _flags(self, z: Array, ceiling: float) -> tuple[Array, Array]:
        """Who is alive at the start, and steps done."""
        if len(z) > FEW and z.max() <= ceiling and z.min() >= -ceiling:
            alive = np.ones(len(z), dtype=np.bool_)
        else:
            alive = (np.abs(z) <= ceiling).all(-1)
        return alive, np.zeros(len(z), dtype=np.int64)

    def _rows(self, z: Array, count: int) -> Array:
        rows = np.empty((count, len(z), self.program.dim))
        rows[0] = z[:, : self.program.dim]
        return rows

    def __str__(self) -> str:
        return self.source

    def __repr__(self) -> str:
        return f"<{self.backend} kernel of {self.title}>"


class _Checkpoint:
    """The arrays of a run at the end of its last whole chunk."""

    def __init__(self, z: Array, chunk: Chunk) -> None:
        self.counters = list(chunk.counters)
        self.alive, self.done, self.z = True, 0, z  # as they are before the first chunk, when z is the caller's
        if z is chunk.z:
            copies = (a.clone() if hasattr(a, "clone") else a.copy() for a in (chunk.alive, chunk.done, z))
            self.alive, self.done, self.z = copies

    def restore(self, chunk: Chunk) -> None:
        chunk.z[...] = self.z
        chunk.alive[...] = self.alive
        chunk.done[...] = self.done
        chunk.counters = self.counters


def available_threads() -> int:
    """The number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def usual_backend() -> str:
    """What "auto" means for arrays: "c" where a compiler is found, else "numpy"."""
    return "c" if compiling.compiler() is not None else "numpy"


def build(
    update_map: Any,
    backend: str = "auto",
    data: Sequence[object] = (),
    columns: Sequence[object] = (),
    **options: object,
) -> Kernel:
    """The kernel of an update map.

    Args:
        update_map: what `gd.update_map` returned; every parameter has a value.
        backend: "c", "numpy", "torch", "numba", "javascript"; "auto" is "c" where a compiler is found, else "numpy".
        data, columns: as in `program`.
        options: for "c" and "numpy": `strict=True`, IEEE arithmetic operation by operation, in single steps.

    Raises:
        UnknownNameError: for another backend. MissingDependencyError: if it needs what is not installed.
        ParameterError: if a parameter of the map has no value.

    Example:
        >>> import gandyn as gd
        >>> kernel = gd.update_map(gd.games.bilinear(), gd.rules.GDA(0.5)).kernel("numpy")
        >>> kernel([[1.0, 0.0], [0.0, 2.0]], steps=2).tolist()
        [[0.75, 1.0], [-2.0, 1.5]]
    """
    if update_map.draws is not None:
        raise DomainError(f"a kernel of {update_map.rule!r} with noise", "a run", "gd.iterate(..., noise=...)")
    kernel: Kernel = kernel_class(backend)(
        f"{update_map.rule!r} on {update_map.game.name}", program(update_map, data, columns), **options
    )
    return kernel


def kernel_class(backend: str) -> Any:
    """A backend's class of kernels, made from a title and a program. Raises UnknownNameError for another name."""
    backend = usual_backend() if backend == "auto" else backend
    if backend not in BACKENDS:
        raise UnknownNameError.among("kernel backend", backend, ["auto", *BACKENDS])
    module, name = BACKENDS[backend]
    return getattr(importlib.import_module(f".{module}", __package__), name)
