"""Run the fast tests against every mutant: `python -m tests.mutation.run` from the root, one process by default.

What was found is appended to `progress.jsonl`, so that a run goes on where it was stopped; at the end `results.json` is
written, with a table of the mutants that no test noticed.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import platform
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from typing import Any

from .mutants import MUTANTS, Mutant
from .package import ROOT, PackageCopy
from .selection import stages

HERE = pathlib.Path(__file__).parent
PROGRESS, RESULTS = HERE / "progress.jsonl", HERE / "results.json"
LIMIT = 900
PASSED, FAILED, BROKEN, UNKNOWN, NOTHING = 0, 1, 2, 4, 5


def warm_up() -> None:
    """Import what the package stands on, but not the package: each mutant is a fork of this process."""
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1", MPLBACKEND="Agg", CI="1")
    import mpmath
    import numpy
    import pytest
    import scipy.integrate
    import scipy.optimize
    import sympy
    import torch

    torch.set_num_threads(1)
    assert not any(name.partition(".")[0] == "gandyn" for name in sys.modules)
    del mpmath, numpy, pytest, scipy, sympy


def run_tests(
    folder: pathlib.Path, arguments: list[str], limit: float = LIMIT, processor_seconds: int = LIMIT
) -> tuple[int | None, list[str]]:
    """pytest's status in a fork (None or negative: out of time), and the tests that failed."""
    outcome = folder / "outcome.json"
    outcome.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        os.setsid()
        status = BROKEN
        resource.setrlimit(resource.RLIMIT_CPU, (processor_seconds, processor_seconds + 1))
        try:
            status = _pytest(folder, arguments, outcome)
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(status)
    end = time.monotonic() + limit
    while time.monotonic() < end:
        done, code = os.waitpid(child, os.WNOHANG)
        if done:
            failed = json.loads(outcome.read_text()) if outcome.exists() else []
            return os.waitstatus_to_exitcode(code), failed
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None, []


def _pytest(folder: pathlib.Path, arguments: list[str], outcome: pathlib.Path) -> int:
    """In the fork: the copy is the package, and nothing is printed but to a file."""
    import pytest

    os.chdir(folder)
    root = str(ROOT)
    sys.path[:] = [str(folder), *(p for p in sys.path if os.path.realpath(p or ".") != root)]
    os.environ["PYTHONPATH"] = str(folder)
    output = os.open(folder / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)

    class Failures:
        names: list[str] = []  # noqa: RUF012

        def pytest_runtest_logreport(self, report: Any) -> None:
            if report.failed:
                self.names.append(report.nodeid)

        def pytest_collectreport(self, report: Any) -> None:
            if report.failed:
                self.names.append(report.nodeid)

    plugin = Failures()
    code = pytest.main(["-q", "-x", "-n", "0", "-p", "no:cacheprovider", "--tb=line", *arguments], plugins=[plugin])
    sys.stdout.flush()
    outcome.write_text(json.dumps(plugin.names))
    return int(code)


def examine(copy: PackageCopy, mutant: Mutant, wide: bool) -> dict[str, Any]:
    """Whether a test notices the mutant, which one, and after how long. `wide`: tests that are not about its file."""
    began, by = time.perf_counter(), ""
    *narrow, widest = stages(copy.folder, mutant.file)
    with copy.changed(mutant):
        for arguments in [widest] if wide else narrow:
            status, failed = run_tests(copy.folder, arguments)
            if status not in (PASSED, NOTHING):
                if status is not None and status > 0 and not failed:
                    output = (copy.folder / "output.txt").read_text("utf-8")
                    raise RuntimeError(f"{mutant.name}: the tests end with status {status} and no failure\n{output}")
                by = failed[0] if failed else "out of time"
                break
    return {
        "name": mutant.name, "key": mutant.key, "killed": bool(by), "by": by,
        "seconds": round(time.perf_counter() - began, 1),
    }  # fmt: skip


def load() -> dict[str, dict[str, Any]]:
    """Results so far of mutants that are still in the list, by key."""
    if not PROGRESS.exists():
        return {}
    rows = [json.loads(line) for line in PROGRESS.read_text(encoding="utf-8").splitlines()]
    current = {mutant.key: mutant for mutant in MUTANTS}
    return {row["key"]: {**row, "name": current[row["key"]].name} for row in rows if row["key"] in current}


