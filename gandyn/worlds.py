"""The worlds a rule runs in, told apart by the array at hand, and the few functions a rule may use beside + - * /.

A joint vector is a NumPy array of floats, a NumPy object array of SymPy expressions, or a torch tensor; its last axis
is the game's. Every function here takes any of the three and answers in the same world.
"""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from .errors import ParameterError, ShapeError, WorldError
from .lazy import sympy
from .text import parameter

Array = Any
SYMBOLS, NUMPY, TORCH, POINTS = "symbols", "numpy", "torch", "points"
DENSE_SOLVE_LIMIT = 256


def world_of(w: Array) -> str:
    """The world of an array: "symbols", "numpy" or "torch"; anything else that has + - * is a "points" vector."""
    if isinstance(w, np.ndarray):
        return SYMBOLS if w.dtype == object else NUMPY
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(w, torch.Tensor):
        return TORCH
    return POINTS


def object_vector(entries: Iterable[object]) -> Array:
    """Entries of any kind as an object array (n,); `np.array` alone would look into those that have a length."""
    return np.array([*entries, None], dtype=object)[:-1]


def exact(value: Any) -> sympy.Expr:
    """A number as SymPy reads it on paper: a float becomes the decimal that it prints as, so 0.1 is 1/10.

    A text is a formula of free positive parameters: "lr", "1/3", "2*eta" (see `gandyn.text`). An array is a symbol that
    carries its values, one for each member of an ensemble.

    Raises:
        ParameterError: for what is no number, expression or formula.
    """
    if isinstance(value, str):
        return parameter(value)
    if isinstance(value, sympy.Basic):
        return value
    if isinstance(value, (bool, int, np.integer)):
        return sympy.Integer(int(value))
    if isinstance(value, Fraction):
        return sympy.Rational(value.numerator, value.denominator)
    if isinstance(value, np.ndarray) and value.ndim:
        from .symbolic.members import per_member

        return per_member(value)
    if isinstance(value, (complex, np.complexfloating)):
        return exact(value.real) + sympy.I * exact(value.imag)
    try:
        value = float(value)
    except (TypeError, ValueError):
        given = f"{value!r}"[:60]
        raise ParameterError(f"{given} as a number", "a number, a SymPy expression or a text", "0.1 or 'lr'") from None
    return sympy.Rational(repr(value)) if math.isfinite(value) else sympy.Float(value)


def from_list(values: object, among: Collection[str] = (NUMPY,)) -> Array:
    """Nested lists as an array of numbers or symbols, or torch's. Raises ShapeError where rows differ in length."""
    try:
        entries = np.asarray(values)
    except ValueError:
        raise ShapeError("lists of different lengths", "rows of one length", "pad or split them") from None
    if entries.dtype == object or entries.dtype.kind == "U":
        return np.frompyfunc(exact, 1, 1)(np.asarray(values, dtype=object))
    if NUMPY in among or TORCH not in among:
        return entries.astype(float)
    torch = sys.modules["torch"]  # what made the game has loaded it
    return torch.as_tensor(entries, dtype=torch.float64)


def is_symbolic(value: object) -> bool:
    """Whether a parameter is a SymPy expression (numbers of SymPy's own included)."""
    sympy = sys.modules.get("sympy")
    return sympy is not None and isinstance(value, sympy.Basic)


def axes(value: object) -> int:
    """How many axes an array or tensor has, 0 for anything else: a module and a class have no axes, but the name."""
    found = getattr(value, "ndim", 0)
    return found if isinstance(found, int) else 0


def number(value: Any, w: Array) -> Array:
    """The parameter `value` as a factor in the world of `w`: exact beside symbols, a Python number elsewhere.

    One value per member becomes an array with an axis of length one for the coordinates.
    """
    world = world_of(w)
    if type(value) is float and world in (NUMPY, TORCH):
        return value
    if world == SYMBOLS or is_symbolic(w):
        return exact(value)
    if not is_symbolic(value):
        return value
    if value.free_symbols:
        from .symbolic.members import values_of

        values = values_of(value, w)
        if values is not None:
            return values[..., None]
        names = ", ".join(sorted(str(s) for s in value.free_symbols))
        raise ParameterError(
            f"the parameter {value} has no numeric value (free: {names})",
            "a number in every place where numbers are computed",
            "pass a number; symbols stay free in update_map and stability_region of games given by expressions",
        )
    result = complex(value)
    return result.real if result.imag == 0 else result


