"""The map as NumPy calls on blocks of members that fit in cache, every result written into a buffer that is free.

Used where there is no compiler. A buffer holds one value of every member of a block; when nothing reads a value any
more its buffer is used again, so a step allocates nothing. A linear map takes many steps at once (powers.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..symbolic.backends import NUMPY, numpy_namespace
from ..symbolic.lowering import BOOLEAN, Instruction, Operand
from ..types import Array
from .kernels import Chunk, Kernel
from .powers import LONGEST, SHORTEST, Powers, is_affine
from .program import Program

BLOCK_BYTES, LARGEST_BLOCK = 1 << 18, 8192
WINDOW = 32
NAMES = {
    "sub": "subtract", "mul": "multiply", "div": "divide", "neg": "negative", "lt": "less", "le": "less_equal",
    "gt": "greater", "ge": "greater_equal", "eq": "equal", "ne": "not_equal", "pow": "power", "max": "maximum",
    "min": "minimum", "atan": "arctan",
}  # fmt: skip
# Written out, the logistic function runs several times faster than its single call; without_sign is 1 / (1 + exp(x)).
LOGISTIC = ("add({out}, {one}, {out})", "divide({one}, {out}, {out})")
COMPOUND = {
    "sigmoid": ("negative({0}, {out})", "exp({out}, {out})", *LOGISTIC),
    "without_sign": ("exp({0}, {out})", *LOGISTIC),
    "softplus": ("logaddexp({0}, {zero}, {out})",),
    "where": ("copyto({out}, {2})", "copyto({out}, {1}, where={0})"),
}


class NumpyKernel(Kernel):
    """Blocks of members, each taken through a window of steps while it stays in cache; if `strict`, one by one."""

    backend = "numpy"

    def __init__(self, title: str, program: Program, strict: bool = False) -> None:
        super().__init__(title, program)
        generator = _Generator(program)
        self.source, self.floats, self.booleans = generator.source, generator.floats, generator.booleans
        namespace = vars(np) | numpy_namespace()
        exec(compile(self.source, "<numpy kernel>", "exec"), namespace)  # noqa: S102 - source is made here
        self._steps: Callable[..., Any] = namespace["steps"]
        self.affine = not strict and is_affine(program)
        self.whole = LONGEST if self.affine else 1
        self.block = max(256, min(LARGEST_BLOCK, BLOCK_BYTES // (8 * max(1, self.floats))))

    def _advance(self, chunk: Chunk) -> None:
        with np.errstate(all="ignore"):
            powers = self._powers(chunk.counters) if self.affine and chunk.steps >= SHORTEST else None
            for first in range(0, len(chunk.z), self.block):
                counters = _Block(self, chunk, slice(first, min(first + self.block, len(chunk.z))), powers).run()
        chunk.counters = counters

    def _powers(self, counters: list[float]) -> Powers | None:
        """Powers of the map, if it is linear."""

        def step(columns: Array) -> list[Array]:
            floats = [*columns.copy(), *np.empty((self.floats - len(columns), columns.shape[1]))]
            booleans = list(np.empty((self.booleans, columns.shape[1]), dtype=bool))
            return list(self._steps(1, floats, booleans, counters)[0])

        found = Powers(self.program, step)
        return found if found.linear else None


class _Block:
    """Some members with their buffers."""

    def __init__(self, kernel: NumpyKernel, chunk: Chunk, members: slice, powers: Powers | None) -> None:
        self.kernel, self.chunk, self.members = kernel, chunk, members
        self.alive, self.done = chunk.alive[members], chunk.done[members]
        n = len(self.alive)
        self.floats = list(np.empty((kernel.floats, n)))
        self.booleans = list(np.empty((kernel.booleans, n), dtype=bool))
        size = kernel.program.size
        for k in range(size):
            self.floats[k][:] = chunk.z[members, k]
        self.powers = powers

    def run(self) -> list[float]:
        """Run every step of the chunk, and return the counters as they are after the last one."""
        chunk, t, counters = self.chunk, 0, list(self.chunk.counters)
        window = (LONGEST if self.powers else WINDOW) if self.kernel.program.absorbing and chunk.trusted else 1
        while t < chunk.steps:
            steps = min(window, chunk.steps - t)
            counters = self._window(t, steps, counters)
            t += steps
        for k in range(self.kernel.program.size):
            chunk.z[self.members, k] = self.floats[k]
        return counters

    def _window(self, t: int, steps: int, counters: list[float]) -> list[float]:
        size = self.kernel.program.size
        if steps > 1 and not self._trusted():
            return self._step_by_step(t, steps, counters)
        keep = [column.copy() for column in self.floats[:size]]
        after = self._go(t, steps, counters)
        if steps > 1 and not self._trusted():
            for column, kept in zip(self.floats, keep, strict=False):
                column[:] = kept
            return self._step_by_step(t, steps, counters)
        good = self._within(self.chunk.limit, self.chunk.ceiling)
        frozen = ~(good & self.alive)
        if frozen.any():
            for column, kept in zip(self.floats, keep, strict=False):
                np.copyto(column, kept, where=frozen)
            for s in range(steps):  # the rows of members that stand still
                self._row(t + s, frozen)
        self.alive &= good
        self.done += steps * self.alive
        return after

    def _step_by_step(self, t: int, steps: int, counters: list[float]) -> list[float]:
        piece = WINDOW if steps > WINDOW else 1
        for s in range(0, steps, piece):
            counters = self._window(t + s, min(piece, steps - s), counters)
        return counters

    def _go(self, t: int, steps: int, counters: list[float]) -> list[float]:
        """Apply the map for some steps, writing rows where they are due."""
        chunk, s = self.chunk, 0
        while s < steps:
            stretch = steps - s
            if chunk.rows is not None:
                stretch = min(stretch, chunk.stride - (chunk.phase + t + s) % chunk.stride)
            if self.powers is not None and stretch >= SHORTEST:
                size = self.kernel.program.size
                self.floats[:size] = self.powers.jump(stretch, self.floats[:size])
            else:
                self.floats, counters = self.kernel._steps(stretch, self.floats, self.booleans, counters)
            s += stretch
            self._row(t + s - 1, slice(None))
        return counters

    def _row(self, step: int, where: Any) -> None:
        """Write the row that is due after step number `step` of the chunk, if one is."""
        chunk = self.chunk
        passed = chunk.phase + step + 1
        if chunk.rows is None or passed % chunk.stride:
            return
        row = chunk.rows[passed // chunk.stride - chunk.phase // chunk.stride - 1][self.members]
        for k in range(self.kernel.program.dim):
            row[where, k] = self.floats[k][where]

    def _trusted(self) -> bool:
        """Whether every living member is far from overflow."""
        trusted = self.chunk.trusted
        return bool(self._within(trusted, trusted)[self.alive].all())

    def _within(self, limit: float, ceiling: float) -> Array:
        program = self.kernel.program
        good = np.abs(self.floats[0]) <= limit
        for k in range(1, program.size):
            good &= np.abs(self.floats[k]) <= (limit if k < program.dim else ceiling)
        return good


class _Generator:
    """Python source for `steps(count, floats, booleans, counters)`; buffers are local names, renamed as they move."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.lines: list[str] = []
        self.place = {name: f"f{k}" for k, name in enumerate(program.inputs)}
        self.free: dict[bool, list[str]] = {True: [], False: []}
        self.floats, self.booleans = len(program.inputs), 0
        self.used: dict[str, None] = {}
        self.constants: dict[str, str] = {}
        lines = _logistic_without_signs(program)
        last = {arg: i for i, line in enumerate(lines) for arg in line.args if isinstance(arg, str)}
        last.update(dict.fromkeys((o for o in program.outputs if isinstance(o, str)), len(lines)))
        for name in program.inputs:
            if name not in last:
                self.free[False].append(self.place[name])
        for i, line in enumerate(lines):
            self._instruction(line, [a for a in set(line.args) if a in self.place and last[a] == i])
        self.source = self._assemble(self._collect())

    def _buffer(self, boolean: bool) -> str:
        if self.free[boolean]:
            return self.free[boolean].pop()
        if boolean:
            self.booleans += 1
            return f"b{self.booleans - 1}"
        self.floats += 1
        return f"f{self.floats - 1}"

    def _operand(self, operand: Operand) -> str:
        return self.place.get(operand, operand) if isinstance(operand, str) else self._constant(operand)

    def _constant(self, value: float) -> str:
        """A name for a number, as an array without axes: a ufunc takes that faster than a Python float."""
        return self.constants.setdefault(NUMPY.operand(value), f"k{len(self.constants)}")

    def _instruction(self, line: Instruction, dying: list[object]) -> None:
        args = [self._operand(a) for a in line.args]
        boolean = line.op in BOOLEAN
        early = line.op != "where"  # the others may write over what they read
        if early:
            self._release(dying)
        out = self._buffer(boolean)
        name = NAMES.get(line.op, line.op)
        target = "out={out}" if name in {"maximum", "minimum"} else "{out}"
        templates = COMPOUND.get(line.op, (f"{name}({', '.join(args)}, {target})",))
        values = {"one": 1.0, "zero": 0.0}
        named = {key: self._constant(v) for key, v in values.items() if any(f"{{{key}}}" in t for t in templates)}
        calls = [template.format(*args, out=out, **named) for template in templates]
        self.used.update(dict.fromkeys(call.split("(")[0] for call in calls))
        self.lines += calls
        if not early:
            self._release(dying)
        self.place[line.name] = out

    def _release(self, names: list[Any]) -> None:
        for name in names:
            buffer = self.place[name]
            self.free[buffer.startswith("b")].append(buffer)

    def _collect(self) -> list[str]:
        """Where each output lies: constants, shared results and unchanged inputs get buffers of their own."""
        taken: list[str] = []
        for output in self.program.outputs:
            value = self._operand(output)
            if not (isinstance(output, str) and output in self.place) or value in taken:
                buffer = self._fresh(taken)
                self.lines.append(f"{buffer}[...] = {value}")
                value = buffer
            taken.append(value)
        return taken

    def _fresh(self, taken: list[str]) -> str:
        used = {self.place[o] for o in self.program.outputs if isinstance(o, str) and o in self.place} | set(taken)
        spare = [f"f{k}" for k in range(self.floats) if f"f{k}" not in used]
        if spare:
            return spare[0]
        self.floats += 1
        return f"f{self.floats - 1}"

    def _assemble(self, outputs: list[str]) -> str:
        names = [f"f{k}" for k in range(self.floats)]
        moved = [*outputs, *(name for name in names if name not in outputs)]
        counters = ", ".join(self.program.counters)
        uniform = NUMPY.lines(self.program.line(self.program.uniform))
        after = [NUMPY.operand(o) for o in self.program.counter_outputs]
        swap = [f"{', '.join(names)}, = {', '.join(moved)},"] if moved != names else []
        count = [f"{counters}, = {', '.join(after)},"] if counters else []
        flags = ", ".join(f"b{k}" for k in range(self.booleans))
        return "\n".join([
            f"def steps(count, floats, booleans, counters, {', '.join(f'{name}={name}' for name in self.used)}):",
            *(f"    {name} = array({value})" for value, name in self.constants.items()),
            f"    {', '.join(names)}, = floats",
            *([f"    {flags}, = booleans"] if flags else []),
            *([f"    {counters}, = map(np.float64, counters)"] if counters else []),
            "    for _ in range(count):",
            *(f"        {line}" for line in (*uniform, *self.lines, *swap, *count)),
            f"    return [{', '.join(names)}], [{counters}]",
            "",
        ])  # fmt: skip


def _logistic_without_signs(program: Program) -> list[Instruction]:
    """The varying instructions, 1 / (1 + exp(-(-x))) losing both signs, and negations that nothing else reads."""
    signs = {line.name: line.args for line in program.varying if line.op == "neg"}
    lines = [
        Instruction(line.name, "without_sign", signs[line.args[0]])
        if line.op == "sigmoid" and line.args[0] in signs
        else line
        for line in program.varying
    ]
    read = {arg for line in lines for arg in line.args} | set(program.outputs)
    return [line for line in lines if line.name in read]
