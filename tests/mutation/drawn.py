"""Mutants drawn at random from the package's syntax trees, each run against the fast tests that reach its line.

    python -m tests.mutation.drawn cover              once: which test reaches which line (pip install pytest-cov)
    python -m tests.mutation.drawn run --number 300   examine the first so many of the sequence; goes on where it was

An operator, a comparison, a number, a condition or a sign is changed. `drawn.json` then has a row for each, and
`drawn_equivalent.json` the proof for those of which nobody can notice anything.
"""

from __future__ import annotations

import argparse
import ast
import copy as copying
import dataclasses
import hashlib
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from .package import ROOT, PackageCopy
from .run import NOTHING, PASSED, run_tests, warm_up

HERE = pathlib.Path(__file__).parent
RESULTS, EQUIVALENT, COVERAGE = HERE / "drawn.json", HERE / "drawn_equivalent.json", ROOT / ".coverage-lines"
SEED, LIMIT, MOST_TESTS = 2026, 300, 150
OPERATORS: dict[type, type] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.MatMult: ast.Mult,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Drawn:
    """One change: lines `first` to `last` of a file become `text`."""

    file: str
    line: int
    column: int
    find: str
    replace: str
    whole: str  # the file's new text

    @property
    def key(self) -> str:
        """Of the change, wherever its lines have moved to."""
        return hashlib.sha256(repr((self.file, self.line, self.column, self.find, self.replace)).encode()).hexdigest()[
            :12
        ]


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


def sites(path: pathlib.Path) -> Iterator[Drawn]:
    """All changes of a file; annotations, the arguments of errors, and what only type checkers read stay."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line.encode()))
    raw = text.encode()

    def walk(node: ast.AST) -> Iterator[ast.AST]:
        if isinstance(node, ast.Raise | ast.Assert | ast.JoinedStr) or (
            isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        ):
            return
        yield node
        for name, value in ast.iter_fields(node):
            if name in {"annotation", "returns", "decorator_list"}:
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from walk(child)

    for node in walk(ast.parse(text)):
        for changed in changes(node):
            a = starts[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined]
            b = starts[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined]
            new = f"({ast.unparse(changed)})"
            whole = (raw[:a] + new.encode() + raw[b:]).decode()
            file = path.relative_to(ROOT / "gandyn").as_posix()
            yield Drawn(file, node.lineno, node.col_offset, raw[a:b].decode(), new, whole)  # type: ignore[attr-defined]


def sequence(seed: int = SEED) -> list[Drawn]:
    """All changes of the package in a random order that does not depend on anything but them."""
    every = [site for path in sorted((ROOT / "gandyn").rglob("*.py")) for site in sites(path)]
    return sorted(every, key=lambda site: hashlib.sha256(f"{seed} {site.key}".encode()).digest())


def cover() -> None:
    """Run the fast tests once, and keep which of them reach which lines."""
    settings = ROOT / ".coveragerc-lines"
    settings.write_text(f"[run]\nsource = gandyn\ndata_file = {COVERAGE}\n", encoding="utf-8")
    options = ["--cov", f"--cov-config={settings}", "--cov-context=test", "--cov-report="]
    try:
        subprocess.run([sys.executable, "-m", "pytest", "-q", *options], cwd=ROOT, check=False)
    finally:
        settings.unlink()


def tests_of(file: str, line: int) -> list[str]:
    """Tests that reach the line, those that reach few lines first: they are about it, and quick."""
    from coverage.numbits import numbits_to_nums

    with sqlite3.connect(COVERAGE) as database:
        rows = database.execute(
            "select context.context, line_bits.numbits from line_bits join context on context.id = context_id "
            "join file on file.id = file_id where file.path like ?",
            (f"%/gandyn/{file}",),
        ).fetchall()
    reach = {name.partition("|")[0]: numbits_to_nums(bits) for name, bits in rows if name}
    found = sorted((name for name, lines in reach.items() if line in lines), key=lambda name: len(reach[name]))
    return found


def examine(copy: PackageCopy, mutant: Drawn) -> dict[str, Any]:
    """Whether a test that reaches the line notices."""
    tests = tests_of(mutant.file, mutant.line)
    row = {
        "file": mutant.file,
        "line": mutant.line,
        "column": mutant.column,
        "find": mutant.find,
        "replace": mutant.replace,
        "key": mutant.key,
    }
    by, began = "", time.perf_counter()
    path = copy.folder / "gandyn" / mutant.file
    before = path.read_text(encoding="utf-8")
    copy._write(path, mutant.whole)
    try:
        chosen = tests[: MOST_TESTS // 2] + tests[-(MOST_TESTS // 2) :] if len(tests) > MOST_TESTS else tests
        status, failed = run_tests(copy.folder, chosen, LIMIT) if chosen else (NOTHING, [])
        if status not in (PASSED, NOTHING):
            by = failed[0] if failed else "out of time" if status is None else "cannot be collected"
    finally:
        copy._write(path, before)
    return {**row, "tests": len(tests), "killed": bool(by), "by": by, "seconds": round(time.perf_counter() - began, 1)}


def run(number: int) -> None:
    """Examine the first `number` of the sequence that are not yet examined, and sum up."""
    rows = (
        {row["key"]: row for row in json.loads(RESULTS.read_text(encoding="utf-8"))["mutants"]}
        if RESULTS.exists()
        else {}
    )
    warm_up()
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        copy = PackageCopy(pathlib.Path(folder) / "copy", with_tests=True)
        for mutant in sequence()[:number]:
            if mutant.key not in rows:
                rows[mutant.key] = row = examine(copy, mutant)
                verdict = f"killed by {row['by']}" if row["killed"] else "SURVIVED"
                print(
                    f"{row['seconds']} s  {mutant.file}:{mutant.line} {mutant.find!r} -> {mutant.replace!r}: {verdict}"
                )
                write(list(rows.values()))
    print(summary(list(rows.values())))


def write(rows: list[dict[str, Any]]) -> None:
    """`drawn.json`."""
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    RESULTS.write_text(
        json.dumps({"commit": commit.stdout.strip(), "seed": SEED, "mutants": rows}, indent=1) + "\n", encoding="utf-8"
    )


def equivalent() -> dict[str, str]:
    """Proofs by key."""
    proofs: dict[str, str] = json.loads(EQUIVALENT.read_text(encoding="utf-8")) if EQUIVALENT.exists() else {}
    return proofs


def summary(rows: list[dict[str, Any]]) -> str:
    """The share killed of those that are not equivalent, and the survivors."""
    proofs = equivalent()
    counted = [row for row in rows if row["key"] not in proofs]
    killed = sum(row["killed"] for row in counted)
    unreached = sum(row["tests"] == 0 for row in counted)
    share = f"{killed} of {len(counted)} killed ({killed / max(1, len(counted)):.1%})"
    head = f"{share}; {len(rows) - len(counted)} equivalent; {unreached} on lines that no fast test reaches"
    left = [f"  {r['file']}:{r['line']} {r['find']} -> {r['replace']}" for r in counted if not r["killed"]]
    return "\n".join([head, *left])


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation.drawn", description=__doc__)
    parser.add_argument("what", choices=("cover", "run"))
    parser.add_argument("--number", type=int, default=300)
    arguments = parser.parse_args()
    os.chdir(ROOT)
    if arguments.what == "cover":
        cover()
    else:
        run(arguments.number)


if __name__ == "__main__":
    main()