def _on_symbols(function: Callable[..., Any]) -> Callable[..., Array]:
    def apply(*arrays: Array) -> Array:
        # Exact on each entry: a Python 0.5 beside a symbol would turn the whole expression into a float.
        return np.frompyfunc(lambda *entries: function(*map(exact, entries)), len(arrays), 1)(*arrays)

    return apply


def _elementwise(name: str, symbolic: str, doc: str) -> Callable[[Array], Array]:
    def apply(x: Array) -> Array:
        world = world_of(x)
        if world == TORCH:
            return getattr(sys.modules["torch"], name)(x)
        if world == SYMBOLS or is_symbolic(x):
            function = getattr(sympy, symbolic)
            return function(x) if world != SYMBOLS else _on_symbols(function)(x)
        return getattr(np, name)(x)

    apply.__name__, apply.__doc__ = name, doc
    return apply


sqrt = _elementwise("sqrt", "sqrt", "Elementwise square root.")
exp = _elementwise("exp", "exp", "Elementwise exponential.")
log = _elementwise("log", "log", "Elementwise natural logarithm.")
tanh = _elementwise("tanh", "tanh", "Elementwise hyperbolic tangent.")
absolute = _elementwise("abs", "Abs", "Elementwise absolute value.")
_sign = _elementwise("sign", "sign", "Elementwise sign.")


def sign(x: Array) -> Array:
    """Elementwise sign, 0 at 0 and NaN at NaN, where torch's own says 0."""
    return sys.modules["torch"].where(x.isnan(), x, x.sign()) if world_of(x) == TORCH else _sign(x)


def sigmoid(x: Array) -> Array:
    """Elementwise 1 / (1 + exp(-x)), without overflow."""
    world = world_of(x)
    if world == TORCH:
        return sys.modules["torch"].sigmoid(x)
    if world == SYMBOLS or is_symbolic(x):
        from .symbolic import functions

        return functions.sigmoid(x) if world != SYMBOLS else _on_symbols(functions.sigmoid)(x)
    from scipy.special import expit

    return expit(x)


def softplus(x: Array) -> Array:
    """Elementwise log(1 + exp(x)), without overflow and without the linear cut-off of torch's own."""
    world = world_of(x)
    if world == TORCH:
        return sys.modules["torch"].nn.functional.softplus(x, 1.0, 40.0)  # 40: where log1p rounds away
    if world == SYMBOLS or is_symbolic(x):
        from .symbolic import functions

        return functions.softplus(x) if world != SYMBOLS else _on_symbols(functions.softplus)(x)
    return np.logaddexp(0.0, x)


def maximum(x: Array, y: Array) -> Array:
    """Elementwise maximum; `y` may be a number."""
    return _pairwise("maximum", "Max", x, y)


def minimum(x: Array, y: Array) -> Array:
    """Elementwise minimum; `y` may be a number."""
    return _pairwise("minimum", "Min", x, y)


def _pairwise(name: str, symbolic: str, x: Array, y: Array) -> Array:
    world = world_of(x)
    if world == TORCH:
        torch = sys.modules["torch"]
        return getattr(torch, name)(x, torch.as_tensor(y, dtype=x.dtype, device=x.device))
    if world == SYMBOLS or is_symbolic(x):
        return _on_symbols(getattr(sympy, symbolic))(x, y)
    return getattr(np, name)(x, y)


def clip(x: Array, low: Array, high: Array) -> Array:
    """Elementwise projection onto [low, high]; the bounds are numbers or arrays over the last axis."""
    return minimum(maximum(x, low), high)


def where(condition: Array, x: Array, y: Array) -> Array:
    """Elementwise choice between x and y; `condition` comes from comparing arrays of the same world."""
    if any(world_of(a) == TORCH for a in (condition, x, y)):
        return sys.modules["torch"].where(condition, x, y)
    if any(world_of(a) == SYMBOLS or is_symbolic(a) for a in (condition, x, y)):

        def choose(c: sympy.Basic, a: sympy.Expr, b: sympy.Expr) -> sympy.Expr:
            return sympy.Piecewise((exact(a), c), (exact(b), True))

        return np.frompyfunc(choose, 3, 1)(condition, x, y)
    return np.where(condition, x, y)


def ceiling(x: Array) -> float:
    """What is beyond this has overflowed: the largest number of x's precision, in double a millionth of it (1.7e302).

    Near the end of the range a sum inside a step overflows in one order of its terms and not in another, and whether a
    member goes on would depend on who computes it. Single precision and less have no range to spare.
    """
    return _ceiling(x.dtype)


