"""How `gandyn analyze` writes: section by section as they come, plain or on a terminal, and what it waits for."""

from __future__ import annotations

import contextlib
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

import typer

from .section_text import Formula

WIDTH, LABEL = 100, 20
LONGEST_ROW = 200


class Page:
    """Plain lines of at most 100 columns, each written at once.

    Args:
        full: formulas in full; otherwise long ones are cut and say that --full has the rest.
        silent: nothing is written, as where JSON is asked for.
    """

    def __init__(self, full: bool = False, silent: bool = False) -> None:
        self.full, self.silent = full, silent

    def _write(self, text: str = "") -> None:
        if not self.silent:
            typer.echo(text)

    def title(self, text: str) -> None:
        """The line at the top."""
        self._write(f"{text}\n{'=' * len(text)}")

    def heading(self, text: str) -> None:
        """The heading of a section."""
        self._write(f"\n{text}\n{'-' * len(text)}")

    def entry(self, name: str, rows: list[str]) -> None:
        """A name, and rows beside it."""
        self._write("\n".join(wrapped(name, rows)))

    def notes(self, late: dict[str, str]) -> None:
        """What is missing, and why."""
        if late:
            self._write()
        for name, why in late.items():
            self.entry(name, [why])

    def section(self, section: Any) -> None:
        """A section whole."""
        self.heading(section.title)
        for name, rows in section.entries:
            self.entry(name, [self.cut(row) for row in rows])

    def cut(self, row: str) -> str:
        """A row as it is shown."""
        if not isinstance(row, Formula):
            return row
        if self.full:
            return row.full
        return row if len(row) <= LONGEST_ROW else f"{row[:LONGEST_ROW]} ... (--full)"


class Terminal(Page):
    """A page of `gandyn analyze` on a terminal: bold titles, colours, and lines across it."""

    def __init__(self, full: bool = False) -> None:
        from rich.console import Console

        super().__init__(full)
        self.console = Console(highlight=False)
        self.console.width = min(WIDTH, self.console.width)

    def title(self, text: str) -> None:
        """The title, in bold."""
        self.console.print(text, style="bold", markup=False)

    def heading(self, text: str) -> None:
        """The heading, in a line across the terminal."""
        from rich.rule import Rule

        self.console.print()
        self.console.print(Rule(text, align="left", style="dim"))

    def entry(self, name: str, rows: list[str]) -> None:
        """The entry, as a row of a table."""
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        table.add_column(style="cyan", width=LABEL - 2)
        table.add_column(overflow="fold")
        style = {"verdict": "bold", "in short": "bold", "because": "dim"}.get(name, "")
        table.add_row(name, Text("\n".join(rows), style=style))
        self.console.print(table)

    def notes(self, late: dict[str, str]) -> None:
        """The notes, in yellow."""
        for name, why in late.items():
            self.console.print(f"\n{name}: {why}", style="yellow", markup=False, end="")
        self.console.print()


@contextlib.contextmanager
def waiting(what: str, seconds: float | None = None) -> Iterator[None]:
    """A bar on stderr, where somebody watches, for as long as the block runs; with the most that it may take."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    most = "" if seconds is None else f"of at most {seconds:g} s"
    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(24), TimeElapsedColumn()
    with Progress(*columns, TextColumn(most), console=Console(stderr=True), transient=True) as bar:
        bar.add_task(what, total=None)
        yield


def wrapped(name: str, rows: list[str]) -> list[str]:
    """The rows of an entry beside its name; what is longer than the page goes on below, indented."""
    result = []
    for k, row in enumerate(rows):
        label = f"{name if k == 0 else '':<{LABEL}}"
        if len(label) + len(row) <= WIDTH:
            result.append(label + row)
            continue
        further = " " * (LABEL + 4)
        result += textwrap.wrap(row, WIDTH, initial_indent=label, subsequent_indent=further, break_long_words=False)
    return result
