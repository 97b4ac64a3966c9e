"""Where the functions of `gd.NAME` and `gd.analysis.NAME` are defined; a module is loaded when its name is first used.

A new public function is one import in `gandyn/__init__.py`, for the type checker alone: editors complete from it, and
`homes` reads it.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .errors import MissingDependencyError, nearest


def homes(package: str) -> dict[str, str]:
    """What the block `if TYPE_CHECKING:` of a package imports: each name, with the module below it that defines it."""
    tree = ast.parse(pkgutil.get_data(package, "__init__.py") or b"")
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom) and node.module]
    return {alias.name: str(node.module) for node in imports for alias in node.names}


HOMES = homes("gandyn")
# Those of `gd.analysis`: the same functions, and two that `gd` does not offer.
ANALYSES = {name: home.removeprefix("analysis.") for name, home in HOMES.items() if home.startswith("analysis.")} | {
    "critical_time_scale": "parameters.time_scale",
    "attracting_time_scales": "parameters.time_scale",
}


def _loaded(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise MissingDependencyError.of(error) from error


def face(
    package: str, homes: Mapping[str, str], rooms: Sequence[str] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a package that loads what it offers when it is asked for.

    `homes` gives for each name the module below the package that defines it; `rooms` are modules that the package
    offers themselves.
    """

    def missing(name: str) -> Any:
        if name in homes:
            value = getattr(_loaded(f"{package}.{homes[name]}"), name)
            if not hasattr(sys.modules.get(f"{package}.{name}"), "__path__"):  # a folder of this name keeps its place
                setattr(sys.modules[package], name, value)
            return value
        if name in rooms:
            return _loaded(f"{package}.{name}")
        near = nearest(name, [*homes, *rooms])
        guess = f", did you mean {near!r}?" if near else ":"
        raise AttributeError(
            f"module {package!r} has no attribute {name!r}{guess} It has {', '.join([*homes, *rooms])}"
        )

    return missing, lambda: sorted(sys.modules[package].__all__)
