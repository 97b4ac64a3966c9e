"""What docstrings say of the code beside them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "gandyn"
CLASSES = {
    node.name: node
    for path in sorted(PACKAGE.rglob("*.py"))
    for node in ast.walk(ast.parse(path.read_text()))
    if isinstance(node, ast.ClassDef)
}
NAMED = re.compile(r"(?:^    |\. )((?:\w+, )*\w+): ", re.MULTILINE)  # "game, rule: the pair. lr: its step size."


def declared(name: str) -> set[str]:
    """The fields, methods and attributes of a class and of those of ours that it extends."""
    found: set[str] = set()
    if (node := CLASSES.get(name)) is None:
        return found
    for part in ast.walk(node):
        if isinstance(part, ast.FunctionDef):
            found.add(part.name)
        elif isinstance(part, (ast.Name, ast.Attribute)) and isinstance(part.ctx, ast.Store):
            found.add(part.id if isinstance(part, ast.Name) else part.attr)
    bases = [ast.unparse(base).split("[")[0].split(".")[-1] for base in node.bases]
    return found.union(*map(declared, bases))


def listed(docstring: str) -> set[str]:
    """The names in the section "Attributes:"."""
    section = re.search(r"Attributes:\n((?:    .*\n?)+)", docstring)
    entries = section.group(1) if section else ""
    return {name for names in NAMED.findall(entries) for name in names.split(", ") if name.islower()}


def test_the_reader_sees_several_names_in_a_line():
    assert listed("A run.\n\nAttributes:\n    game, rule: both. lr: a size,\n        in units: none.\n") == {
        "game",
        "rule",
        "lr",
    }


def test_attributes_that_a_docstring_lists_exist():
    wrong = {
        f"{name}.{attribute}"
        for name, node in CLASSES.items()
        for attribute in listed(ast.get_docstring(node) or "") - declared(name)
    }
    assert not wrong, f"docstrings name attributes that their classes do not have: {sorted(wrong)}"
    assert sum(bool(listed(ast.get_docstring(node) or "")) for node in CLASSES.values()) > 60
