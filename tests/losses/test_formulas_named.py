"""Every formula that docs/losses.md lists is an object of the package, and the test beside it exists."""

from __future__ import annotations

import functools
import pathlib
import re

import pytest

import gandyn as gd

ROOT = pathlib.Path(__file__).parent.parent.parent
ROWS = re.findall(r"^\| (.+) \| `gandyn\.([\w.]+)` \| `(tests/[\w/]+\.py)::(\w+)` \|$",
                  (ROOT / "docs" / "losses.md").read_text(encoding="utf-8"), re.MULTILINE)  # fmt: skip


@pytest.mark.parametrize(("formula", "name", "path", "test"), ROWS, ids=[row[0] for row in ROWS])
def test_the_object_and_the_test_of_a_formula_exist(formula, name, path, test):
    assert functools.reduce(getattr, name.split("."), gd) is not None
    assert re.search(rf"(?m)^def {test}\(", (ROOT / path).read_text(encoding="utf-8"))


def test_no_row_of_the_table_is_left_out():
    text = (ROOT / "docs" / "losses.md").read_text(encoding="utf-8")
    assert len(ROWS) == text.count("| `tests/") >= 26
