"""What bad input gets: one family of exceptions, one line, with what was given, what was needed, and the usual fix."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn import errors

a, b, k = sympy.symbols("a b k", real=True)
GAME = gd.games.bilinear()


def three_players():
    return gd.games.general_quadratic([[1, 2, -1], [0.5, 2, 1], [1, -1, 1]])


# what is done, the class it raises, and words that its message must hold: what was given, and what was needed
MISTAKES = {
    "rule name": (lambda: gd.rules.registry["Simultanous"], errors.UnknownNameError, ["Simultanous", "SimultaneousGD"]),
    "game name": (lambda: gd.games.registry["bilinaer"], errors.UnknownNameError, ["bilinaer", "'bilinear'"]),
    "loss name": (lambda: gd.games.dirac_gan(loss="minmax"), errors.UnknownNameError, ["minmax", "'minimax'"]),
    "penalty name": (lambda: gd.games.dirac_gan(penalty="R9(1)"), errors.UnknownNameError, ["R9", "R1"]),
    "player name": (lambda: GAME.field(np.zeros(2), only="z"), errors.UnknownNameError, ["'z'", "x, y"]),
    "player index": (lambda: GAME.field(np.zeros(2), only=2), errors.UnknownNameError, ["2", "0, 1"]),
    "shape of w": (lambda: GAME.field(np.zeros((4, 3))), errors.ShapeError, ["(4, 3)", "(..., 2)", "x: 1, y: 1"]),
    "a scalar for w": (lambda: GAME.field(1.0), errors.ShapeError, ["()", "(..., 2)"]),
    "shape of u": (lambda: GAME.jvp(np.zeros(2), np.zeros(3)), errors.ShapeError, ["(3,)", "(..., 2)"]),
    "shape of a start": (lambda: gd.iterate(GAME, gd.rules.GDA(0.1), [1, 2, 3], 5), errors.ShapeError, ["(3,)", "2"]),
    "NaN in a start": (
        lambda: gd.iterate(GAME, gd.rules.GDA(0.1), [1.0, math.nan], 5),
        errors.GandynError,
        ["not finite", "finite numbers"],
    ),
    "infinity in a start": (
        lambda: gd.iterate(GAME, gd.rules.GDA(0.1), [[1.0, 2.0], [math.inf, 0.0]], 5),
        errors.GandynError,
        ["not finite", "finite numbers"],
    ),
    "negative steps": (lambda: gd.iterate(GAME, gd.rules.GDA(0.1), [1, 1], -1), errors.ParameterError, ["-1", ">= 0"]),
    "half a step": (lambda: gd.iterate(GAME, gd.rules.GDA(0.1), [1, 1], 2.5), errors.ParameterError, ["2.5", "whole"]),
    "record": (
        lambda: gd.iterate(GAME, gd.rules.GDA(0.1), [1, 1], 5, record="final"),
        errors.ParameterError,
        ["final", '"last"'],
    ),
    "record zero": (lambda: gd.iterate(GAME, gd.rules.GDA(0.1), [1, 1], 5, record=0), errors.ParameterError, ["0"]),
    "lr negative": (lambda: gd.rules.GDA(-0.1), errors.ParameterError, ["-0.1", "positive"]),
    "lr zero": (lambda: gd.rules.GDA(0), errors.ParameterError, ["lr=0", "positive"]),
    "lr NaN": (lambda: gd.rules.GDA(math.nan), errors.ParameterError, ["nan", "positive"]),
    "lr a list inside": (lambda: gd.rules.GDA([[0.1]]), errors.ParameterError, ["one per player"]),
    "lr of three for two": (
        lambda: gd.iterate(GAME, gd.rules.GDA((0.1, 0.2, 0.3)), [1, 1], 5),
        errors.ParameterError,
        ["3 values", "1 or 2", "x, y"],
    ),
    "lr of two for three": (
        lambda: gd.iterate(three_players(), gd.rules.GDA((0.1, 0.2)), [1, 1, 1], 5),
        errors.ParameterError,
        ["2 values", "1 or 3", "x1, x2, x3"],
    ),
    "lr without a player": (
        lambda: gd.iterate(GAME, gd.rules.GDA({"x": 0.1}), [1, 1], 5),
        errors.ParameterError,
        ["none for y", "x, y"],
    ),
    "lr for a stranger": (
        lambda: gd.iterate(GAME, gd.rules.GDA({"x": 0.1, "q": 0.1}), [1, 1], 5),
        errors.UnknownNameError,
        ["'q'", "x, y"],
    ),
    "lr left free": (
        lambda: gd.iterate(GAME, gd.rules.GDA("eta"), [1, 1], 5),
        errors.ParameterError,
        ["eta", "no numeric value", "number"],
    ),
    "game parameter left free": (
        lambda: gd.iterate(gd.games.from_sympy(k * a * b, [a, b]), gd.rules.GDA(0.1), [1, 1], 5),
        errors.ParameterError,
        ["k has no value"],
    ),
    "a cost that ignores its player": (
        lambda: gd.games.from_sympy([b**2, a * b], {"generator": [a], "discriminator": [b]}),
        errors.GameError,
        ["generator", "does not depend", "(a)"],
    ),
    "a torch cost that ignores its player": (
        lambda: gd.games.from_torch(lambda x, y: ((y**2).sum(-1), (x * y).sum(-1)), {"left": 1, "right": 1}),
        errors.GameError,
        ["left"],
    ),
    "costs for other players": (
        lambda: gd.games.from_sympy([a * b, -a * b, a], [a, b]),
        errors.GameError,
        ["3 costs for 2 players"],
    ),
    "a symbol twice": (lambda: gd.games.from_sympy([a * b, a], [[a, b], [a]]), errors.GameError, ["two players"]),
    "a parameter that is not there": (
        lambda: gd.games.from_sympy(k * a * b, [a, b], parameters={"q": 1}),
        errors.ParameterError,
        ["q", "among: k"],
    ),
    "blocks that do not fit": (
        lambda: gd.games.quadratic(a=[[1, 0], [0, 1]], b=1, c=1),
        errors.ShapeError,
        ["(2, 2)", "(1, 1)"],
    ),
    "an order without a player": (
        lambda: gd.rules.AlternatingGD(0.1, order=(0, 0)).check(GAME),
        errors.ParameterError,
        ["order=(0, 0)", "y too"],
    ),
    "repeats below zero": (lambda: gd.rules.AlternatingGD(0.1, repeats=(1, -1)), errors.ParameterError, ["(1, -1)"]),
    "a wrapper around a number": (lambda: gd.rules.Alternating(0.1), errors.ParameterError, ["0.1", "a rule"]),
    "Adam's betas": (lambda: gd.rules.Adam(0.1, betas=(0.9, 1.0)), errors.ParameterError, ["1.0", "0 <= beta < 1"]),
    "tracing torch": (
        lambda: gd.update_map(
            gd.games.from_torch(lambda x, y: (x * y).sum(-1), {"x": 1, "y": 1}), gd.rules.SimultaneousGD(0.1)
        ),
        errors.DomainError,
        ["not defined by symbols", "from_sympy"],
    ),
    "a derivative that does not exist": (
        lambda: gd.update_map(GAME, gd.rules.Adam(0.1)).jacobian_at([0, 0, 0, 0, 0, 0]),
        errors.NotDifferentiableError,
        ["no derivative"],
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_answered_in_one_line(name):
    mistake, kind, words = MISTAKES[name]
    with pytest.raises(gd.GandynError) as caught:
        mistake()
    message = str(caught.value)
    assert isinstance(caught.value, kind)
    assert "\n" not in message
    for word in words:
        assert word in message
    assert caught.value.given
    assert caught.value.needed
    assert caught.value.fix
    stop = "" if caught.value.given.endswith("?") else "."  # a guess is a question, and comes first
    assert message == f"{caught.value.given}{stop} Needed: {caught.value.needed}. Usual fix: {caught.value.fix}."


@pytest.mark.parametrize("room", ["games", "rules", "losses", "penalties"])
def test_a_wrong_attribute_lists_what_exists(room):
    """`gd.rules.Nonsense` is an AttributeError, as Python expects, with the registry's list in it."""
    registry = getattr(gd, room).registry
    known = next(iter(registry)).name
    with pytest.raises(AttributeError, match=known):
        getattr(getattr(gd, room), "Nonsense")  # noqa: B009 - the point is the failing attribute
    assert not hasattr(getattr(gd, room), "Nonsense")


