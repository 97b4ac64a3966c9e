"""A traced map as a program that backends print: what runs once a step, what runs once a member, what overflow does."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from ..errors import DomainError, ParameterError
from ..lazy import sympy
from ..oracles.symbolic_draws import SymbolicDraws
from ..symbolic.backends import NUMPY, numpy_namespace
from ..symbolic.function import compile_python
from ..symbolic.lowering import Instruction, Operand, StraightLine, lower

# Operations that are never finite when this operand is not: inf * 0 and inf - inf are NaN, and NaN stays.
KEEPS_NONFINITE = {
    "add": (0, 1), "sub": (0, 1), "mul": (0, 1), "div": (0,), "neg": (0,), "abs": (0,), "sqrt": (0,),
    "log": (0,), "sin": (0,), "cos": (0,), "tan": (0,), "sinh": (0,), "cosh": (0,),
}  # fmt: skip
ARITHMETIC = frozenset({"add", "sub", "mul", "div"})
STRUCTURAL = frozenset({*map(float, range(-16, 17)), 0.5, -0.5, 0.25, -0.25})
STEP_COUNT = "steps_done"
KEEPS_IF_BOTH = {"max": (0, 1), "min": (0, 1), "where": (1, 2)}


@dataclasses.dataclass(frozen=True)
class Program:
    """z+ = F(z; counters), lowered.

    Attributes:
        inputs: names of the coordinates of z. counters: names of the rule's step counts.
        uniform: instructions that depend on the counts alone: once a step for the whole ensemble.
        varying: the others: once a step for every member.
        outputs: z+ as operands. counter_outputs: the next counts.
        dim: how many leading coordinates are the game's.
        absorbing: whether a z that is not finite can never become finite again. Then looking at the end of a window
            of steps finds every overflow inside it.
        draws: names of the coordinates of each random vector of a step: independent, of mean 0 and variance 1.
        law: of those coordinates.
    """

    inputs: tuple[str, ...]
    counters: tuple[str, ...]
    uniform: tuple[Instruction, ...]
    varying: tuple[Instruction, ...]
    outputs: tuple[Operand, ...]
    counter_outputs: tuple[Operand, ...]
    dim: int
    absorbing: bool
    draws: tuple[tuple[str, ...], ...] = ()
    law: str = ""

    @property
    def size(self) -> int:
        """The length of z, the joint vector with the rule's state behind it."""
        return len(self.inputs)

    def line(self, instructions: tuple[Instruction, ...], outputs: tuple[Operand, ...] = ()) -> StraightLine:
        """Some of the instructions as straight-line code, for a backend's printer."""
        return StraightLine((*self.inputs, *self.counters), instructions, outputs)

    def with_constants(self) -> tuple[Program, tuple[float, ...]]:
        """The program with names for the numbers that sums and products hold, as counts that stay, and the numbers.

        Games that differ in such numbers alone then have the same code. Small whole numbers and halves stay.
        """
        names: dict[float, str] = {}

        def name(operand: Operand) -> Operand:
            if isinstance(operand, str) or operand in STRUCTURAL or not math.isfinite(operand):
                return operand
            return names.setdefault(operand, f"v{len(names)}")

        def renamed(lines: tuple[Instruction, ...]) -> tuple[Instruction, ...]:
            return tuple(
                dataclasses.replace(line, args=tuple(map(name, line.args))) if line.op in ARITHMETIC else line
                for line in lines
            )

        uniform, varying = renamed(self.uniform), renamed(self.varying)
        kept = tuple(names.values())
        counters, outputs = (*self.counters, *kept), (*self.counter_outputs, *kept)
        named = dataclasses.replace(self, uniform=uniform, varying=varying, counters=counters, counter_outputs=outputs)
        return named, tuple(names)

    def count(self, counters: Sequence[float], steps: int) -> list[float]:
        """The counts after some steps."""
        code = dataclasses.replace(self.line(self.uniform), inputs=self.counters, outputs=self.counter_outputs)
        advance = compile_python(code, NUMPY, numpy_namespace())
        for _ in range(steps if counters else 0):
            counters = advance(*counters)
        return list(counters)