def work(mutants: list[Mutant], total: int) -> None:
    """Examine these mutants in a copy of their own, and append what comes out."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        copy = PackageCopy(pathlib.Path(folder) / "copy", with_tests=True)
        for wide in (False, True):
            left = []
            for mutant in mutants:
                row = examine(copy, mutant, wide)
                if wide or row["killed"]:
                    with PROGRESS.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(row) + "\n")
                else:
                    left.append(mutant)
                verdict = f"killed by {row['by']}" if row["killed"] else "SURVIVED" if wide else "wider tests later"
                print(f"[{len(load())}/{total}] {row['seconds']:6.1f} s  {mutant.name}: {verdict}", flush=True)
            mutants = left


def false_alarms(rows: list[dict[str, Any]]) -> set[str]:
    """Of the tests that noticed mutants, those that fail on the unchanged package too, or are no more."""
    names = sorted({row["by"] for row in rows if "::" in row["by"]})
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        copy = PackageCopy(pathlib.Path(folder) / "copy", with_tests=True)
        status, failed = run_tests(copy.folder, ["--maxfail=0", *names], 3600)
        output = (copy.folder / "output.txt").read_text(encoding="utf-8")
        if status == UNKNOWN:
            gone = {name for name in names if f"not found: {copy.folder / name.partition('[')[0]}\n" in output}
            if not gone:
                raise RuntimeError(output)
            return gone | false_alarms([row for row in rows if row["by"] not in gone])
    if status not in (PASSED, FAILED):
        raise RuntimeError(f"the tests end with status {status}: {output}")
    return set(failed)


def write_results(rows: dict[str, dict[str, Any]]) -> None:
    """`results.json`: commit, versions, and a row for each mutant."""
    import numpy
    import sympy
    import torch

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    versions = {"python": platform.python_version(), "numpy": numpy.__version__, "sympy": sympy.__version__}
    result = {
        "commit": git("rev-parse", "HEAD"),
        "versions": {**versions, "torch": torch.__version__},
        "mutants": [
            {"name": m.name, "key": m.key, **{k: rows[m.key][k] for k in ("killed", "by", "seconds")}}
            | ({"equivalent": m.equivalent} if m.equivalent else {})
            for m in MUTANTS
        ],
    }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def summary(rows: dict[str, dict[str, Any]]) -> str:
    """The share killed, room by room, and the survivors."""
    counted = [m for m in MUTANTS if m.key in rows and not m.equivalent]
    killed = Counter(m.file.partition("/")[0] for m in counted if rows[m.key]["killed"])
    of = Counter(m.file.partition("/")[0] for m in counted)
    share = sum(killed.values()) / max(1, len(counted))
    lines = [f"{sum(killed.values())} of {len(counted)} mutants killed ({share:.1%})"]
    lines += [f"  {room:10} {killed[room]:3} of {of[room]:3}" for room in of]
    lines += [f"  survived: {m.name}" for m in counted if not rows[m.key]["killed"]]
    return "\n".join([*lines, *(f"  equivalent: {m.name}: {m.equivalent}" for m in MUTANTS if m.equivalent)])


def main() -> None:
    """Read the command line, examine what is missing, and sum up."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation.run", description=__doc__)
    parser.add_argument("--jobs", type=int, choices=(1, 2), default=1, help="processes at a time")
    parser.add_argument("--only", default="", help="mutants whose name contains this")
    parser.add_argument("--again", action="store_true", help="examine survivors again")
    arguments = parser.parse_args()
    rows = load()
    waiting = [
        m for m in MUTANTS
        if arguments.only in m.name and (m.key not in rows or (arguments.again and not rows[m.key]["killed"]))
    ]  # fmt: skip
    random.Random(0).shuffle(waiting)
    warm_up()
    workers = []
    for k in range(arguments.jobs):
        worker = os.fork()
        if worker == 0:
            work(waiting[k :: arguments.jobs], len(MUTANTS))
            os._exit(0)
        workers.append(worker)
    for worker in workers:
        os.waitpid(worker, 0)
    rows = load()
    if len(rows) == len(MUTANTS):
        wrong = false_alarms(list(rows.values()))
        for row in rows.values():
            row["killed"] = row["killed"] and row["by"] not in wrong
        write_results(rows)
    print(summary(rows))


if __name__ == "__main__":
    main()
