"""The check of an argument, read from what its signature declares: "int | None", "Sequence[Rule]", "Mapping[str, Any]".

A class of ours stands for its instances. What no check knows, such as Any, is the function's own to look at.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import os
import sys
import typing
from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any

from ..errors import GandynError, ParameterError, made, shown
from ..public_names import HOMES
from ..worlds import axes
from .points import box, grid, point
from .values import (
    NOTHING,
    Check,
    a_function,
    above_zero,
    count,
    flag,
    from_zero,
    parameter,
    real,
    seed,
    several,
    sizes,
    word,
    words,
)

NAMES: dict[str, Check] = {
    "box": box,
    "grid": grid,
    **dict.fromkeys(("tolerance", "budget"), above_zero),
    **dict.fromkeys(("start", "starts", "at", "to", "w", "w0", "w1", "centre", "attractors", "equilibrium"), point),
    "values": grid,
    **dict.fromkeys(("seed", "rng"), seed),
}
COUNTS: dict[str, Check] = {  # of arguments that are declared to be whole numbers
    **dict.fromkeys(
        ("k", "threads", "latent", "size", "width", "degree", "grid", "frames", "fps", "dpi", "points"), several
    ),
    **dict.fromkeys(("steps", "settle", "members"), from_zero),
}
TYPES: dict[str, Check] = {
    "int": count,
    "float": real,
    "tuple[int, ...]": sizes,
    "Sequence[str]": words,
    "str": word,
    "bool": flag,
    "Parameter": parameter,
}


def checks_of(
    function: Callable[..., object], names: Mapping[str, Check] = NAMES, types: Mapping[str, Check] = TYPES
) -> dict[str, Check]:
    """The checks of a function's parameters by name; a parameter for which every value is allowed has none."""
    known = inspect.unwrap(function).__globals__
    found = {
        name: check_of(
            name, "object" if p.annotation is p.empty else str(p.annotation), p.default is None, known, names, types
        )
        for name, p in inspect.signature(function).parameters.items()
        if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    }
    return {name: check for name, check in found.items() if check is not None}


def check_of(
    name: str,
    annotation: str,
    optional: bool,
    known: Mapping[str, object],
    names: Mapping[str, Check] = NAMES,
    types: Mapping[str, Check] = TYPES,
) -> Check | None:
    """The check of one parameter of a function; None where every value is allowed.

    Args:
        name: name of the parameter.
        annotation: its declared type as text.
        optional: whether None is allowed.
        known: the globals of the function's module, in which the names in the annotation are looked up.
        names, types: checks by name of parameter and by declared type.
    """
    node = ast.parse(annotation, mode="eval").body
    kinds = {ast.unparse(part) for part in _parts(node)}
    check = COUNTS.get(name) if "int" in kinds else None
    if name != "grid" or kinds <= {"Any", "object"}:  # a grid may also be a class of its own
        check = check or names.get(name)
    check = check or _of(node, known, types)
    return None if check is None else _guarded(check, optional or "None" in kinds)


def _guarded(check: Check, optional: bool) -> Check:
    """The check, which None passes where it is `optional`, and whose message says of a class or function to call it."""

    def guarded(name: str, value: object, given: Mapping[str, object]) -> object:
        if value is None and optional:
            return None
        try:
            return check(name, value, given)
        except ParameterError as error:
            if made(value, error.fix) == error.fix:
                raise
            raise type(error)(error.given, error.needed, made(value, error.fix)) from None

    return guarded


def _parts(node: ast.expr) -> list[ast.expr]:
    """The alternatives of a union."""
    return [*_parts(node.left), *_parts(node.right)] if isinstance(node, ast.BinOp) else [node]


def _of(node: ast.expr, known: Mapping[str, object], types: Mapping[str, Check]) -> Check | None:
    parts = [part for part in _parts(node) if ast.unparse(part) != "None"]
    if any(ast.unparse(part) in ("os.PathLike[str]", "Path") for part in parts):
        return path
    if len(parts) != 1:
        checks = [_of(part, known, types) for part in parts]
        return _either(*checks) if checks and all(checks) else None  # type: ignore[arg-type]
    text = ast.unparse(parts[0])
    if text in types:
        return types[text]
    if isinstance(parts[0], ast.Subscript):
        return _composed(parts[0], known, types)
    return _named(text, known, types)