def test_an_unwritable_path_is_an_output_error(tmp_path):
    """The folder does not exist, or is a file: the message names the path, and nothing is left behind."""
    (tmp_path / "file").write_text("")
    trajectory = gd.iterate(GAME, gd.rules.GDA(0.1), [1.0, 0.0], 3)
    figure = trajectory.plot()
    for path in (tmp_path / "file" / "picture.png", tmp_path / "missing" / "picture.pdf", tmp_path / "picture.doc"):
        with pytest.raises(errors.OutputError, match="picture") as caught:
            figure.save(path)
        assert "\n" not in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_divergence_is_data_and_not_an_exception():
    """A member that overflows stops at its last finite point, says so, and leaves the others alone."""
    game = gd.games.from_sympy(-(a**4) / 4 - a * b, [a, b])
    path = gd.iterate(game, gd.rules.GDA(0.5), [[0.1, 0.0], [20.0, 0.0]], 40)
    assert path.status[1] == gd.Status.DIVERGED
    assert path.steps[1] < 40
    assert np.isfinite(path.w).all()
    assert (path.w[path.steps[1] :, 1] == path.w[-1, 1]).all()
    assert "diverged" in path.summary()
    assert path.status[1].startswith("diverged")


def test_every_error_belongs_to_the_family_and_to_a_builtin():
    """A caller may catch GandynError, or what Python programmers expect: ValueError, LookupError, OSError, ..."""
    kinds = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, errors.GandynError)]
    assert len(kinds) > 8
    for kind in kinds:
        assert kind.__doc__
        assert kind is errors.GandynError or any(
            issubclass(kind, base)
            for base in (ValueError, LookupError, TypeError, ArithmeticError, OSError, ImportError)
        ), kind


def test_points_may_be_lists_and_text_in_them_names_symbols():
    """One border for all of it: numbers become arrays, text positive symbols, and other lengths are refused."""
    game = gd.games.quadratic(6, 4, 2)
    assert game.field([3, 5]).tolist() == [38.0, -2.0]
    x, y = sympy.symbols("x y", positive=True)
    assert list(game.field(["x", "y"])) == [6 * x + 4 * y, -4 * x + 2 * y]
    assert sympy.expand(gd.duality_gap(game, ["x", "y"]).value) == 7 * x**2 + sympy.Rational(7, 3) * y**2
    assert gd.decompose(game, ["x", 0]).kind == "mixed"
    assert game.restrict("x", game.point([0, 2])).field([3]).tolist() == [26.0]
    with pytest.raises(errors.ShapeError, match=r"\(3,\).*x: 1, y: 1"):
        game.field([1, 2, 3])
    with pytest.raises(errors.ShapeError, match="different lengths"):
        game.costs([[1, 2], [3]])
