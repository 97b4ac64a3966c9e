"""What curvature does to the mean of a noisy rule: the second-order part of a step, and where it moves the law."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from ...dynamics.trace import UpdateMap
from ...errors import NotDifferentiableError
from ...lazy import sympy
from ...types import Array
from .random_map import RandomMap


@dataclasses.dataclass(frozen=True)
class Bend:
    """The second-order part of a step at an equilibrium: (1/2) left D^2F[y, y], y = inner (1, z - z*, xi).

    Its mean is the next order of the mean of the law: with second moments P of z - z* it adds
    h = E[(1/2) left D^2F[inner E[(1, z - z*, xi)(1, z - z*, xi)^T] inner^T]] to E[c]. For gradient steps the law's mean
    b then solves J b = -(1/2) D^2v[P].
    """

    program: UpdateMap  # the traced step, its coordinates being y
    point: list[sympy.Expr]  # y at the equilibrium
    left: sympy.Matrix  # (D, outputs of the program)
    inner: sympy.Matrix = None  # (y, 1 + D + noises); None for y = (z - z*, xi)

    @functools.cached_property
    def forms(self) -> sympy.Matrix:
        """The (1/2) left D^2F of y, one row (y * y) for each coordinate of z. Raises NotDifferentiableError."""
        values = dict(zip(self.program.symbols, self.point, strict=True))
        size = len(values)
        first = {s: sympy.eye(size)[k, :] for k, s in enumerate(values)}
        second: dict[sympy.Expr, sympy.Matrix] = {}

        def push(e: sympy.Expr) -> tuple[sympy.Expr, sympy.Matrix, sympy.Matrix]:
            e = self.program._at_infinity(e)
            slope, form = sympy.zeros(1, size), sympy.zeros(size, size)
            moving = sorted(e.free_symbols & first.keys(), key=str)
            for s in moving:
                along = e.diff(s)
                slope += along.xreplace(values) * first[s]
                form += along.xreplace(values) * second.get(s, sympy.zeros(size, size))
                for t in moving:
                    bend = along.diff(t).xreplace(values)
                    if bend != 0:
                        form += bend / 2 * first[s].T * first[t]
            if form.has(sympy.nan, sympy.zoo, sympy.oo, sympy.Derivative, sympy.Subs):
                raise NotDifferentiableError(f"no second derivative of {e}", "a smooth step", "simulate it")
            return e.xreplace(values), slope, form

        for name, e in self.program.bindings:
            values[name], first[name], second[name] = push(e)
        rows = [push(e)[2].reshape(1, size**2) for e in self.program.outputs]
        return sympy.ImmutableMatrix(self.left * sympy.Matrix.vstack(*rows))

    def added(self, step: RandomMap, mean: Array, second: Array) -> Array:
        """What curvature adds to E[c], (D,), from E[z - z*] and E[(z - z*)(z - z*)^T] in floats."""
        noise, size = np.array(step.covariance.tolist(), dtype=float), len(mean) + 1
        if not self.forms.cols or not self.forms.rows:  # a corner: nothing moves
            return np.zeros(size - 1)
        moments = np.zeros((size + len(noise),) * 2)
        moments[:size, :size] = np.block([[np.ones((1, 1)), mean[None]], [mean[:, None], second]])
        moments[size:, size:] = noise.reshape(len(noise), len(noise))
        inner = self._inner(len(moments))
        flat = step.evaluated([*self.forms, *inner])
        forms, maps = np.split(flat, [len(self.forms)], axis=1)
        maps = maps.reshape(len(flat), *inner.shape)
        reached = np.einsum("nia,ab,njb->nij", maps, moments, maps, optimize=True).reshape(len(flat), -1)
        return np.asarray(np.einsum("ndk,nk->d", forms.reshape(len(flat), size - 1, -1), reached) / len(flat))

    def exactly(self, step: RandomMap, mean: sympy.Matrix, second: sympy.Matrix) -> sympy.Matrix:
        """What curvature adds to E[c], a SymPy column (D, 1), from exact E[z - z*] and E[(z - z*)(z - z*)^T]."""
        start = sympy.Matrix([[sympy.Matrix([[1]]), mean.T], [mean, second]])
        moments = sympy.diag(start, step.covariance) if step.covariance else start
        inner = self._inner(moments.rows)
        reached = (inner * moments * inner.T).reshape(len(self.program.symbols) ** 2, 1)
        return step.expected(sympy.ImmutableMatrix(self.forms * reached))

    def _inner(self, size: int) -> sympy.Matrix:
        return sympy.eye(size)[1:, :] if self.inner is None else self.inner
