"""Mutants drawn at random from the package's syntax trees, each run against fast tests that reach its line.

    python -m tests.mutation.drawn cover              once: which test reaches which block
    python -m tests.mutation.drawn run --number 300   examine the first so many of the sequence; goes on where it was
    python -m tests.mutation.drawn near --number 300  the same without `cover`, by files that speak of it: the four
                                                      nearest; who lives there `waits` for others
    python -m tests.mutation.drawn again              survivors once more, against the tests as they are now

An operator, a comparison, a number, a condition or a sign is changed. `drawn.json` then has a row for each, and
`drawn_equivalent.json` the proof for those of which nobody can notice anything. A row's `since` is the test that was
written for a survivor, and kills it; a row that `waits` was not yet run against all tests that reach its line.
"""

from __future__ import annotations

import argparse
import ast
import copy as copying
import dataclasses
import hashlib
import json
import math
import os
import pathlib
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from .package import ROOT, PackageCopy
from .reach import Reach, blocks, cover
from .run import NOTHING, PASSED, run_tests, warm_up
from .selection import nearest

HERE = pathlib.Path(__file__).parent
RESULTS, EQUIVALENT = HERE / "drawn.json", HERE / "drawn_equivalent.json"
SEED, SECONDS, LIMIT = 2026, 6.0, 25
ENDLESS = 10**9
OPERATORS: dict[type, type] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.MatMult: ast.Mult,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Drawn:
    """One change: `find` in a function of a file becomes `replace`.

    Attributes:
        file: from the package's folder. scope: the dotted name of the function or class, empty in the module itself.
        ordinal: how many equal changes of the scope come before it. line: where it is now. reached_by: whoever runs it
        runs a block that begins in these lines. start, end: of `find`, in bytes.
    """

    file: str
    scope: str
    find: str
    replace: str
    ordinal: int
    line: int
    reached_by: tuple[int, int]
    start: int
    end: int

    @property
    def key(self) -> str:
        """Of the change, wherever its function has moved to in the file."""
        return hashlib.sha256(
            repr((self.file, self.scope, self.find, self.replace, self.ordinal)).encode()
        ).hexdigest()[:12]

    def applied(self, text: str) -> str:
        """The file's new text."""
        raw = text.encode()
        return (raw[: self.start] + self.replace.encode() + raw[self.end :]).decode()


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """The node with one thing in it changed, in every way this knows."""
    if (
        isinstance(node, ast.BinOp)
        and type(node.op) in OPERATORS
        and not isinstance(node.left, ast.Constant | ast.JoinedStr)
    ):
        yield _with(node, op=OPERATORS[type(node.op)]())
    elif isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in OPERATORS:
        yield _with(node, ops=[OPERATORS[type(node.ops[0])]()])
    elif isinstance(node, ast.BoolOp):
        yield _with(node, op=OPERATORS[type(node.op)]())
    elif isinstance(node, ast.IfExp):
        yield _with(node, body=node.orelse, orelse=node.body)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not):
        yield node.operand
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield _with(node, value=not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield _with(node, value=node.value + 1 if isinstance(node.value, int) else node.value * 2 + 1)


def _with(node: ast.AST, **fields: Any) -> ast.AST:
    other = copying.copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return other


@dataclasses.dataclass(frozen=True)
class _Place:
    """Where in a file a node is: the names around it, and first lines of blocks of which one runs when it matters."""

    names: tuple[str, ...] = ()
    lines: tuple[int, int] = (1, ENDLESS)


def _walk(node: ast.AST, place: _Place, inside: bool = False) -> Iterator[tuple[ast.AST, _Place]]:
    """All nodes but annotations, the arguments of errors, and what only type checkers read."""
    if isinstance(node, ast.Raise | ast.Assert | ast.JoinedStr) or (
        isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
    ):
        return
    yield node, place
    function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        # defaults and fields matter to whoever runs what follows them
        place = _Place((*place.names, node.name), (node.lineno, node.end_lineno or ENDLESS))
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list"}:
            continue
        there = place
        if (inside or function) and isinstance(value, list) and any(value is block for block in blocks(node)):
            there = dataclasses.replace(place, lines=(value[0].lineno, value[0].lineno))
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _walk(child, there, inside or function)


def sites(path: pathlib.Path) -> Iterator[Drawn]:
    """All changes of a file."""
    text = path.read_text(encoding="utf-8")
    raw, starts = text.encode(), [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line.encode()))
    file, seen = path.relative_to(ROOT / "gandyn").as_posix(), Counter[tuple[str, ...]]()
    for node, place in _walk(ast.parse(text), _Place()):
        for changed in changes(node):
            assert isinstance(node, ast.expr)
            start = starts[node.lineno - 1] + node.col_offset
            end = starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
            same = ".".join(place.names), raw[start:end].decode(), f"({ast.unparse(changed)})"
            seen[same] += 1
            yield Drawn(file, *same, seen[same] - 1, node.lineno, place.lines, start, end)


def sequence(seed: int = SEED) -> list[Drawn]:
    """All changes of the package in a random order that does not depend on anything but them."""
    every = [site for path in sorted((ROOT / "gandyn").rglob("*.py")) for site in sites(path)]
    return sorted(every, key=lambda site: hashlib.sha256(f"{seed} {site.key}".encode()).digest())


