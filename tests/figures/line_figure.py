"""A figure made for the tests, and how it is computed."""

from __future__ import annotations

import sys

import pytest

import gandyn as gd
from gandyn.cli import main

NAMES = sorted(gd.figures.figures())


FIGURE = '''"""A line, as in the paper; agreement."""

import pathlib
import numpy as np
from gandyn.figures import Expected

PAPER, TITLE, SOURCE = "Nobody 1999", "A line", "figure 1"
COUNTED = pathlib.Path(__file__).with_suffix(".count")

def compute(quick):
    COUNTED.write_text(COUNTED.read_text() + "x" if COUNTED.exists() else "x")
    points = 11 if quick else 101
    return {"x": np.linspace(0, 1, points), "slope": 2.0, "what": "a line", "far": float("inf")}

class Picture:
    def __init__(self, text):
        self.text = text

    def suptitle(self, text, **style):
        self.text = f"{text}; {self.text}"

    def savefig(self, file, format, metadata, dpi):
        file.write(f"{format} {self.text}".encode())

def draw(data):
    return Picture(f"height of {data['what']}: {data['x'] * data['slope']}")

EXPECTED = (
    Expected("slope", 2.0, 0.0, "by construction", lambda data: data["slope"]),
    Expected("points", 101, 0, "full settings", lambda data: len(data["x"]), quick=False),
)
'''


def run(arguments, capsys):
    """(status, stdout, stderr) of the command."""
    argv, sys.argv = sys.argv, ["gandyn", *map(str, arguments)]
    try:
        with pytest.raises(SystemExit) as exit_:
            main()
    finally:
        sys.argv = argv
    out = capsys.readouterr()
    return exit_.value.code or 0, out.out, out.err
