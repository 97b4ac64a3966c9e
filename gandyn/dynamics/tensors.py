"""The map as torch operations on columns, on the device and in the precision of the tensors that come in."""

from __future__ import annotations

import torch

from ..symbolic.backends import TORCH, torch_namespace
from ..symbolic.function import compile_python
from ..types import Array
from .kernels import Chunk, Kernel
from .program import Program


class TorchKernel(Kernel):
    """Whole ensembles at once. Nothing is read back from the device inside a chunk of steps."""

    backend = "torch"
    price = 2e-9

    def __init__(self, title: str, program: Program) -> None:
        super().__init__(title, program)
        code = program.line((*program.uniform, *program.varying), (*program.outputs, *program.counter_outputs))
        self._step = compile_python(code, TORCH, dict(torch_namespace()))
        self.source = "\n".join([*TORCH.lines(code), f"return [{', '.join(map(TORCH.operand, code.outputs))}]"])

    @torch.no_grad()
    def _advance(self, chunk: Chunk) -> None:
        size, width = self.program.size, self.program.dim
        largest = torch.finfo(chunk.z.dtype).max
        limits = [min(chunk.limit, largest)] * width + [min(chunk.ceiling, largest)] * (size - width)
        columns, alive, counters = chunk.z.unbind(-1), chunk.alive, chunk.counters
        for step in range(1, chunk.steps + 1):
            values = self._step(*columns, *counters)
            proposed, counters = [_column(v, columns[0]) for v in values[:size]], values[size:]
            for value, limit in zip(proposed, limits, strict=True):
                alive = alive & (value.abs() <= limit)
            columns = [torch.where(alive, new, old) for new, old in zip(proposed, columns, strict=True)]
            chunk.done += alive
            passed = chunk.phase + step
            if chunk.rows is not None and passed % chunk.stride == 0:
                row = chunk.rows[passed // chunk.stride - chunk.phase // chunk.stride - 1]
                torch.stack(columns[:width], -1, out=row)
        chunk.z.copy_(torch.stack(list(columns), -1))
        chunk.alive.copy_(alive)
        chunk.counters = counters

    # --- arrays: tensors -------------------------------------------------------------------------------------------

    def _array(self, z: Array) -> Array:
        return torch.as_tensor(z)

    def _copy(self, z: Array) -> Array:
        return z.detach().clone().contiguous()

    def _flags(self, z: Array, ceiling: float) -> tuple[Array, Array]:
        return (z.abs() <= ceiling).all(-1), z.new_zeros(len(z), dtype=torch.int64)

    def _rows(self, z: torch.Tensor, count: int) -> torch.Tensor:
        rows = z.new_empty((count, len(z), self.program.dim))
        rows[0] = z[:, : self.program.dim]
        return rows


def _column(value: torch.Tensor, like: Array) -> Array:
    return value if isinstance(value, torch.Tensor) else torch.full_like(like, value)