def _composed(node: ast.Subscript, known: Mapping[str, object], types: Mapping[str, Check]) -> Check | None:
    kind = ast.unparse(node.value)
    inside = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if kind == "Callable":
        return a_function
    if kind in ("Mapping", "dict"):
        return _mapping(_of(inside[-1], known, types))
    if kind == "tuple" and not isinstance(inside[-1], ast.Constant):
        return _row(_of(inside[0], known, types), len(inside))
    return _row(_of(inside[0], known, types)) if kind in ("Sequence", "list", "tuple") else None


def _named(text: str, known: Mapping[str, object], types: Mapping[str, Check]) -> Check | None:
    """The check of a class of ours, or of what an alias stands for; a protocol is its users' to look at."""
    meant = known.get(text)
    if text == "Any" or getattr(meant, "_is_protocol", False):
        return None
    ours = isinstance(meant, type) and meant.__module__.startswith("gandyn.")
    if ours or (text.isidentifier() and text not in known and text not in vars(builtins)):  # known to type checkers
        return _instance(text)
    if isinstance(meant, str) or typing.get_args(meant):
        meant = meant if isinstance(meant, str) else str(meant).replace("typing.", "").replace("collections.abc.", "")
        return _of(ast.parse(meant, mode="eval").body, known, types)
    return None


def _instance(kind: str) -> Check:
    """The check of an object whose class, or a base of it, has this name in gandyn; the class need not be loaded."""

    def check(name: str, value: object, given: Mapping[str, object] = NOTHING) -> object:
        if not any(c.__name__ == kind and c.__module__.startswith("gandyn.") for c in type(value).__mro__):
            fix = _maker(kind) or f"help(gd) says what makes a {kind}"
            raise ParameterError(f"{name}={shown(value)}", f"{'an' if kind[0] in 'AEIOU' else 'a'} {kind}", fix)
        return value

    return check


def _maker(kind: str) -> str:
    """A call of a loaded public function that returns an object of class `kind`, in words; "" where there is none."""
    for name, home in HOMES.items():
        made = getattr(sys.modules.get(f"gandyn.{home}"), name, None)
        if callable(made) and str(inspect.signature(made).return_annotation) == kind:
            return f"what gd.{name}(...) returns"
    return ""


def _row(check: Check | None, length: int | None = None) -> Check:
    """The check of a list, tuple, array or tensor: of `length` entries where given, each of which passes `check`."""

    def each(name: str, value: Any, given: Mapping[str, object] = NOTHING) -> object:
        many = "" if length is None else f" of {length} values"
        if isinstance(value, (str, bytes, Mapping, Set)) or not (isinstance(value, Sequence) or axes(value)):
            raise ParameterError(f"{name}={shown(value)}", f"a list or tuple{many}", f"{name}=(...)")
        if length is not None and len(value) != length:
            raise ParameterError(f"{name}={shown(value)}", f"a list or tuple{many}", f"{name}=(...)")
        for k, one in enumerate(value if check is not None else ()):
            check(f"{name}[{k}]", one, given)  # type: ignore[misc]
        return value

    return each


def _mapping(check: Check | None) -> Check:
    def each(name: str, value: object, given: Mapping[str, object] = NOTHING) -> object:
        if not isinstance(value, Mapping):
            raise ParameterError(f"{name}={shown(value)}", "a dict", f'{name}={{"name": ...}}')
        for key, one in value.items() if check is not None else ():
            check(f"{name}[{key!r}]", one, given)  # type: ignore[misc]
        return value

    return each


def path(name: str, value: object, given: Mapping[str, object] = NOTHING) -> str | os.PathLike[str]:
    """Return `value` where it is a path; refuse anything else, and a path with a null character."""
    if not isinstance(value, (str, os.PathLike)) or "\x00" in os.fspath(value):
        raise ParameterError(f"{name}={shown(value)}", "a path", f'{name}="figure.png"')
    return value


def _either(*checks: Check) -> Check:
    def check(name: str, value: object, given: Mapping[str, object]) -> object:
        for one in checks[:-1]:
            try:
                return one(name, value, given)
            except GandynError:
                continue
        return checks[-1](name, value, given)

    return check
