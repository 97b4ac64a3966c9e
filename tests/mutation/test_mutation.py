"""The list of mutants is about the package as it is, and the committed results are about the list."""

from __future__ import annotations

import json
import pathlib

import pytest

import gandyn as gd
from mutation.drawn import equivalent, summary, wilson
from mutation.mutants import MUTANTS, read
from mutation.selection import SPECIFIC, WIDER, stages, test_files

ROOT = pathlib.Path(__file__).parent.parent.parent
PACKAGE = pathlib.Path(gd.__file__).parent
RESULTS = json.loads((ROOT / "tests" / "mutation" / "results.json").read_text(encoding="utf-8"))
test_files.__test__ = False  # pytest would take it for a test


def test_every_mutant_can_be_made():
    for mutant in MUTANTS:
        text = (PACKAGE / mutant.file).read_text(encoding="utf-8")
        assert mutant.find in text, f"{mutant.file} has no {mutant.find!r}"
        compile(text.replace(mutant.find, mutant.replace, 1), mutant.file, "exec")
        assert mutant.replace != mutant.find
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 150


def test_the_results_are_about_these_mutants():
    assert {(row["name"], row["key"]) for row in RESULTS["mutants"]} == {(m.name, m.key) for m in MUTANTS}
    assert len(RESULTS["commit"]) == 40
    assert set(RESULTS["versions"]) == {"python", "numpy", "sympy", "torch"}


def test_nearly_all_mutants_are_killed_by_a_test_that_exists():
    counted = [row for row in RESULTS["mutants"] if not row.get("equivalent")]
    killed = [row for row in counted if row["killed"]]
    assert len(killed) >= 0.95 * len(counted)
    for row in killed:
        path = row["by"].partition("::")[0]
        assert path == "out of time" or (ROOT / path).exists()


@pytest.mark.parametrize("room", WIDER)
def test_the_selected_tests_exist(room):
    named = [names for pattern, names in SPECIFIC if pattern.startswith(room)] + [WIDER[room]]
    for path in test_files(" ".join(named)):
        assert (ROOT / path).exists(), path
    for mutant in (m for m in MUTANTS if m.file.startswith(f"{room}/")):
        assert sum(len(arguments) for arguments in stages(ROOT, mutant.file)) > 2


def test_the_format_of_the_list():
    (one, two) = read("# Head.\n\n## a/b.py\n\nfirst\n- x\n- y\n+ z\n\nsecond\n= never read\n- 1\n+ 2\n")
    assert (one.file, one.find, one.replace, one.equivalent) == ("a/b.py", "x\ny", "z", "")
    assert (two.name, two.equivalent) == ("a/b.py: second", "never read")


def test_random_mutants_are_accounted_for():
    """Each was noticed, or has a test since, or is listed as left; of few draws the interval is wide, and says so."""
    rows = json.loads((ROOT / "tests" / "mutation" / "drawn.json").read_text(encoding="utf-8"))["mutants"]
    assert len({row["key"] for row in rows}) == len(rows) >= 50
    for row in rows:
        assert row["killed"] == bool(row["by"])
        path, _, name = row.get("since", "").partition("::")
        assert not path or name in (ROOT / path).read_text(encoding="utf-8")
    assert wilson(30, 52) == pytest.approx((0.442, 0.701), abs=1e-3)
    counted = [row for row in rows if row["key"] not in equivalent()]
    killed = sum(row["killed"] or bool(row.get("since")) for row in counted)
    assert summary(rows).startswith(f"{killed} of {len(counted)} killed")
    assert killed >= 0.95 * len(counted)
