"""`gandyn analyze`: no section ends in a traceback, and a stochastic game is named with its mean."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from gandyn.cli.app import app


def analyze(*arguments):
    result = CliRunner().invoke(app, ["analyze", *arguments])
    assert result.exception is None, result.exception
    return result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("stochastic_bilinear",), marks=pytest.mark.slow),
        ("stochastic_bilinear", "--rule", "GDA(0.05)"),
        pytest.param(("robust_regression", "--rule", "GDA(0.05)"), marks=pytest.mark.slow),
        ("prisoners_dilemma", "--at", "0,0,0,0,0,0,0,0,0,0", "--rule", "GDA(0.05)"),
        pytest.param(("mixture_game",), marks=pytest.mark.slow),
        pytest.param(("matrix_game", "--set", "A=[[1,2],[3,4]]", "--rule", "GDA(0.1)"), marks=pytest.mark.slow),
        pytest.param(("density_game", "--rule", "OptimisticGD(0.1)"), marks=pytest.mark.slow),
    ],
    ids=" ".join,
)
def test_no_section_fails(arguments):
    assert not [
        why for why in json.loads(analyze(*arguments, "--json"))["skipped"].values() if why.startswith("failed")
    ]


def test_a_stochastic_game_is_analysed_in_the_mean_and_says_so():
    page = analyze("stochastic_bilinear", "--rule", "GDA(0.05)")
    assert "its mean game, stochastic bilinear, whole sum" in " ".join(page.split())
    assert "not an equilibrium" not in page
    assert "verdict             repelling" in page


def test_the_simplex_of_matching_pennies_repels():
    page = analyze("matching_pennies", "--rule", "GDA", "--set", "lr=0.1")
    assert "verdict             repelling" in page
    assert "free directions     x1/2 - x2/2, y1/2 - y2/2" in page


def test_a_section_with_a_fault_leaves_the_others(monkeypatch):
    from gandyn.cli import sections

    def broken(subject):
        raise AttributeError("symbols")

    kept = dict(zip(sections.SECTIONS, sections.KEYS.values(), strict=True))
    monkeypatch.setattr(sections, "SECTIONS", (broken, *kept))
    monkeypatch.setattr(sections, "KEYS", {broken: ("broken",), **sections.KEYS})
    page = analyze("bilinear")
    assert "failed: AttributeError: symbols" in page
    assert "The point as a solution" in page
