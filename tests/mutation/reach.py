"""Which fast test reaches which block of the package, and how long each takes: `python -m tests.mutation.drawn cover`.

Every block of every function notes that it ran. It is found in parts, each with a file of its own, so that a run that
was stopped goes on with the next part.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib.abc
import importlib.machinery
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

from .package import ROOT

REACH = ROOT / ".reach"
PARTS = 16
ALIKE = 3
"""Of the cases of one parametrised test so many are run against a mutant."""
LONGEST = 1.2
"""Seconds of the processor: tests that take longer are not run against mutants, nor more cases of one when they do."""

reached: set[tuple[str, int]] = set()


def cover() -> None:
    """Run the fast tests part by part, and keep what passed, in what time, and which blocks it ran."""
    REACH.mkdir(exist_ok=True)
    files = sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / "tests").rglob("test_*.py"))
    for k, part in enumerate([["gandyn"], *(files[i::PARTS] for i in range(PARTS))]):
        if not (REACH / f"{k}.json").exists():
            command = [sys.executable, "-m", "tests.mutation.reach", str(REACH / f"{k}.json"), *part]
            subprocess.run(command, cwd=ROOT, check=False, env={**os.environ, "CI": "1"})


def blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """The lists of statements that a node holds."""
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if isinstance(block, list) and block:
            yield block


class _Noting(ast.NodeTransformer):
    """Each block in a function begins by noting its first line."""

    inside = False

    def visit(self, node: ast.AST) -> ast.AST:
        before, self.inside = self.inside, self.inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        self.generic_visit(node)
        if self.inside:
            for block in blocks(node):
                described = isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None
                note = ast.parse(f"__reached__({block[0].lineno})").body[0]
                block.insert(int(described), ast.fix_missing_locations(ast.copy_location(note, block[0])))
        self.inside = before
        return node


class _Loader(importlib.machinery.SourceFileLoader):
    """Of a module of the package, with its notes."""

    def get_code(self, fullname: str) -> Any:
        return compile(_Noting().visit(ast.parse(self.get_data(self.path))), self.path, "exec", dont_inherit=True)

    def exec_module(self, module: Any) -> None:
        file = pathlib.Path(self.path).relative_to(ROOT / "gandyn").as_posix()
        module.__dict__["__reached__"] = lambda line: reached.add((file, line))
        super().exec_module(module)


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        spec = name.partition(".")[0] == "gandyn" and importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = _Loader(name, spec.loader.path)
        return spec or None


def _spent() -> float:
    """The processor's seconds of this process, and of those that it started and that have ended."""
    return sum(os.times()[:4])


class _TooLong(BaseException):
    """The test is not for mutants."""


class _Notes:
    """For pytest: what each test reaches, and the processor's seconds."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.others: set[str] = set()
        self.spent: Counter[str] = Counter()
        signal.signal(signal.SIGPROF, self._too_long)

    def _too_long(self, *_: Any) -> None:
        raise _TooLong

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        random.Random(0).shuffle(items)
        order = {file: k for k, file in enumerate(dict.fromkeys(item.path for item in items))}
        items.sort(key=lambda item: order[item.path])

    def pytest_runtest_setup(self, item: Any) -> None:
        import pytest

        self.began = _spent()
        if self.spent[item.nodeid.partition("[")[0]] > LONGEST:
            pytest.skip("enough of its kind")
        reached.clear()
        signal.setitimer(signal.ITIMER_PROF, LONGEST, LONGEST / 4)

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.outcome != "passed":
            self.others.add(report.nodeid)
        if report.when == "teardown" and report.outcome != "skipped":
            signal.setitimer(signal.ITIMER_PROF, 0)
            self.spent[report.nodeid.partition("[")[0]] += _spent() - self.began
            lines: dict[str, list[int]] = {}
            for file, line in sorted(reached):
                lines.setdefault(file, []).append(line)
            self.rows[report.nodeid] = {"seconds": round(_spent() - self.began, 3), "blocks": lines}


@dataclasses.dataclass(frozen=True)
class Reach:
    """What `cover` found: of each test that passed its seconds, and the first lines of the blocks it ran by file.

    `complete`: whether all parts are there.
    """

    seconds: dict[str, float]
    blocks: dict[str, dict[str, frozenset[int]]]
    complete: bool

    @classmethod
    def load(cls) -> Reach:
        """Of the parts that are there."""
        parts = sorted(REACH.glob("*.json"))
        rows = {k: v for path in parts for k, v in json.loads(path.read_text("utf-8")).items()}
        found = {test: {f: frozenset(lines) for f, lines in row["blocks"].items()} for test, row in rows.items()}
        return cls({test: row["seconds"] for test, row in rows.items()}, found, len(parts) > PARTS)

    def tests(self, file: str, first: int, last: int) -> list[str]:
        """Tests that reach a block that begins there, those first of which the file is the largest share."""
        found = {}
        for test, files in self.blocks.items():
            lines = files.get(file, frozenset())
            if any(first <= line <= last for line in lines):
                found[test] = -len(lines) / sum(map(len, files.values())), self.seconds[test]
        return sorted(found, key=found.__getitem__)

    def nearest(self, tests: list[str], seconds: float) -> list[str]:
        """The first of them that together take so long, and few of those that differ in their numbers only."""
        chosen: list[str] = []
        spent, alike = 0.0, dict[str, int]()
        for test in tests:
            name = test.partition("[")[0]
            alike[name] = alike.get(name, 0) + 1
            if alike[name] <= ALIKE and (not chosen or spent + self.seconds[test] <= seconds):
                chosen.append(test)
                spent += self.seconds[test]
        return chosen


if __name__ == "__main__":
    import pytest

    sys.modules["tests.mutation.reach"] = sys.modules["__main__"]
    sys.meta_path.insert(0, _Finder())
    notes = _Notes()
    options = ["-q", "-n", "0", "-p", "no:cacheprovider", "--tb=line", "-k", "not interrupt"]  # they have signals too
    pytest.main([*options, *sys.argv[2:]], plugins=[notes])
    passed = {test: row for test, row in notes.rows.items() if test not in notes.others}
    pathlib.Path(sys.argv[1]).write_text(json.dumps(passed), encoding="utf-8")
