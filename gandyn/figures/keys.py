"""What a figure depends on, as hashes: made again only when that changed.

Data depend on the part of the figure's file that `compute` reaches, on the package without the rooms that only draw
or ask, and on quick or full settings. A picture depends on the data, the whole file, the plotting room and the style.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import pathlib
from collections.abc import Iterator

from .catalogue import PaperFigure

SHOWING = ("plots", "cli", "claims", "figures", "paper_figures")
COMPUTING = pathlib.PurePath("figures", "grids.py")


def data_key(figure: PaperFigure, quick: bool) -> str:
    """A hash of everything that the data are computed from; other data, another hash."""
    return digest(reached(figure.path.read_text(encoding="utf-8"), "compute"), _sources(False), f"quick={quick}")


def picture_key(figure: PaperFigure, quick: bool, style: str) -> str:
    """A hash of everything that the picture is drawn from; another picture, another hash."""
    return digest(data_key(figure, quick), figure.path.read_text(encoding="utf-8"), _sources(True), style)


def digest(*parts: str) -> str:
    """A short hash of texts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]


@functools.cache
def _sources(showing: bool) -> str:
    """Hash of the package's files: of the plotting room, or of everything that computes."""
    package = pathlib.Path(__file__).parent.parent
    files = [path.relative_to(package) for path in sorted(package.rglob("*.py"))]
    if showing:
        chosen = [path for path in files if path.parts[0] == "plots"]
    else:
        chosen = [path for path in files if path.parts[0] not in SHOWING or path == COMPUTING]
    return hashlib.sha256(b"\0".join((package / path).read_bytes() for path in chosen)).hexdigest()


def reached(source: str, name: str) -> str:
    r"""The top-level statements of a file that a name depends on, as text without comments.

    Statements that bind no name count always. A name that is only reached through `globals()` is not seen.

    Example:
        >>> reached("a = 1\ndef f(): return a\ndef g(): return 2", "f")
        'a = 1\ndef f():\n    return a'
    """
    statements = [s for s in ast.parse(source).body if not _is_text(s)]
    bound = [set(_binds(s)) for s in statements]
    wanted, chosen = {name}, {k for k, names in enumerate(bound) if not names}
    for k in chosen:
        wanted |= _uses(statements[k])
    while True:
        new = {k for k, names in enumerate(bound) if names & wanted} - chosen
        if not new:
            return "\n".join(ast.unparse(statements[k]) for k in sorted(chosen))
        chosen |= new
        for k in new:
            wanted |= _uses(statements[k])


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _binds(statement: ast.stmt) -> Iterator[str]:
    """Names that a top-level statement defines."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield statement.name
    elif isinstance(statement, (ast.Import, ast.ImportFrom)):
        for alias in statement.names:
            yield alias.asname or alias.name.split(".")[0]
    elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id


def _uses(statement: ast.stmt) -> set[str]:
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
