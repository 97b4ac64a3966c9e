"""A vector-valued function of vectors, given by expressions, that evaluates in the world of its arguments."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sympy

from ..lazy import torch
from ..worlds import NUMPY, SYMBOLS, TORCH, Array, exact, object_vector, world_of
from . import backends
from .lowering import StraightLine, lower
from .members import ensemble_shape, members_in


class SymbolicFunction:
    """A function from vectors to the vector of `outputs`: by NumPy or torch on arrays, by substitution on symbols.

    Args:
        inputs: for each argument, its symbols: an argument has shape (..., len(symbols)).
        outputs: expressions in those symbols; the result has shape (..., len(outputs)). A symbol that carries one value
            for each member of an ensemble (`members`) needs no argument.
    """

    def __init__(self, inputs: Sequence[Sequence[sympy.Symbol]], outputs: Sequence[object]) -> None:
        self.inputs = tuple(tuple(block) for block in inputs)
        self.outputs = tuple(sympy.sympify(e, strict=True) for e in outputs)
        self._flat = tuple(s for block in self.inputs for s in block)
        given = set(self._flat)
        self._members = tuple(s for s in members_in(self.outputs) if s not in given)

    @functools.cached_property
    def code(self) -> StraightLine:
        """The function as a program in straight lines."""
        return lower((*self._flat, *self._members), self.outputs)

    @functools.cached_property
    def _numpy(self) -> Callable[..., list[Array]]:
        return compile_python(self.code, backends.NUMPY, backends.numpy_namespace())

    @functools.cached_property
    def _torch(self) -> Callable[..., list[Array]]:
        return compile_python(self.code, backends.TORCH, dict(backends.torch_namespace()))

    def __call__(self, *arrays: Array) -> Array:
        """The outputs at the arguments, in their world."""
        world = world_of(arrays[0])
        if world == SYMBOLS:
            return self._substitute(arrays)
        columns = [a[..., k] for a, block in zip(arrays, self.inputs, strict=True) for k in range(len(block))]
        columns += [s.like(arrays[0]) for s in self._members]
        shape = ensemble_shape(arrays[0].shape[:-1], self._members)
        if world == TORCH:
            values = [
                v.expand(shape) if isinstance(v, torch.Tensor) else arrays[0].new_full(shape, v)
                for v in self._torch(*columns)
            ]
            return torch.stack(values, -1)
        if world == NUMPY:
            with np.errstate(all="ignore"):  # an overflow is data: `iterate` reports it as a diverged member
                values = self._numpy(*columns)
            result = np.empty((*shape, len(self.outputs)))
            for k, value in enumerate(values):
                result[..., k] = value
            return result
        raise TypeError(f"no evaluation of symbols on {type(arrays[0]).__name__}")

    def _substitute(self, arrays: Sequence[Array]) -> Array:
        values = [exact(value) for a in arrays for value in np.asarray(a, dtype=object).ravel()]
        replacement = {s: value for s, value in zip(self._flat, values, strict=True) if s is not value}
        if not replacement:  # a trace asks for the field at the game's own symbols
            return object_vector(self.outputs)
        return object_vector(e.xreplace(replacement) for e in self.outputs)


def compile_python(
    code: StraightLine, backend: backends.Backend, namespace: dict[str, Any]
) -> Callable[..., list[Array]]:
    """Straight-line code as a Python function: from one array for each input to a list of arrays, the outputs.

    `backend` says how operations are written, and `namespace` holds the functions that they call.
    """
    body = [*backend.lines(code), f"return [{', '.join(map(backend.operand, code.outputs))}]"]
    source = f"def function({', '.join(code.inputs)}):\n    " + "\n    ".join(body) + "\n"
    exec(compile(source, f"<{backend.name} code>", "exec"), namespace)  # noqa: S102 - source is made above
    function: Callable[..., list[Array]] = namespace["function"]
    return function
