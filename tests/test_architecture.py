"""The floor plan: a module imports only from rooms above it, and `import gandyn` stays light."""

from __future__ import annotations

import ast
import functools
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "gandyn"

# From the top down. The named functions of `symbolic.functions` stand above the worlds that dispatch to them; they
# import nothing of ours.
FLOORS = (
    "lazy",
    "other_words",
    "errors",
    "public_names",
    "former_names",
    "memory",
    "budget",
    "symbolic.functions",
    "symbolic.members",
    "text",
    "worlds",
    "krylov",
    "parameters",
    "classes",
    "types",
    "results",
    "arguments",
    "registry",
    "symbolic",
    "losses",
    "penalties",
    "oracles",
    "games",
    "rules",
    "doors",
    "noise",
    "dynamics",
    "analysis.exact_numbers",
    "analysis.conserved",
    "analysis.local",
    "analysis.backward_error",
    "analysis.nash",
    "analysis.zeros",
    "analysis.parameters",
    "analysis.stochastic",
    "analysis.measured",
    "analysis.closed_orbits",
    "analysis.long_run",
    "analysis.gap",
    "analysis.certificates",
    "analysis.spectrum",
    "analysis.optimal",
    "analysis",
    "optim",
    "gans",
    "watching",
    "claims",
    "plots",
    "explorer",
    "figures",
    "gandyn",
    "cli",
    "__main__",
)
# The hooks that may reach downwards: the lazy attributes of the package and of `analysis`. The package hands the
# plotting room down to the results.
HOOKS = {("gandyn", None), ("analysis", None)}
RULE_IMPORTS = {"krylov", "memory", "types", "worlds", "parameters", "errors", "registry", "rules", "symbolic.members"}
# The torch kernel is itself imported only when it is asked for.
TORCH_AT_THE_TOP = (
    "analysis/local/torch_linearization.py",
    "gans/",
    "optim/",
    "watching/",
    "oracles/autograd.py",
    "oracles/network.py",
    "dynamics/tensors.py",
)
TORCH_INSIDE_FUNCTIONS = (
    "lazy.py",
    "krylov/",
    "symbolic/",
    "oracles/",
    "games/",
    "noise/",
    "gans/",
    "optim/",
    "watching/",
    "dynamics/",
    "analysis/",
    "plots/",
    "cli",
)


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def dotted(path: Path) -> str:
    """gandyn/rules/declaration.py -> rules.declaration; a package is named by its folder, the top one "gandyn"."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    parts = parts[:-1] if parts[-1] == "__init__" else parts
    return ".".join(parts) or "gandyn"


def floor(module: str) -> str:
    """The room of a dotted module name."""
    return max((f for f in FLOORS if module == f or module.startswith(f + ".")), key=len, default=module)


@functools.cache
def imports(path: Path) -> tuple[list[ast.stmt], list[ast.AST]]:
    """Of a file: its statements at the top that may import, and all that imports in it, calls of `import_module` too.

    Read once a process, and nothing else is kept of the 600 files.
    """
    tree = ast.parse(path.read_text())
    top = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom, ast.If, ast.Try))]
    return top, [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom)) or _loads(node)]


def _loads(node: ast.AST) -> bool:
    called = node.func if isinstance(node, ast.Call) else None
    return (called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")) == "import_module"


@functools.cache
def imported(path: Path) -> set[str]:
    """Dotted names inside gandyn that a file imports, anywhere in it: statements at the top and inside functions,
    and `import_module` of a constant."""
    package = list(path.relative_to(PACKAGE).parts[:-1])
    found: set[str] = set()
    for node in imports(path)[1]:
        if isinstance(node, ast.ImportFrom):
            if node.level:
                base = package[: len(package) - node.level + 1]
                origin = [*base, *(node.module.split(".") if node.module else [])]
            elif node.module and node.module.split(".")[0] == "gandyn":
                origin = node.module.split(".")[1:]
            else:
                continue
            for alias in node.names:
                as_module = [*origin, alias.name]
                found.add(".".join(as_module if _exists(as_module) else origin) or "gandyn")
        elif isinstance(node, ast.Import):
            names = [a.name.split(".")[1:] for a in node.names if a.name.split(".")[0] == "gandyn"]
            found.update(".".join(name) or "gandyn" for name in names)
        else:
            name = node.args[0].value if isinstance(node.args[0], ast.Constant) else ""
            if name.startswith("gandyn."):
                found.add(name.removeprefix("gandyn."))
    return found


def _exists(parts: list[str]) -> bool:
    return (PACKAGE.joinpath(*parts)).is_dir() or PACKAGE.joinpath(*parts).with_suffix(".py").is_file()


def arrows() -> set[tuple[str, str, str]]:
    """(file, room it is in, room it imports), between different rooms."""
    result = set()
    for path in modules():
        here = floor(dotted(path))
        result |= {(dotted(path), here, floor(name)) for name in imported(path) if floor(name) != here}
    return result


def test_every_file_stands_in_a_room_of_the_plan():
    assert {floor(dotted(p)) for p in modules()} <= {*FLOORS}
    assert len(modules()) > 25


def test_the_parser_sees_lazy_and_relative_imports():
    """Non-vacuity: arrows that are known to exist, one of each kind."""
    seen = {(file, to) for file, _, to in arrows()}
    assert ("worlds", "symbolic.functions") in seen  # inside a function
    assert ("rules.gradient", "types") in seen  # from ..types import
    assert ("games.dirac", "penalties") in seen  # from ..penalties import
    assert ("gandyn", "plots") in seen  # importlib.import_module("gandyn.plots")


def test_no_arrow_points_downwards():
    wrong = [
        f"{file} imports {there}"
        for file, here, there in sorted(arrows())
        if (here, there) not in HOOKS
        and (here, None) not in HOOKS
        and (there not in FLOORS or FLOORS.index(there) > FLOORS.index(here))
    ]
    assert not wrong, "; ".join(wrong)


def test_no_cycle_between_rooms():
    """Independent of the order above."""
    graph: dict[str, set[str]] = {}
    for _, here, there in arrows():
        if (here, None) not in HOOKS and (here, there) not in HOOKS:
            graph.setdefault(here, set()).add(there)
    graphlib.TopologicalSorter(graph).prepare()


def test_no_circle_between_modules():
    """Inside rooms too: imports at the top, inside functions and for the type checker, all counted alike."""
    graph = {
        dotted(path): {name for name in imported(path) if (floor(dotted(path)), floor(name)) not in HOOKS}
        for path in modules()
        if (dotted(path), None) not in HOOKS
    }
    graphlib.TopologicalSorter(graph).prepare()  # a CycleError names the modules of a circle


def test_rules_and_games_do_not_know_each_other():
    for file, here, there in arrows():
        assert here != "rules" or there in RULE_IMPORTS, f"{file} imports {there}"
        assert here not in {"games", "oracles"} or there != "rules", f"{file} imports rules"


def top_level(name: str) -> list[str]:
    """Files that import a third-party module when they are imported themselves."""
    return [str(p.relative_to(PACKAGE)) for p in modules() if _imports(imports(p)[0], name)]


def anywhere(name: str) -> list[str]:
    """Files that import a third-party module at all, `from .lazy` too."""
    return [str(p.relative_to(PACKAGE)) for p in modules() if _imports(imports(p)[1], name, late=True)]


def _imports(nodes: list[ast.stmt] | list[ast.AST], name: str, late: bool = False) -> bool:
    for node in nodes:
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "lazy":
            names = [alias.name for alias in node.names if late]
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names = [node.module]
        elif isinstance(node, (ast.If, ast.Try)) and not _is_type_checking(node) and _imports(node.body, name):
            return True
        if any(n.split(".")[0] == name for n in names):
            return True
    return False


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def test_matplotlib_stays_in_plots():
    files = anywhere("matplotlib")
    assert all(f.startswith("plots/") for f in files), files


def test_torch_is_loaded_only_where_a_torch_game_is_made():
    files = top_level("torch")
    assert all(f.startswith(TORCH_AT_THE_TOP) for f in files), files
    files = anywhere("torch")
    assert files
    assert all(f.startswith(TORCH_INSIDE_FUNCTIONS) for f in files), files


@pytest.mark.parametrize("name", ["sympy", "torch"])
def test_what_loads_late_is_named_once_a_file(name):
    """At the top, from `gandyn.lazy`, which loads it when it is used; or plainly."""
    for path in modules():
        inside = [n for n in imports(path)[1] if isinstance(n, ast.Import) and n.col_offset]
        assert not any(a.name == name for n in inside for a in n.names) or dotted(path) == "lazy", path


def loaded(code: str) -> set[str]:
    """Top-level modules in memory after running `code` in a fresh interpreter."""
    command = f"{code}\nimport sys; print(' '.join(sorted({{m.split('.')[0] for m in sys.modules}})))"
    out = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    return set(out.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "code",
    [
        "import gandyn",
        "import gandyn as gd; gd.rules.GDA(0.1); gd.games.registry['bilinear']; gd.losses; gd.penalties; dir(gd)",
    ],
    ids=["import", "names"],
)
def test_import_gandyn_is_light(code):
    heavy = {"torch", "matplotlib", "sympy", "scipy"} & loaded(code)
    assert not heavy
    assert "numpy" in loaded(code)


def test_import_gandyn_draws_nothing():
    """numpy.random takes a tenth of the time of the import, and is loaded with the first draw."""
    code = "import gandyn, sys; print('numpy.random' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


def test_help_is_light():
    """`gandyn --help` imports neither torch, matplotlib nor SymPy; -X importtime names all it does import."""
    command = [sys.executable, "-X", "importtime", "-c", "from gandyn.cli import main; main()", "--help"]
    out = subprocess.run(command, capture_output=True, text=True, check=True)
    names = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in out.stderr.splitlines()}
    assert "gandyn" in names
    assert not {"torch", "matplotlib", "sympy"} & names
    assert "spiral" in out.stdout