@functools.cache
def _ceiling(precision: object) -> float:
    library = np if isinstance(precision, np.dtype) else sys.modules["torch"]
    largest = float(library.finfo(precision).max)
    return largest * 2.0**-20 if largest > 1e300 else largest


def positive(x: Array) -> Array:
    """Elementwise x > 0, as what `where` takes."""
    if world_of(x) == SYMBOLS or is_symbolic(x):
        return np.frompyfunc(lambda a: sympy.Gt(a, 0), 1, 1)(x)
    return x > 0


def dot(u: Array, v: Array) -> Array:
    """Inner product over the last axis, which is kept with length one so that the result multiplies vectors."""
    product = u * v
    if world_of(product) == TORCH:
        return product.sum(-1, keepdim=True)
    return product.sum(-1, keepdims=True)


def norm(u: Array) -> Array:
    """Euclidean norm over the last axis, which is kept with length one."""
    return sqrt(dot(u, u))


def mean(u: Array) -> Array:
    """Mean over the last axis, which is kept with length one."""
    total = dot(u, ones_like(u))
    return total * number(exact(1) / u.shape[-1], u) if world_of(u) == SYMBOLS else total / u.shape[-1]


def zeros_like(w: Array) -> Array:
    """Zeros of the shape and in the world of `w`."""
    return _filled_like(w, 0)


def ones_like(w: Array) -> Array:
    """Ones of the shape and in the world of `w`."""
    return _filled_like(w, 1)


def _filled_like(w: Array, value: int) -> Array:
    world = world_of(w)
    if world == TORCH:
        return sys.modules["torch"].full_like(w, value)
    if world == SYMBOLS:
        return np.full(w.shape, exact(value), dtype=object)
    if world == POINTS and value == 0:
        return 0 * w
    return np.full_like(w, value)


def full(value: object, size: int, like: Array) -> Array:
    """A vector of `size` equal entries in the world (dtype, device) of `like`."""
    value = number(value, like)
    if axes(value):  # one value per member
        return value + zeros_like(value)[..., [0] * size]
    if world_of(like) == TORCH:
        return sys.modules["torch"].full((size,), value, dtype=like.dtype, device=like.device)
    return np.full((size,), value, dtype=like.dtype)


def concatenate(blocks: Sequence[Array]) -> Array:
    """Join blocks along the last axis."""
    if world_of(blocks[0]) == TORCH:
        return sys.modules["torch"].cat(list(blocks), -1)
    return np.concatenate(blocks, axis=-1)


def stack(arrays: Sequence[Array], axis: int = -1) -> Array:
    """Stack arrays along a new axis."""
    if world_of(arrays[0]) == TORCH:
        return sys.modules["torch"].stack(list(arrays), axis)
    return np.stack(arrays, axis=axis)


def log_sum_exp(x: Array) -> Array:
    """log(sum(exp(x))) over the last axis, which is dropped, without overflow."""
    world = world_of(x)
    if world == TORCH:
        return x.logsumexp(-1)
    if world == SYMBOLS:
        total = x[..., 0]
        for k in range(1, x.shape[-1]):
            total = total + softplus(x[..., k] - total)
        return total
    largest = x.max(-1, keepdims=True)
    return np.log(np.exp(x - largest).sum(-1)) + largest[..., 0]


def solve_dense(operator: Callable[[Array], Array], rhs: Array) -> Array:
    """Solve operator(x) = rhs for a linear operator on the last axis, from its dense matrix; exact on symbols."""
    d = rhs.shape[-1]
    columns = []
    for k in range(d):
        unit = zeros_like(rhs)
        unit[..., k] = unit[..., k] + 1
        columns.append(operator(unit))
    matrix = stack(columns, axis=-1)
    world = world_of(rhs)
    if world == TORCH:
        torch = sys.modules["torch"]
        return torch.linalg.solve(matrix, rhs.unsqueeze(-1)).squeeze(-1)
    if world == SYMBOLS:
        if rhs.ndim != 1:
            raise WorldError(f"symbols in an ensemble of shape {rhs.shape}", "one vector of symbols", "drop the axes")
        solution = sympy.Matrix(matrix).LUsolve(sympy.Matrix(rhs))
        return np.array([sympy.cancel(entry) for entry in solution], dtype=object)
    return np.linalg.solve(matrix, rhs[..., None])[..., 0]
