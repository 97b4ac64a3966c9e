"""Make many figures, each in a process of its own: one that fails, or is killed, stops no other."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..arguments import whole
from ..errors import refuse_unknown
from ..results import Result
from .catalogue import figures
from .expected import Checked, Outcome
from .making import DEFAULT_STYLE, STYLES, Made, prepared

Watch = Callable[[str, Made | None], None]


@dataclasses.dataclass(frozen=True, repr=False)
class Report(Result):
    """What became of many figures, in the order of their names."""

    made: tuple[Made, ...]

    _data = "ok outcome figures=made"

    @property
    def ok(self) -> bool:
        """Whether every figure was made and every expected number was reproduced."""
        return all(one.ok for one in self.made)

    @property
    def outcome(self) -> Outcome:
        """The worst outcome among the figures."""
        worst = [one.outcome for one in self.made] or [Outcome.REPRODUCED]
        return max(worst, key=list(Outcome).index)

    def summary(self) -> str:
        """A line a figure; misses and errors in full."""
        lines = []
        for one in self.made:
            lines.append(one.headline)
            lines += [f"  {line}" for line in one.error.rstrip().splitlines()]
            lines += [f"  {check.summary()}" for check in (*one.checks, *one.effects) if not check.holds]
        return "\n".join([*lines, f"of {len(self.made)} figures: {tally(one.outcome for one in self.made)}"])

    def _headline(self) -> str:
        return f"of {len(self.made)} figures, {sum(one.ok for one in self.made)} without a wrong number"


def make_all(
    names: Sequence[str] | None = None,
    quick: bool = False,
    style: str = DEFAULT_STYLE,
    out: str | os.PathLike[str] = "figures",
    force: bool = False,
    source: str | os.PathLike[str] | None = None,
    jobs: int = 2,
    watch: Watch | None = None,
) -> Report:
    """Make these figures, all by default, `jobs` at a time; what is up to date is kept.

    Interrupted, it ends its processes; what they had finished stays, and the next call goes on from there.

    Args:
        names, quick, style, out, force, source: as for `make`.
        jobs: processes at a time; they share the cores.
        watch: called with (name, None) when a figure begins and (name, Made) when it ends, from several threads.

    Raises:
        UnknownNameError: for an unknown figure or style. OutputError: where nothing can be written.
    """
    known = figures(source)
    chosen = sorted(known) if names is None else list(names)
    for name in chosen:
        refuse_unknown("figure", name, known)
    refuse_unknown("style", style, STYLES)
    whole("jobs", jobs)
    options = {"quick": quick, "style": style, "out": str(prepared(out).resolve()), "force": force}
    options["source"] = None if source is None else str(pathlib.Path(source).resolve())
    workers = _Workers(options, jobs, watch or (lambda name, made: None))
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        tasks = [pool.submit(workers.run, name) for name in chosen]
        try:
            return Report(tuple(task.result() for task in tasks))
        except BaseException:
            workers.stop()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def tally(outcomes: Iterable[Outcome]) -> str:
    """How many of each verdict, from best to worst: "36 reproduced, 2 contradicted".

    Example:
        >>> tally([Outcome.CONTRADICTED, Outcome.REPRODUCED, Outcome.REPRODUCED])
        '2 reproduced, 1 contradicted'
    """
    found = list(outcomes)
    return ", ".join(f"{found.count(one)} {one}" for one in Outcome if one in found)


class _Workers:
    """Processes that each make one figure and answer with a line of JSON."""

    def __init__(self, options: dict[str, Any], jobs: int, watch: Watch) -> None:
        self.options, self.watch = options, watch
        self.running: set[subprocess.Popen[str]] = set()
        self.lock, self.stopped = threading.Lock(), False
        package = pathlib.Path(__file__).parent.parent.parent
        paths = [str(package), *filter(None, [os.environ.get("PYTHONPATH")])]
        threads = str(max(1, (os.cpu_count() or 1) // jobs))
        self.environment = {"OMP_NUM_THREADS": threads, **os.environ, "PYTHONPATH": os.pathsep.join(paths)}

    def run(self, name: str) -> Made:
        with self.lock:
            if self.stopped:
                return self._failed(name, "interrupted")
            process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "gandyn.figures.worker", json.dumps({"figure": name, **self.options})],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environment,
            )  # fmt: skip
            self.running.add(process)
        self.watch(name, None)
        try:
            output, errors = process.communicate()
        finally:
            with self.lock:
                self.running.discard(process)
        made = self._answer(name, process.returncode, output, errors)
        self.watch(name, made)
        return made

    def stop(self) -> None:
        with self.lock:
            self.stopped = True
            for process in self.running:
                process.terminate()

    def _answer(self, name: str, status: int, output: str, errors: str) -> Made:
        if status:
            return self._failed(name, f"{errors.strip()}\nits process ended with status {status}")
        answer = json.loads(output.splitlines()[-1])
        for derived in ("ok", "outcome", "gandyn"):
            answer.pop(derived)
        checks, effects = (tuple(map(Checked.of, answer.pop(kind))) for kind in ("checks", "effects"))
        return Made(**answer, checks=checks, effects=effects)

    def _failed(self, name: str, why: str) -> Made:
        return Made(name, self.options["quick"], self.options["style"], error=why.strip())
