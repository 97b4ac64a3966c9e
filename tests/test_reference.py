"""Every public name says what it takes and gives: types, arguments, what is raised, and an example somewhere."""

from __future__ import annotations

import ast
import functools
import importlib.util
import inspect
import pathlib
import re

import gandyn as gd
from gandyn.results import Result

ROOT = pathlib.Path(__file__).parent.parent
CATALOGUES = ("rules", "games", "losses", "penalties")  # whose pages show how each entry is built
# Given back by functions that have their examples, and built by nobody.
GIVEN_BACK = {
    *("Status", "Finding", "Mixture", "ModeReport", "SeededRuns", "Shuffled", "Stepping", "Sweep", "Token"),
    *("DistributedGame", "TensorBoard", "Watch", "NoisyGame", "Sampled", "Spiral", "GameOptimizer", "RuleOptimizer"),
    *("TrainingRun", "Drawing", "Measured"),
}
# What an example needs more for than a page has: weights of the user's own, a trained GAN, the log of a long run.
NEEDS_MORE = {"Perceptual", "gap_during_training", "arithmetic", "latents_of", "pyramid_samples", "table_scores"}


@functools.cache
def public():
    """Functions and classes by dotted name, each once."""
    found = {f"gandyn.{name}": getattr(gd, name) for name in gd.__all__}
    for room in (gd.plots, gd.analysis, gd.gans, gd.dynamics, gd.optim, gd.noise, gd.classes):
        found |= {f"{room.__name__}.{name}": getattr(room, name) for name in getattr(room, "__all__", ())}
    for name in CATALOGUES:
        found |= {f"gandyn.{name}.{entry.name}": entry.build for entry in getattr(gd, name).registry}
    kept, seen = {}, set()
    for name, thing in sorted(found.items()):
        error = inspect.isclass(thing) and issubclass(thing, Exception)
        if (inspect.isclass(thing) or inspect.isfunction(thing)) and id(thing) not in seen and not error:
            seen.add(id(thing))
            kept[name] = thing
    return kept


def parameters(thing):
    try:
        return list(inspect.signature(thing).parameters.values())
    except (TypeError, ValueError):
        return []


def document(thing):
    return inspect.getdoc(thing) or ""


@functools.cache
def code():
    """The code that the documentation, the examples and the docstrings run."""
    fence = re.compile(r"^```(?:python|\{picture\}[^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    pages = [path for path in (ROOT / "docs").rglob("*.md") if path.relative_to(ROOT / "docs").parts[0][0] not in "_g"]
    pages += list((ROOT / "docs" / "games").glob("*.md")) + list((ROOT / "docs" / "gans").glob("*.md"))
    shown = [block for page in pages for block in fence.findall(page.read_text(encoding="utf-8"))]
    shown += [path.read_text(encoding="utf-8") for path in (ROOT / "examples").glob("*.py")]
    shown += [document(thing) for thing in public().values()]
    return "\n".join(shown)


def drawn_by_a_result():
    def below(kind):
        for one in kind.__subclasses__():
            yield one
            yield from below(one)

    return {kind._plot for kind in below(Result)}


def test_every_signature_is_typed():
    lacking = []
    for name, thing in public().items():
        if inspect.isfunction(thing):
            lacking += [f"{name}({p.name})" for p in parameters(thing) if p.annotation is p.empty]
            lacking += [name] * (inspect.signature(thing).return_annotation is inspect.Signature.empty)
    assert not lacking


def test_every_argument_is_told_on_a_line_of_its_own():
    lacking = []
    for name, thing in public().items():
        text, asked = document(thing), parameters(thing)
        if inspect.isclass(thing) and (issubclass(thing, Result) or name.rpartition(".")[2] in GIVEN_BACK):
            continue
        told = text.partition("Args:")[2] or text.partition("Attributes:")[2]
        lacking += [name] * bool(asked and not told)
        if inspect.isfunction(thing) and told:
            heads = re.findall(r"^ +([\w*]+(?:(?:, | and )[\w*]+)*):", told, re.MULTILINE)  # "x:", or "x, y:"
            heads = {word for head in heads for word in re.split(r", | and ", head.replace("*", ""))}
            lacking += [f"{name}({p.name})" for p in asked if p.name not in heads]
    assert not lacking


def test_every_function_says_what_it_raises():
    """Pictures draw what was found, and raise nothing of their own."""
    functions = {name: thing for name, thing in public().items() if inspect.isfunction(thing) and parameters(thing)}
    lacking = [n for n, thing in functions.items() if ".plots." not in n and "Raises:" not in document(thing)]
    assert not lacking


def test_everything_that_is_built_or_called_has_an_example():
    lacking, shown = [], code()
    for name, thing in public().items():
        room, short = name.split(".")[1], name.rpartition(".")[2]
        result = inspect.isclass(thing) and issubclass(thing, Result)
        if room in CATALOGUES or result or short in GIVEN_BACK | NEEDS_MORE or short in drawn_by_a_result():
            continue
        if ">>>" not in document(thing) and not re.search(rf"\b{short}\b *\(", shown):
            lacking.append(name)
    assert not lacking


def test_a_room_opens_with_the_paragraphs_of_its_module():
    """The page of `gd.figures` had run its paragraphs and the lines of its example into one."""
    spec = importlib.util.spec_from_file_location(
        "describe_reference", ROOT / "docs" / "_ext" / "describe_reference.py"
    )
    assert spec is not None
    assert spec.loader is not None
    described = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(described)
    text = "First line\nand second.\n\n    NAME = 1  what it is\n\nThe end."
    shown = described._opening(text)
    assert shown == ["First line\nand second.", "", "```text\nNAME = 1  what it is\n```", "", "The end.", ""]


def test_what_the_writers_of_pages_take_from_each_other_is_there():
    """Two changes met, each tested without the other, and no page could be built any more."""
    files = {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "docs" / "_ext").glob("*.py")}
    defined = {name: {_name(node) for node in tree.body} for name, tree in files.items()}
    taken = [
        (there, node.module, alias.name)
        for there, tree in files.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in files
        for alias in node.names
    ]
    taken += [
        (there, node.value.id, node.attr)
        for there, tree in files.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in _imported(tree, files)
    ]
    assert len(taken) > 100
    lost = [f"{there}: {module}.{name}" for there, module, name in taken if name not in defined[module]]
    assert not lost


def _name(node):
    """What a statement of a module defines, where it is one name."""
    target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", node)
    return getattr(target, "name", getattr(target, "id", None))


def _imported(tree, files):
    return {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names} & set(files)
