"""Reference pages of the rooms that have no catalogue: everything public of a room, from its `__all__` or its files."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import textwrap
from collections.abc import Iterator
from typing import Any

import gandyn as gd
from gandyn import errors as error_module

ROOMS = (
    *("types", "worlds", "results", "errors", "registry", "classes", "symbolic"),
    *("noise", "dynamics", "analysis", "optim", "gans", "watching", "claims", "plots", "explorer", "figures"),
)
BASES = {
    "rules": ["Rule"],
    "games": ["SymbolicGame", "from_sympy", "from_torch"],
    "losses": ["Loss", "PairLoss", "Divergence", "Measured", "resolve", "batch_mean"],
    "penalties": ["Penalty", "GradientPenalty"],
}


def top_level() -> list[str]:
    """Functions of `import gandyn as gd`: what is in `gd.__all__` and not a room."""
    names = [n for n in gd.__all__ if not inspect.ismodule(getattr(gd, n)) and not n.startswith("_")]
    return sorted(names)


def members(room: str) -> Iterator[tuple[str, Any]]:
    """(dotted name, object) of what a room offers by its `__all__`, then of what else its files define."""
    module = importlib.import_module(f"gandyn.{room}")
    offered = {n: getattr(module, n) for n in getattr(module, "__all__", ()) if _is_documentable(getattr(module, n))}
    for name, thing in sorted(offered.items()):
        yield f"{module.__name__}.{name}", thing
    modules = [module]
    for found in sorted(m.name for m in pkgutil.iter_modules(getattr(module, "__path__", []))):
        modules.append(importlib.import_module(f"gandyn.{room}.{found}"))
    listed = set(map(id, offered.values()))
    for part in modules:
        for name, thing in sorted(vars(part).items()):
            own = _is_documentable(thing) and thing.__module__ == part.__name__ and thing.__name__ == name
            if own and not name.startswith("_") and id(thing) not in listed:
                yield f"{part.__name__}.{name}", thing


def _is_documentable(thing: Any) -> bool:
    return (inspect.isclass(thing) or inspect.isfunction(thing)) and thing.__module__.startswith("gandyn")


def generated_pages() -> dict[str, str]:
    """`generated/reference/ROOM.md` for each room that exists, and `generated/reference/gandyn.md`."""
    pages = {"reference/gandyn.md": _top_page()}
    for room in ROOMS:
        try:
            module = importlib.import_module(f"gandyn.{room}")
        except ModuleNotFoundError as error:
            if error.name != f"gandyn.{room}":
                raise
            continue
        found = list(members(room))
        if not found:
            continue
        lines = [f"# gandyn.{room}", "", *_opening(inspect.getdoc(module) or ""), "```{eval-rst}"]
        known = {id(getattr(gd, name)) for name in top_level() if name != "GandynError"}
        for name, thing in found:
            if id(thing) not in known:
                lines += _directive(name, thing)
        pages[f"reference/{room}.md"] = "\n".join([*lines, "```", ""])
    return pages


def _opening(text: str) -> list[str]:
    """A module's docstring as Markdown: its paragraphs, and what is indented as a block."""
    lines: list[str] = []
    for paragraph in text.split("\n\n"):
        shown = textwrap.dedent(paragraph)
        lines += [shown if shown == paragraph else f"```text\n{shown}\n```", ""]
    return lines


def _top_page() -> str:
    lines = ["# gandyn", "", "What `import gandyn as gd` offers directly.", "", "```{eval-rst}"]
    for name in top_level():
        thing = getattr(gd, name)
        if not (inspect.isclass(thing) and issubclass(thing, Exception)):
            lines += _directive(f"gandyn.{name}", thing)
    lines += ["```", "", "## What the catalogues build on", "", "```{eval-rst}"]
    for room, names in BASES.items():
        for name in names:
            thing = getattr(importlib.import_module(f"gandyn.{room}"), name, None)
            if thing is not None and not thing.__module__.startswith("gandyn.types"):
                lines += _directive(f"{thing.__module__}.{thing.__name__}", thing)
    return "\n".join([*lines, "```", ""])


def _directive(name: str, thing: Any) -> list[str]:
    if inspect.isclass(thing):
        options = ["   :members:", "   :member-order: bysource", "   :exclude-members: set"]
        return [f".. autoclass:: {name}", *options, ""]
    return [f".. autofunction:: {name}", ""]


def pages() -> list[str]:
    """Each page with what is on it, in the words of its room; what is used most comes first."""
    listed, hidden = [], ["```{toctree}", ":hidden:", ""]
    for name, page in generated_pages().items():
        title, _, told = page.partition("\n\n")
        about = told.partition("\n\n")[0].partition("  ")[0]  # its first paragraph
        listed += [f"[{title.removeprefix('# ')}](/generated/{name})", f": {about}", ""]
        hidden.append(f"/generated/{name.removesuffix('.md')}")
    return [*listed, *hidden, "```", ""]


def errors() -> list[str]:
    """The family of exceptions: what each is for."""
    import markdown

    rows = []
    for name, thing in sorted(vars(error_module).items()):
        if inspect.isclass(thing) and issubclass(thing, gd.GandynError):
            parents = ", ".join(f"`{base.__name__}`" for base in thing.__bases__)
            rows.append([f"`{name}`", (inspect.getdoc(thing) or "").split("\n")[0], parents])
    return markdown.table(["error", "raised for", "is also a"], rows)


def analyze_json() -> list[str]:
    """The keys of `gandyn analyze --json`."""
    import markdown

    from gandyn.cli.schema import FIELDS

    rows = [[f"`{key}`", types.replace("|", " or "), about] for key, types, about in FIELDS]
    return markdown.table(["key", "type", "what it is"], rows)