def examine(copy: PackageCopy, mutant: Drawn, reach: Reach, seconds: float) -> dict[str, Any]:
    """Whether one of the nearest tests that reach the line notices."""
    tests = reach.tests(mutant.file, *mutant.reached_by)
    chosen = reach.nearest(tests, seconds)
    by, began = "", time.perf_counter()
    path = copy.folder / "gandyn" / mutant.file
    before = path.read_text(encoding="utf-8")
    copy._write(path, mutant.applied(before))
    try:
        status, failed = run_tests(copy.folder, chosen, 10 * LIMIT, LIMIT) if chosen else (NOTHING, [])
        if status not in (PASSED, NOTHING):
            if status is not None and status > 0 and not failed:
                raise RuntimeError((copy.folder / "output.txt").read_text("utf-8"))
            by = failed[0] if failed else "out of time"
    finally:
        copy._write(path, before)
    return _row(mutant, len(tests), len(chosen), by, began)


def _row(mutant: Drawn, reach: int, ran: int, by: str, began: float) -> dict[str, Any]:
    spent = round(time.perf_counter() - began, 1)
    place = {"file": mutant.file, "scope": mutant.scope, "line": mutant.line}
    change = {"find": mutant.find, "replace": mutant.replace, "key": mutant.key}
    return {**place, **change, "reach": reach, "ran": ran, "killed": bool(by), "by": by, "seconds": spent}


def examine_near(copy: PackageCopy, mutant: Drawn) -> dict[str, Any]:
    """Whether the test files that speak of it notice; who runs out of time noticed nothing."""
    began = time.perf_counter()
    path = copy.folder / "gandyn" / mutant.file
    before = path.read_text(encoding="utf-8")
    files = nearest(copy.folder, mutant.file, mutant.scope)
    ran = len(files)
    copy._write(path, mutant.applied(before))
    try:
        status, failed = run_tests(copy.folder, files, 60 * LIMIT, 3 * LIMIT)
        by = failed[0] if status == 1 and failed else ""
    finally:
        copy._write(path, before)
    return _row(mutant, ran, ran, by, began)


def run(number: int, seconds: float, again: bool = False, near: bool = False) -> None:
    """Examine the first `number` of the sequence that are not yet examined, or all that survived, and sum up."""
    rows, reach = load(), Reach.load()
    mutants = [m for m in sequence() if m.key in rows and not rows[m.key]["killed"]] if again else sequence()[:number]
    warm_up()
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        copy = PackageCopy(pathlib.Path(folder) / "copy", with_tests=True)
        for beside in ROOT.iterdir():  # what tests read beside the package
            if not beside.name.startswith(".") and not (copy.folder / beside.name).exists():
                (copy.folder / beside.name).symlink_to(beside)
        for mutant in mutants:
            if again or mutant.key not in rows or (rows[mutant.key].get("waits") and not near):
                row = examine_near(copy, mutant) if near else examine(copy, mutant, reach, seconds)
                if row["killed"] or near or reach.complete:  # else a test of another part may notice
                    rows[mutant.key] = row | ({"waits": True} if near and not row["killed"] else {})
                verdict = f"killed by {row['by']}" if row["killed"] else f"SURVIVED {row['ran']} of {row['reach']}"
                change = f"{mutant.find!r} -> {mutant.replace!r}"
                print(f"{row['seconds']} s  {mutant.file}:{mutant.line} {change}: {verdict}", flush=True)
                write(list(rows.values()))
    print(summary(list(rows.values())))


def load() -> dict[str, dict[str, Any]]:
    """The rows so far, by key."""
    if not RESULTS.exists():
        return {}
    return {row["key"]: row for row in json.loads(RESULTS.read_text(encoding="utf-8"))["mutants"]}


def write(rows: list[dict[str, Any]]) -> None:
    """`drawn.json`."""
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    result = {"commit": commit.stdout.strip(), "seed": SEED, "mutants": rows}
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def equivalent() -> dict[str, str]:
    """Proofs by key."""
    proofs: dict[str, str] = json.loads(EQUIVALENT.read_text(encoding="utf-8")) if EQUIVALENT.exists() else {}
    return proofs


def wilson(killed: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's interval of 95 % for a share: (p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n)."""
    if not of:
        return 0.0, 1.0
    share, a = killed / of, z**2 / of
    half = math.sqrt(share * (1 - share) * a + a**2 / 4)
    return (share + a / 2 - half) / (1 + a), (share + a / 2 + half) / (1 + a)


def summary(rows: list[dict[str, Any]]) -> str:
    """The share killed of those that are not equivalent, as drawn and with the tests written since; the survivors."""
    proofs = equivalent()
    counted = [row for row in rows if row["key"] not in proofs]
    killed = sum(row["killed"] or bool(row.get("since")) for row in counted)
    low, high = wilson(killed, len(counted))
    share = f"{killed} of {len(counted)} killed ({killed / max(1, len(counted)):.1%}; 95 %: {low:.1%} to {high:.1%})"
    unreached = sum(row["reach"] == 0 for row in counted)
    drawn = f"{sum(row['killed'] for row in counted)} as drawn, {len(waiting(counted))} wait for other tests"
    head = f"{share}; {drawn}; {len(rows) - len(counted)} equivalent; {unreached} on lines that no fast test reaches"
    left = [
        f"  {r['file']}:{r['line']} {r['find']} -> {r['replace']}"
        for r in counted
        if not (r["killed"] or r.get("since"))
    ]
    return "\n".join([head, *left])


def waiting(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that lived through the nearest test files and have been run against no others."""
    return [row for row in rows if row.get("waits") and not (row["killed"] or row.get("since"))]


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation.drawn", description=__doc__)
    parser.add_argument("what", choices=("cover", "run", "near", "again"))
    parser.add_argument("--number", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of tests against each mutant")
    arguments = parser.parse_args()
    os.chdir(ROOT)
    if arguments.what == "cover":
        cover()
    else:
        run(arguments.number, arguments.seconds, arguments.what == "again", arguments.what == "near")


if __name__ == "__main__":
    main()
