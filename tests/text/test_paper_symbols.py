"""Formulas in the letters of papers: read back from their LaTeX they are the polynomials that were computed."""

from __future__ import annotations

import re

import pytest

import gandyn as gd

VALUES = {"eta": 0.3, "beta": -0.7, "lambda": 1.1, "gamma": 0.4}


def value(formula, **letters):
    """The number that a formula in LaTeX is, at given values of its letters."""
    text = re.sub(r"\\(left|right)", "", formula)
    text = re.sub(r"\^\{(\d+)\}", r"**\1", text)
    text = re.sub(r"\\frac\{([^{}]+)\}\{([^{}]+)\}", r"((\1)/(\2))", text)
    text = re.sub(r"\s*([+-])\s*", r"\1", text).replace(" ", "*")
    return eval(re.sub(r"\\(\w+)", lambda m: f"({(VALUES | letters)[m[1]]!r})", text))


@pytest.mark.parametrize(
    ("rule", "letter"),
    [
        (gd.rules.GDA("lr"), "lambda"),
        (gd.rules.OptimisticGD("lr"), "lambda"),
        (gd.rules.HeavyBall("lr", "momentum"), "lambda"),
        (gd.rules.Consensus("lr", "gamma"), "lambda"),
        (gd.rules.SGA("lr", "lam", align=False), "mu"),
        (None, "lambda"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("game", [gd.games.bilinear(), gd.games.quadratic(1, 2, 3)], ids=lambda game: game.name)
def test_characteristic_polynomials_descend_and_say_what_was_computed(game, rule, letter):
    """An eigenvalue is λ, or μ where the rule's weight is λ; the powers descend; the numbers are those of SymPy."""
    found = gd.linearize(game, rule)
    (formula,) = re.findall(rf"chi\(\\{letter}\) &= (.*?)(?: \\\\)?$", found.latex(), re.MULTILINE)
    powers = [int(p or 1) for p in re.findall(rf"\\{letter}(?:\^\{{(\d+)\}})?", formula)]
    assert powers == sorted(set(powers), reverse=True)
    assert powers[0] == found.exact.matrix.rows
    names = {"lr": "eta", "momentum": "beta", "lam": "lambda", "gamma": "gamma"}
    for z in (0.6, -1.7):
        at = {s: VALUES[names[str(s)]] if str(s) in names else z for s in found.exact.charpoly.free_symbols}
        assert value(formula, **{letter: z}) == pytest.approx(float(found.exact.charpoly.subs(at)), rel=1e-12)
