"""From SymPy expressions to straight-line code: one operation a line, every shared subexpression computed once.

The result is the one intermediate form that every backend prints: NumPy, torch, C, numba and JavaScript.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import sympy

from ..errors import DomainError
from . import functions
from .expectation import Expectation

UNARY = {
    sympy.exp: "exp",
    sympy.log: "log",
    sympy.sin: "sin",
    sympy.cos: "cos",
    sympy.tan: "tan",
    sympy.tanh: "tanh",
    sympy.sinh: "sinh",
    sympy.cosh: "cosh",
    sympy.atan: "atan",
    sympy.erf: "erf",
    sympy.Abs: "abs",
    sympy.sign: "sign",
    functions.sigmoid: "sigmoid",
    functions.softplus: "softplus",
}
FOLDED = {sympy.Max: "max", sympy.Min: "min"}
RELATIONS = {
    sympy.StrictLessThan: "lt",
    sympy.LessThan: "le",
    sympy.StrictGreaterThan: "gt",
    sympy.GreaterThan: "ge",
    sympy.Equality: "eq",
    sympy.Unequality: "ne",
}
BOOLEAN = frozenset(RELATIONS.values())
SIGNED = frozenset({"add", "sub", "mul", "div", "neg"})

Operand = str | float


@dataclasses.dataclass(frozen=True)
class Instruction:
    """`name` = `op`(args); an argument is the name of an earlier result or a number."""

    name: str
    op: str
    args: tuple[Operand, ...]


@dataclasses.dataclass(frozen=True)
class StraightLine:
    """Inputs by name, instructions in order, outputs as names or numbers."""

    inputs: tuple[str, ...]
    instructions: tuple[Instruction, ...]
    outputs: tuple[Operand, ...]


def lower(
    inputs: Sequence[sympy.Expr],
    outputs: Sequence[sympy.Expr],
    bindings: Sequence[tuple[sympy.Symbol, sympy.Expr]] = (),
) -> StraightLine:
    """Lower `outputs` as functions of the symbols `inputs`; `bindings` name intermediate values, in order.

    Args:
        inputs: SymPy symbols, in the order in which values will be passed.
        outputs: SymPy expressions in inputs and bound symbols.
        bindings: (symbol, expression) pairs, each in terms of inputs and earlier symbols.

    Raises:
        DomainError: for a free symbol that is neither, and for functions that no backend knows.
    """
    lowering = _Lowering(inputs)
    for symbol, expression in bindings:
        lowering.known[symbol] = lowering(expression)
    results = tuple(lowering(sympy.sympify(e, strict=True)) for e in outputs)
    return StraightLine(tuple(f"i{k}" for k in range(len(inputs))), _used(lowering.instructions, results), results)


def _used(instructions: Sequence[Instruction], outputs: Sequence[Operand]) -> tuple[Instruction, ...]:
    """The instructions that the outputs need."""
    needed, kept = set(outputs), []
    for line in reversed(instructions):
        if line.name in needed:
            kept.append(line)
            needed.update(line.args)
    return tuple(reversed(kept))


class _Lowering:
    def __init__(self, inputs: Sequence[sympy.Expr]) -> None:
        self.known: dict[sympy.Expr, Operand] = {symbol: f"i{k}" for k, symbol in enumerate(inputs)}
        self.emitted: dict[tuple[str, tuple[Operand, ...]], Operand] = {}
        self.instructions: list[Instruction] = []
        self.negated: dict[Operand, Operand] = {}

    def __call__(self, e: sympy.Expr) -> Operand:
        found = self.known.get(e)
        if found is None:
            found = self.known[e] = self._lower(e)
        return found

    def emit(self, op: str, *args: Operand) -> Operand:
        """Append an instruction, unless the same one stands already; signs move into additions, which is exact."""
        signless = self._without_signs(op, args)
        if signless is not None:
            return signless
        if op in {"add", "mul", "max", "min"} and str(args[0]) > str(args[1]):
            args = (args[1], args[0])
        key = (op, args)
        if key not in self.emitted:
            name = f"t{len(self.instructions)}"
            self.instructions.append(Instruction(name, op, args))
            self.emitted[key] = name
            if op == "neg":
                self.negated[name] = args[0]
        return self.emitted[key]

    def _without_signs(self, op: str, args: tuple[Operand, ...]) -> Operand | None:
        """op(args) with a negated operand's sign moved outward or absorbed; None where no operand is negated."""
        if op == "neg" and isinstance(args[0], float):
            return -args[0]
        if op not in SIGNED or not any(arg in self.negated for arg in args):
            return None
        plain = [self.negated.get(arg, arg) for arg in args]
        first, second = args[0] in self.negated, args[-1] in self.negated
        if op == "neg":
            return plain[0]
        if op in {"mul", "div"}:
            value = self.emit(op, *plain)
            return value if first and second else self.emit("neg", value)
        if op == "add":
            if first and second:
                return self.emit("neg", self.emit("add", *plain))
            return self.emit("sub", args[0], plain[1]) if second else self.emit("sub", args[1], plain[0])
        if first and second:
            return self.emit("sub", plain[1], plain[0])
        return self.emit("add", args[0], plain[1]) if second else self.emit("neg", self.emit("add", plain[0], args[1]))

    def _lower(self, e: sympy.Expr) -> Operand:
        if e.is_Symbol:
            raise DomainError(
                f"the symbol {e} has no value", "a number for every symbol that is not a coordinate", f"set {e}=..."
            )
        if e is sympy.oo or e is -sympy.oo:
            return float(e)
        if e.is_number and not e.has(sympy.zoo, sympy.nan):
            value = complex(e.evalf(20))
            if value.imag == 0:
                return value.real
        if e.is_Add:
            return self._add(e)
        if e.is_Mul:
            return self._mul(e)
        if e.is_Pow:
            return self._pow(e)
        if e.func in UNARY:
            return self.emit(UNARY[e.func], self(e.args[0]))
        if e.func in FOLDED:
            total = self(e.args[0])
            for arg in e.args[1:]:
                total = self.emit(FOLDED[e.func], total, self(arg))
            return total
        if e.func in RELATIONS:
            return self.emit(RELATIONS[e.func], *map(self, e.args))
        if isinstance(e, sympy.Piecewise):
            return self._piecewise(e)
        if isinstance(e, Expectation):
            return self(e.quadrature())
        if isinstance(e, sympy.Heaviside):
            return self((1 + sympy.sign(e.args[0])) / 2)
        if isinstance(e, sympy.DiracDelta):
            return 0.0  # the slope of a jump, almost everywhere: games with kinks declare that they are not smooth
        if getattr(
            e.func, "lowered_to", None
        ):  # a function that names its own operation, for the backends that have it
            return self.emit(e.func.lowered_to, *map(self, e.args))
        raise DomainError(
            f"{e.func.__name__} in {e}", "functions that every backend knows", "rewrite it with elementary functions"
        )

    def _add(self, e: sympy.Expr) -> Operand:
        plus: list[sympy.Expr] = []
        minus: list[sympy.Expr] = []
        for term in sorted(e.args, key=sympy.default_sort_key):
            coefficient, _ = term.as_coeff_Mul()
            (minus if coefficient.is_negative else plus).append(term)
        total = self(plus[0]) if plus else self.emit("neg", self(-minus.pop(0)))
        for term in plus[1:]:
            total = self.emit("add", total, self(term))
        for term in minus:
            total = self.emit("sub", total, self(-term))
        return total

    def _mul(self, e: sympy.Expr) -> Operand:
        coefficient, rest = e.as_coeff_Mul()
        if coefficient is sympy.S.NegativeOne:
            return self.emit("neg", self(rest))
        above, below = [], []
        for factor in sorted(rest.args if rest.is_Mul else (rest,), key=sympy.default_sort_key):
            base, power = factor.as_base_exp()
            if power.is_Rational and power.is_negative:
                below.append(base**-power)
            else:
                above.append(factor)
        product: Operand | None = None if coefficient == 1 else self(coefficient)
        for factor in above:
            product = self(factor) if product is None else self.emit("mul", product, self(factor))
        if below:
            divisor = self(below[0])
            for factor in below[1:]:
                divisor = self.emit("mul", divisor, self(factor))
            product = self.emit("div", 1.0 if product is None else product, divisor)
        assert product is not None
        return product

    def _pow(self, e: sympy.Expr) -> Operand:
        base, power = e.args
        if power.is_Rational and power.is_negative:
            return self.emit("div", 1.0, self(base**-power))
        if power == sympy.Rational(1, 2):
            return self.emit("sqrt", self(base))
        if power.is_Integer and int(power) <= 64:
            return self._integer_power(self(base), int(power))
        if base is sympy.E:
            return self.emit("exp", self(power))
        return self.emit("pow", self(base), self(power))

    def _integer_power(self, base: Operand, n: int) -> Operand:
        if n == 1:
            return base
        half = self._integer_power(base, n // 2)
        square = self.emit("mul", half, half)
        return self.emit("mul", base, square) if n % 2 else square

    def _piecewise(self, e: sympy.Expr) -> Operand:
        *cases, (last, condition) = e.args
        if condition is not sympy.true:
            raise DomainError(
                f"{e} has no value where no case applies",
                "a last case that is True",
                "end the Piecewise with (value, True)",
            )
        value = self(last)
        for case, condition in reversed(cases):
            value = self.emit("where", self(condition), self(case), value)
        return value
