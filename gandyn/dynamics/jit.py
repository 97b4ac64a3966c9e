"""The map as a numba function: one member after another, members shared out over threads."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import MissingDependencyError
from ..symbolic.backends import NUMBA
from .kernels import Chunk, Kernel
from .program import Program

HELPERS = """
import math
import numba

@numba.njit(inline="always", error_model="numpy")
def sigmoid(x):
    return 1.0 / (1.0 + math.exp(-x))

@numba.njit(inline="always", error_model="numpy")
def softplus(x):
    return maximum(x, 0.0) + math.log1p(math.exp(-abs(x)))

@numba.njit(inline="always", error_model="numpy")
def sign(x):
    return 1.0 if x > 0.0 else -1.0 if x < 0.0 else x

@numba.njit(inline="always", error_model="numpy")
def maximum(a, b):
    return a if a > b or a != a else b

@numba.njit(inline="always", error_model="numpy")
def minimum(a, b):
    return a if a < b or a != a else b
"""


class NumbaKernel(Kernel):
    """Compiled by numba at the first call (seconds)."""

    backend = "numba"
    price = 2e-9

    def __init__(self, title: str, program: Program) -> None:
        super().__init__(title, program)
        try:
            import numba
        except ImportError as error:
            raise MissingDependencyError(
                "the backend 'numba' without numba", "the package numba", "pip install numba, or kernel('c')"
            ) from error
        self._numba = numba
        self.source = _source(program)
        namespace: dict[str, Any] = {}
        exec(compile(self.source, "<numba kernel>", "exec"), namespace)  # noqa: S102 - source is made here
        self._loop = namespace["advance"]

    def _advance(self, chunk: Chunk) -> None:
        rows = np.empty((0, 0, 0)) if chunk.rows is None else chunk.rows
        counters = np.array([*chunk.counters, 0.0])
        self._numba.set_num_threads(min(chunk.threads, self._numba.config.NUMBA_NUM_THREADS))
        chunk.counters = list(
            self._loop(
                chunk.z, chunk.alive, chunk.done, counters, chunk.steps, chunk.limit, chunk.ceiling, rows,
                chunk.stride, chunk.phase, chunk.rows is not None,
            )[:-1]
        )  # fmt: skip


def _source(program: Program) -> str:
    uniform, body = (NUMBA.lines(program.line(part)) for part in (program.uniform, program.varying))
    outputs = [f"o{k} = {NUMBA.operand(o)}" for k, o in enumerate(program.outputs)]
    counts = [f"n{k} = {NUMBA.operand(o)}" for k, o in enumerate(program.counter_outputs)]
    width = range(program.dim)
    good = " and ".join(f"abs(o{k}) <= {'limit' if k in width else 'ceiling'}" for k in range(program.size))
    step = [
        *uniform,
        *body,
        *outputs,
        *counts,
        *(f"c[{k}] = n{k}" for k in range(len(counts))),
        f"ok = ok and {good}",
        "if ok:",
        *(f"    {name} = o{k}" for k, name in enumerate(program.inputs)),
        "    done[i] += 1",
        "if recording and (phase + t) % stride == 0:",
        *(f"    rows[(phase + t) // stride - phase // stride - 1, i, {k}] = {program.inputs[k]}" for k in width),
    ]
    return HELPERS + "\n".join([
        "",
        '@numba.njit(parallel=True, error_model="numpy")',
        "def advance(z, alive, done, counters, steps, limit, ceiling, rows, stride, phase, recording):",
        "    last = counters.copy()",
        "    for i in numba.prange(len(z)):",
        "        c = counters.copy()",
        "        ok = alive[i]",
        *(f"        {name} = z[i, {k}]" for k, name in enumerate(program.inputs)),
        "        for t in range(1, steps + 1):",
        *(f"            {name} = c[{k}]" for k, name in enumerate(program.counters)),
        *(f"            {line}" for line in step),
        *(f"        z[i, {k}] = {name}" for k, name in enumerate(program.inputs)),
        "        alive[i] = ok",
        "        if i == 0:",
        "            last[:] = c",
        "    return last",
        "",
    ])  # fmt: skip
