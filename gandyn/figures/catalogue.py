"""Which figures there are, and one of them loaded from its file, held to what a figure must define."""

from __future__ import annotations

import dataclasses
import importlib.util
import inspect
import os
import pathlib
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from ..errors import GandynError, ParameterError, refuse_unknown
from .expected import Expected, Outcome

TEXTS = ("PAPER", "TITLE", "SOURCE")
NAME = "paper_figures"


@dataclasses.dataclass(frozen=True)
class PaperFigure:
    """A published figure: what it shows, how its data are computed and drawn, and what they must reproduce.

    Attributes:
        name: of the file, "mescheder_2018_nine_panels". path: the file.
        paper: authors and year. title: what the picture shows. source: the paper's figure. about: the docstring.
        compute: quick -> data. draw: data -> figure. expected: numbers. seed: None where nothing is random.
        verdict: what the saved data come out as; "" for a figure that states none.
    """

    name: str
    path: pathlib.Path
    paper: str
    title: str
    source: str
    about: str
    compute: Callable[[bool], dict[str, Any]]
    draw: Callable[[Mapping[str, Any]], Any]
    expected: tuple[Expected, ...]
    seed: int | None = None
    verdict: str = ""

    @property
    def outcome(self) -> Outcome | None:
        """The outcome that the verdict begins with, the longest of those that it could be; None without a verdict."""
        return max((one for one in Outcome if self.verdict.startswith(one)), key=len, default=None)

    def summary(self) -> str:
        """One line."""
        told = f" [{self.verdict}]" if self.verdict else ""
        return f"{self.name}: {self.title} ({self.paper}, {self.source}){told}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, without the functions."""
        shown = ("name", "paper", "title", "source", "seed", "verdict")
        return {name: getattr(self, name) for name in shown}


def folder(given: str | os.PathLike[str] | None = None) -> pathlib.Path:
    """The folder of figures: given, installed, or beside the package in a checkout. Raises GandynError without one."""
    package = pathlib.Path(__file__).parent.parent
    places = [pathlib.Path(given)] if given is not None else [package / NAME, package.parent / NAME]
    for place in places:
        if place.is_dir():
            return place
    raise GandynError(
        f"there is no folder of figures at {' or '.join(map(str, places))}",
        "a folder with one Python file a figure",
        "--from DIR, or an installation with its figures",
    )


def figures(source: str | os.PathLike[str] | None = None) -> dict[str, pathlib.Path]:
    """Names of all figures and their files, without loading any.

    Example:
        >>> from gandyn.figures import figures
        >>> "goodfellow_2016_orbit" in figures()
        True
    """
    return {path.stem: path for path in sorted(folder(source).glob("[!_]*.py"))}


def find(name: str, source: str | os.PathLike[str] | None = None) -> PaperFigure:
    """The figure of that name. Raises UnknownNameError with the nearest match; ParameterError for another file."""
    known = figures(source)
    refuse_unknown("figure", name, known)
    return load(known[name])


def load(path: str | os.PathLike[str]) -> PaperFigure:
    """A figure from its file. Raises ParameterError with what is missing where it cannot be imported."""
    file = pathlib.Path(path)
    spec = importlib.util.spec_from_file_location(f"{NAME}.{file.stem}", file)
    if spec is None or spec.loader is None:
        raise ParameterError(f"{file} as a figure", "a Python file", "NAME.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ParameterError(f"{file} failed to import: {error!r}", "a figure's file", "correct it") from error
    _check(file, module)
    return PaperFigure(
        file.stem, file, module.PAPER, module.TITLE, module.SOURCE, inspect.getdoc(module) or "", module.compute,
        module.draw, tuple(module.EXPECTED), getattr(module, "SEED", None), getattr(module, "VERDICT", ""),
    )  # fmt: skip


def _check(file: pathlib.Path, module: ModuleType) -> None:
    lacks = [name for name in TEXTS if not (isinstance(getattr(module, name, None), str) and getattr(module, name))]
    lacks += [f"{name}(...)" for name in ("compute", "draw") if not callable(getattr(module, name, None))]
    expected = getattr(module, "EXPECTED", ())
    if not expected or not all(isinstance(one, Expected) for one in expected):
        lacks.append("EXPECTED, a tuple of gandyn.figures.Expected")
    verdict = getattr(module, "VERDICT", "")
    if not isinstance(verdict, str) or (verdict and not verdict.startswith(tuple(Outcome))):
        lacks.append(f"a VERDICT that begins with {', '.join(Outcome)}")
    if not inspect.getdoc(module):
        lacks.append("a docstring that says what is found")
    if lacks:
        raise ParameterError(
            f"the figure {file} lacks {', '.join(lacks)}",
            "a module with everything that a figure states",
            "add what is missing, as help(gandyn.figures) shows",
        )
