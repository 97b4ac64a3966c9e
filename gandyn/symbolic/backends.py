"""One table per language: how it writes each operation of the straight-line code. A backend is this data alone."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import math
from collections.abc import Callable, Mapping

from ..errors import DomainError
from ..lazy import torch
from ..worlds import Array, sign
from .lowering import BOOLEAN, Operand, StraightLine

INFIX = {
    "add": "({} + {})",
    "sub": "({} - {})",
    "mul": "({} * {})",
    "div": "({} / {})",
    "neg": "(-{})",
    "lt": "({} < {})",
    "le": "({} <= {})",
    "gt": "({} > {})",
    "ge": "({} >= {})",
    "eq": "({} == {})",
    "ne": "({} != {})",
}


def _calls(prefix: str, names: Mapping[str, str]) -> dict[str, str]:
    arity = {"pow": 2, "max": 2, "min": 2, "where": 3}
    return {op: f"{prefix}{name}({', '.join(['{}'] * arity.get(op, 1))})" for op, name in names.items()}


ELEMENTARY = ("exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "sinh", "cosh", "abs")
SAME = {name: name for name in ELEMENTARY}


@dataclasses.dataclass(frozen=True)
class Backend:
    """A language: a template per operation, and how it writes an assignment and a number."""

    name: str
    operations: Mapping[str, str]
    assignment: str = "{name} = {value}"
    boolean_assignment: str = "{name} = {value}"
    number: Callable[[float], str] = repr

    def operand(self, operand: Operand) -> str:
        """A name as it is, a number as the language writes it."""
        return operand if isinstance(operand, str) else self.number(operand)

    def lines(self, code: StraightLine) -> list[str]:
        """One assignment for each instruction."""
        result = []
        for line in code.instructions:
            if line.op not in self.operations:
                raise DomainError(f"{line.op} in code for {self.name}", "a function that it has", "another backend")
            value = self.operations[line.op].format(*map(self.operand, line.args))
            template = self.boolean_assignment if line.op in BOOLEAN else self.assignment
            result.append(template.format(name=line.name, value=value))
        return result


def _python_number(value: float) -> str:
    return repr(value) if math.isfinite(value) else f"float('{value}')"


def _c_number(value: float) -> str:
    if math.isfinite(value):
        return repr(value)
    return "INFINITY" if value > 0 else "-INFINITY" if value < 0 else "NAN"


def _js_number(value: float) -> str:
    return repr(value) if math.isfinite(value) else str(value).replace("inf", "Infinity").replace("nan", "NaN")


NUMPY = Backend(
    "numpy",
    INFIX
    | _calls("np.", SAME | {"atan": "arctan", "sign": "sign", "pow": "power", "max": "maximum", "min": "minimum"})
    | _calls("", {"sigmoid": "sigmoid", "softplus": "softplus", "erf": "erf"})
    | {"where": "np.where({}, {}, {})"},
    number=_python_number,
)
TORCH = Backend(
    "torch",
    INFIX
    | _calls("torch.", SAME | {"atan": "atan", "sigmoid": "sigmoid", "erf": "erf"})
    | _calls("", {"sign": "sign", "softplus": "softplus", "max": "maximum", "min": "minimum", "pow": "power"})
    | _calls("", {"sqrt": "sqrt", "exp": "exp", "log": "log"})
    | {"where": "where({}, {}, {})"},
    number=_python_number,
)
C = Backend(
    "c",
    INFIX
    | _calls("", SAME | {"abs": "fabs", "atan": "atan", "erf": "erf", "pow": "pow", "max": "fmax", "min": "fmin"})
    | _calls("gd_", {"exp": "exp", "sign": "sign", "sigmoid": "sigmoid", "softplus": "softplus"})
    | {"where": "({} ? {} : {})", "max": "gd_max({}, {})", "min": "gd_min({}, {})"},
    assignment="const double {name} = {value};",
    boolean_assignment="const int {name} = {value};",
    number=_c_number,
)
NUMBA = Backend(
    "numba",
    INFIX
    | _calls("math.", {n: n for n in ELEMENTARY if n != "abs"} | {"atan": "atan", "erf": "erf", "pow": "pow"})
    | _calls("", {"abs": "abs", "sign": "sign", "sigmoid": "sigmoid", "softplus": "softplus"})
    | {"where": "({1} if {0} else {2})", "max": "maximum({}, {})", "min": "minimum({}, {})"},
    number=_python_number,
)
JAVASCRIPT = Backend(
    "javascript",
    INFIX
    | _calls("Math.", SAME | {"atan": "atan", "sign": "sign", "pow": "pow", "max": "max", "min": "min"})
    | _calls("", {"sigmoid": "sigmoid", "softplus": "softplus", "erf": "erf"})
    | {"where": "({} ? {} : {})", "partial": "partial({}, {}, {}, {})"},
    assignment="const {name} = {value};",
    boolean_assignment="const {name} = {value};",
    number=_js_number,
)


def numpy_namespace() -> dict[str, object]:
    """The modules and functions that generated NumPy code uses, by name."""
    import numpy as np

    def special(name: str) -> Callable[..., Array]:
        """A function of scipy.special, which takes a third of a second to load and which most games do not need."""
        return lambda *values, **options: getattr(importlib.import_module("scipy.special"), name)(*values, **options)

    softplus = functools.partial(np.logaddexp, 0.0)
    return {"np": np, "sigmoid": special("expit"), "softplus": softplus, "erf": special("erf")}


@functools.cache
def torch_namespace() -> dict[str, object]:
    """The modules and functions that generated torch code uses, by name; they take numbers in place of tensors too."""

    def lift(function: Callable[..., Array], scalar: Callable[..., float]) -> Callable[..., Array]:
        def apply(*args: object) -> Array:
            like = next((a for a in args if isinstance(a, torch.Tensor)), None)
            if like is None:
                return scalar(*args)
            return function(*(a if isinstance(a, torch.Tensor) else like.new_tensor(a) for a in args))

        return apply

    # torch's own softplus turns linear at 20, with an error of 2e-9.
    return {
        "torch": torch,
        "softplus": lambda x: -torch.nn.functional.logsigmoid(-x),
        "sign": sign,
        "where": torch.where,
        "maximum": lift(torch.maximum, max),
        "minimum": lift(torch.minimum, min),
        "power": lift(torch.pow, pow),
        "sqrt": lift(torch.sqrt, math.sqrt),
        "exp": lift(torch.exp, math.exp),
        "log": lift(torch.log, math.log),
    }
