"""Every section of the docs that shows what networks did names its seeds and its verdict."""

from __future__ import annotations

import pathlib
import re

import pytest

import gandyn as gd

PAGES = pathlib.Path(__file__).parent.parent.parent / "docs" / "gans"
RESULTS = re.compile(r"```\{catalogue\} (regimes|sweep-|ring-runs|digits-|gan-comparison |prediction|ablation)")
SEEDS = re.compile(r"\b(\d+|one|two|three|four|five|ten)( or more)? seeds?\b|\| seeds \|", re.IGNORECASE)
VERDICT = re.compile(r"^\*\*Verdict:\*\* (.*)$", re.MULTILINE)
SECTIONS = [
    (path.stem, section)
    for path in sorted(PAGES.glob("*.md"))
    for section in re.split(r"(?m)^## ", path.read_text(encoding="utf-8"))
    if RESULTS.search(section)
]


@pytest.mark.parametrize(("page", "section"), SECTIONS, ids=[f"{p}: {s.splitlines()[0]}" for p, s in SECTIONS])
def test_what_networks_show_is_said_with_seeds_and_verdict(page, section):
    assert SEEDS.search(section)
    if page in ("experiments", "comparison"):
        found = VERDICT.findall(section)
        assert found, "say **Verdict:** and one of gd.figures.Outcome"
        assert all(text.startswith(tuple(gd.figures.Outcome)) and SEEDS.search(text) for text in found)


def test_fewer_than_five_seeds_settle_nothing():
    pages = [(PAGES / f"{name}.md").read_text(encoding="utf-8") for name in ("experiments", "comparison")]
    told = [text for page in pages for text in VERDICT.findall(page)]
    few = [text for text in told if re.search(r"\b[1-4] seeds?\b", text)]
    assert len(told) >= 10
    assert all(text.startswith("not settled") for text in few)