def program(update_map: Any, data: Sequence[sympy.Symbol] = (), columns: Sequence[sympy.Symbol] = ()) -> Program:
    """Lower an `UpdateMap`. Data are counts that stay as they are, columns coordinates of z that do.

    Args:
        data: symbols of numbers that all members share, behind the counts of the rule.
        columns: symbols of numbers of which each member has its own, behind its state.

    Raises:
        ParameterError: if a parameter of the map has no value.
        DomainError: if it uses a function that no backend knows.
    """
    free = [s for s in update_map.parameters if s not in {*data, *columns}]
    if free:
        names = ", ".join(map(str, free))
        raise ParameterError(
            f"a kernel of a map in which {names} has no value",
            "a number for every parameter",
            f"build the rule or game with {free[0]}=...",
        )
    drawn = () if update_map.draws is None else _vectors(update_map.draws)
    symbols = (*update_map.symbols, *columns, *update_map.counters, *data, *(s for vector in drawn for s in vector))
    results = (*update_map.outputs, *columns, *update_map.counter_outputs, *data)
    code = lower(symbols, results, update_map.bindings)
    size = len(update_map.symbols) + len(columns)
    count = size + len(update_map.counters) + len(data)
    inputs, counters = code.inputs[:size], code.inputs[size:count]
    units = iter(code.inputs[count:])
    draws = tuple(tuple(next(units) for _ in vector) for vector in drawn)
    counter_outputs = code.outputs[size:]
    varies = _varying(code, {*inputs, *code.inputs[count:]}, counter_outputs)
    uniform = tuple(line for line in code.instructions if line.name not in varies)
    if draws:  # the step's number, by which its keys are found, is the last count
        uniform = (*uniform, Instruction("next_step", "add", (STEP_COUNT, 1.0)))
        counters, counter_outputs = (*counters, STEP_COUNT), (*counter_outputs, "next_step")
    return Program(
        inputs,
        counters,
        uniform,
        tuple(line for line in code.instructions if line.name in varies),
        code.outputs[:size],
        counter_outputs,
        update_map.game.dim,
        _absorbing(code, inputs),
        draws,
        update_map.game.noise.law if draws else "",
    )


def _varying(code: StraightLine, own: set[Operand], counts: Sequence[Operand]) -> set[Operand]:
    """The names of what differs between members: `own`, and what is computed from it; a step count may not."""
    varies = {*own}
    for line in code.instructions:
        if varies.intersection(line.args):
            varies.add(line.name)
    if varies.intersection(counts):
        raise DomainError(
            "a step count that depends on the point", "counts that depend on counts alone", "use a state array"
        )
    return varies


def _vectors(draws: SymbolicDraws) -> list[tuple[sympy.Symbol, ...]]:
    """The random vectors of a step. Raises DomainError where a step draws anything else."""
    if draws.choices:
        raise DomainError("a kernel of a step that draws rows or coins", "draws of noise alone", 'kernel="eager"')
    return [shift.symbols for shift in draws.shifts]


def _absorbing(code: StraightLine, coordinates: tuple[str, ...]) -> bool:
    """Every coordinate of z, once not finite, makes some coordinate of the next z not finite."""
    sources: dict[Operand, frozenset[str]] = {name: frozenset((name,)) for name in coordinates}
    nothing: frozenset[str] = frozenset()
    for line in code.instructions:
        of = [sources.get(arg, nothing) for arg in line.args]
        if line.op in KEEPS_NONFINITE:
            sources[line.name] = nothing.union(*(of[k] for k in KEEPS_NONFINITE[line.op]))
        elif line.op in KEEPS_IF_BOTH:
            first, second = KEEPS_IF_BOTH[line.op]
            sources[line.name] = of[first] & of[second]
        if line.op == "max":  # a running maximum of finite numbers is never -inf, and +inf and NaN stay in it
            kept = (name for name, output in zip(coordinates, code.outputs, strict=False) if output == line.name)
            sources[line.name] |= frozenset(kept) & frozenset(line.args)
    reached = nothing.union(*(sources.get(output, nothing) for output in code.outputs[: len(coordinates)]))
    return reached >= set(coordinates)
