"""Text to values: `lr=0.1`, `momentum=-1/2`, `penalty=R1(0.3)`, `HeavyBall(0.1, -0.3)`; exact where it can be."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from ..errors import GandynError, ParameterError, UnknownNameError
from ..registry import Entry, Registry

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
CALL = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*)\s*\((.*)\)", re.DOTALL)
OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
}
WORDS = {"True": True, "true": True, "False": False, "false": False, "None": None, "none": None}


def find(registry: Registry, name: str) -> Entry:
    """An entry by name or alias, whatever its case, hyphens and underscores.

    Raises:
        UnknownNameError: with what exists and the nearest match.
    """
    known = {alias: entry for entry in registry for alias in (entry.name, *entry.aliases)}
    if name in known:
        return known[name]
    folded = {_fold(alias): entry for alias, entry in known.items()}
    if _fold(name) in folded:
        return folded[_fold(name)]
    raise UnknownNameError.among(registry.kind, name, known)


def _fold(name: str) -> str:
    return re.sub(r"[-_ ]", "", name).casefold()


def settings(assignments: Iterable[str]) -> dict[str, Any]:
    """`--set name=value` options as a dict.

    Raises:
        ParameterError: for text that is not name=value, a name set twice, or a value that cannot be read.
    """
    result: dict[str, Any] = {}
    for text in assignments:
        name, sign, value_text = text.partition("=")
        name = name.strip()
        if not sign or not NAME.fullmatch(name) or not value_text.strip():
            raise ParameterError(f"--set {text!r}", "name=value", "--set lr=0.1")
        if name in result:
            raise ParameterError(f"--set gives {name} twice", "one value for each name", "drop one of them")
        result[name] = value(value_text)
    return result


def value(text: str) -> Any:
    """A number (exact where a float would round it), a tuple, a word, or what a call such as R1(0.3) builds.

    Raises:
        ParameterError: for anything else.

    Example:
        >>> value("0.1"), value("1/3"), value("0.1, 0.2"), value("wasserstein")
        (0.1, 1/3, (0.1, 0.2), 'wasserstein')
    """
    text = text.strip()
    if text in WORDS:
        return WORDS[text]
    if text.lower() in ("nan", "inf", "-inf", "+inf", "infinity"):
        return float(text)
    if NAME.fullmatch(text) and text not in ("sqrt", "pi"):
        return text
    call = CALL.fullmatch(text)
    if call and call[1] != "sqrt":
        return _built(call[1], text)
    try:
        return _evaluate(ast.parse(text, mode="eval").body, text)
    except (SyntaxError, ValueError, TypeError, ZeroDivisionError, OverflowError) as error:
        raise ParameterError(
            f"the value {text!r}", "a number, numbers with commas, a name, or a call", "0.1, 1/3, 0.1,0.2 or R1(0.3)"
        ) from error


def _evaluate(node: ast.expr, text: str) -> Any:
    """Arithmetic only: numbers, + - * / **, sqrt, pi, tuples and lists."""
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float, complex)):
        source = ast.get_source_segment(text, node) or ""
        return _number(node.value, source)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        inner = _evaluate(node.operand, text)
        return -inner if isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        left, right = (_evaluate(side, text) for side in (node.left, node.right))
        if isinstance(left, complex) or isinstance(right, complex):
            return OPERATORS[type(node.op)](left, right)
        from ..worlds import exact

        if isinstance(node.op, ast.Div) and right == 0:
            raise ZeroDivisionError
        if isinstance(node.op, ast.Pow) and abs(right) > 64:
            raise OverflowError
        return OPERATORS[type(node.op)](exact(left), exact(right))
    if isinstance(node, (ast.Tuple, ast.List)):
        return tuple(_evaluate(element, text) for element in node.elts)
    if isinstance(node, ast.Name):
        return _word(node.id)
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "sqrt" and len(node.args) == 1:
        import sympy

        from ..worlds import exact

        return sympy.sqrt(exact(_evaluate(node.args[0], text)))
    raise ValueError(text)


def _word(name: str) -> Any:
    if name == "pi":
        import sympy

        return sympy.pi
    if name in WORDS:
        return WORDS[name]
    if name in ("nan", "inf"):
        return float(name)
    return name


def _number(parsed: complex, source: str) -> Any:
    """The number as written: a float where the float prints as that decimal, else an exact fraction."""
    if not isinstance(parsed, float):
        return parsed
    if Decimal(repr(parsed)) == Decimal(source.replace("_", "")):
        return parsed
    import sympy

    return sympy.Rational(source.replace("_", ""))


def point(text: str, option: str) -> Any:
    """Coordinates with commas, exact.

    Raises:
        ParameterError: for what is not numbers.
    """
    found = value(text)
    coordinates = found if isinstance(found, tuple) else (found,)
    for x in coordinates:
        if isinstance(x, (str, bool, complex, tuple)) or x is None:
            raise ParameterError(f"{option} {text!r}", "numbers with commas between them", f"{option} 1,0")
    return coordinates


def build(entry: Entry, kind: str, given: dict[str, Any]) -> tuple[Any, set[str]]:
    """Call a builder with those of the given values that it takes; also say which it took.

    Raises:
        ParameterError: where a required parameter is missing, or the builder refuses a value.
    """
    parameters = inspect.signature(entry.build).parameters
    taken = {name: v for name, v in given.items() if name in parameters}
    missing = [n for n, p in parameters.items() if p.default is p.empty and n not in taken]
    if missing:
        first = missing[0]
        raise ParameterError(
            f"the {kind} {entry.name} without {', '.join(missing)}",
            f"a value for {first}",
            f"--set {first}=0.1, or --set {first}={first} to leave it free",
        )
    try:
        return entry.build(**taken), set(taken)
    except GandynError:
        raise
    except (TypeError, ValueError, AttributeError) as error:
        shown = ", ".join(f"{n}={v}" for n, v in taken.items())
        raise ParameterError(
            f"the {kind} {entry.name} with {shown} ({error})", "values that it can use", f"gandyn list {kind}s"
        ) from error


def build_rule(text: str, given: dict[str, Any]) -> tuple[Any, set[str]]:
    """A rule by name with `--set` values, or by a call of it: "GDA", "HeavyBall(0.1, -0.3)", "Alternating(Adam(0.01))".

    Raises:
        UnknownNameError, ParameterError: as `find` and `build`.
    """
    from .. import rules

    if not CALL.fullmatch(text.strip()):
        return build(find(rules.registry, text.strip()), "rule", given)
    return _called(_parsed(text.strip()), text.strip(), rules.registry), set()


def _built(name: str, text: str) -> Any:
    """What a call of a registered rule, penalty or loss builds; other calls stay text, for the builder to judge."""
    from .. import losses, penalties, rules

    for module in (rules, penalties, losses):
        try:
            find(module.registry, name)
        except UnknownNameError:
            continue
        return _called(_parsed(text), text, module.registry)
    return text


def _parsed(text: str) -> ast.expr:
    try:
        return ast.parse(text, mode="eval").body
    except SyntaxError as error:
        raise ParameterError(f"the call {text!r}", "NAME(value, name=value)", "HeavyBall(0.1, -0.3)") from error


def _called(node: Any, text: str, registry: Registry) -> Any:
    if isinstance(node, ast.Tuple):
        return tuple(_called(element, text, registry) for element in node.elts)
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id != "sqrt"):
        return value(ast.get_source_segment(text, node) or "")
    entry = find(registry, node.func.id)
    arguments = [_called(a, text, registry) for a in node.args]
    named = {str(k.arg): _called(k.value, text, registry) for k in node.keywords}
    try:
        return entry.build(*arguments, **named)
    except GandynError:
        raise
    except (TypeError, ValueError) as error:
        raise ParameterError(
            f"the rule {text!r} ({error})",
            f"the arguments of {entry.name}",
            f"gandyn list rules, or --rule {entry.name}",
        ) from error


def refuse_unused(given: dict[str, Any], used: set[str], entries: Iterable[Entry]) -> None:
    """A name in `--set` that nothing took is a mistake.

    Raises:
        UnknownNameError: with the parameters that there are.
    """
    known = sorted({name for entry in entries for name in inspect.signature(entry.build).parameters})
    for name in given:
        if name not in used:
            raise UnknownNameError.among("parameter", name, known)
