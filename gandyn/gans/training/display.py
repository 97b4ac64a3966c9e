"""Progress of a run: a bar with speed and time left on a terminal, a line now and then where output is piped."""

from __future__ import annotations

import sys
import time
from typing import Any, TextIO

from ..monitor import Finding
from .log import Row

QUIET_SECONDS = 10.0


class Display:
    """What a run tells about itself, step by step; this one is silent."""

    def step(self, done: int) -> None:
        """Called after each step, with the number of steps done."""

    def row(self, row: Row) -> None:
        """Called after each row of the log, with the row."""

    def finding(self, finding: Finding) -> None:
        """Called when the monitor sees a failure mode begin."""

    def close(self) -> None:
        """Called once, when the run ends."""


class Lines(Display):
    """One plain line every ten seconds and at the end, and one for each finding."""

    def __init__(self, start: int, steps: int, stream: TextIO | None = None) -> None:
        self.start, self.steps, self.stream = start, steps, stream or sys.stderr
        self.began = time.perf_counter()
        self.last = self.began - QUIET_SECONDS

    def row(self, row: Row) -> None:
        """The row's main numbers, if the last line is old enough or the run is over."""
        now = time.perf_counter()
        if now - self.last < QUIET_SECONDS and row["step"] < self.steps:
            return
        self.last = now
        rate = max(row["step"] - self.start, 1) / max(now - self.began, 1e-9)
        left = (self.steps - row["step"]) / rate
        text = f"step {row['step']}/{self.steps}  {rate:.3g} steps/s  {left:.0f} s left  {headline(row)}"
        print(text, file=self.stream, flush=True)

    def finding(self, finding: Finding) -> None:
        """Print a finding of the monitor on a line of its own."""
        print(f"! {finding}", file=self.stream, flush=True)


class Bar(Display):
    """A bar by rich, with steps a second, time left and the last numbers."""

    def __init__(self, start: int, steps: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self.began, self.start, self.shown = time.perf_counter(), start, 0.0
        self.bar = Progress(
            BarColumn(24), MofNCompleteColumn(), TextColumn("{task.fields[speed]}"), TimeRemainingColumn(),
            TextColumn("{task.fields[numbers]}"), console=Console(stderr=True),
        )  # fmt: skip
        self.task = self.bar.add_task("", total=steps, completed=start, speed="", numbers="")
        self.bar.start()

    def step(self, done: int) -> None:
        """Move the bar, ten times a second at most."""
        now = time.perf_counter()
        if now - self.shown > 0.1:
            self.shown = now
            rate = (done - self.start) / max(now - self.began, 1e-9)
            self.bar.update(self.task, completed=done, speed=f"{rate:.3g} steps/s")

    def row(self, row: Row) -> None:
        """Show the last row's numbers beside the bar."""
        self.bar.update(self.task, completed=row["step"], numbers=headline(row))

    def finding(self, finding: Finding) -> None:
        """Print a finding of the monitor above the bar."""
        self.bar.console.print(f"! {finding}", highlight=False, markup=False)

    def close(self) -> None:
        """Stop drawing the bar, and leave it on the screen."""
        self.bar.stop()


def headline(row: Row) -> str:
    """Losses and the first metrics in a few words."""
    words = [f"{name[0].upper()} {value:.3g}" for name, value in row["losses"].items()]
    metrics = {k: v for k, v in (row.get("metrics") or {}).items() if isinstance(v, (int, float))}
    return "  ".join([*words, *(f"{name} {value:.3g}" for name, value in list(metrics.items())[:3])])


def display(progress: Any, start: int, steps: int) -> Display:
    """The display asked for: True chooses by whether stderr is a terminal; an object is used as it is."""
    if progress is True:
        return Bar(start, steps) if sys.stderr.isatty() else Lines(start, steps)
    return progress or Display()
