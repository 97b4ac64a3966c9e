"""A user's rule with a second number: declared plainly or as a coefficient, left free, and held to a dense matrix."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

import gandyn as gd
from gandyn.errors import DomainError
from gandyn.rules.declaration import coefficient, remembers, start, step_size
from gandyn.types import Domain, Rule, State


@dataclasses.dataclass(frozen=True)
class Plain(Rule):
    """Momentum that looks ahead; its number has a plain default."""

    lr: Any = step_size()  # noqa: RUF009
    momentum: Any = 0.3
    domain = Domain(unconstrained=True)
    memory = remembers(before=start)

    def step(self, game, w, state, rng=None):
        ahead = w + game.per_coordinate(self.momentum, w) * (w - state["before"])
        moved = ahead - game.per_coordinate(self.lr, w) * game.field(ahead, game.draw(rng))
        return moved, State({"before": w}), {}


@dataclasses.dataclass(frozen=True)
class Declared(Plain):
    """The same, declared."""

    momentum: Any = coefficient(default=0.3)  # noqa: RUF009


@dataclasses.dataclass(frozen=True)
class Silent(Plain):
    """A field that does not say that it holds a number."""

    momentum: Any = None


def radius(jacobian, lr, m):
    """|z| of the map (w, w_before) -> (ahead - lr J ahead, w), ahead = (1 + m) w - m w_before."""
    one = np.eye(2)
    moved = one - lr * np.asarray(jacobian)
    return np.abs(np.linalg.eigvals(np.block([[(1 + m) * moved, -m * moved], [one, 0 * one]]))).max()


@pytest.mark.parametrize("rule", [Plain, Declared])
def test_a_second_number_may_be_left_free(rule):
    never = gd.stability_region(gd.games.bilinear(), rule("lr", "m"), parameters=("lr", "m"))
    assert never.never
    assert "never attracts to (0, 0) for any positive lr, m: " in never.summary()
    assert never.why_never.endswith("as -lr**2*m**2 - m**2 + 2*m - 1 > 0 for no lr, m")
    assert all(radius([[0, 1], [-1, 0]], lr, m) >= 1 for lr in (0.01, 0.3, 2) for m in (0.1, 0.5, 0.9, 2))
    freed = gd.stability_region(gd.games.bilinear(), rule("lr", 0.3), parameters=("lr", "momentum"))
    assert [str(p) for p in freed.parameters] == ["lr", "momentum"]
    critical = float(gd.stability_region(gd.games.quadratic(1, 1, 1), rule("lr", 0.3)).critical("lr"))
    assert radius([[1, 1], [-1, 1]], 0.999 * critical, 0.3) < 1 < radius([[1, 1], [-1, 1]], 1.001 * critical, 0.3)


def test_the_number_is_used_and_not_kept_from_an_earlier_run():
    ends = [gd.iterate(gd.games.bilinear(), Plain(0.1, m), [1.0, 0.0], 300).w[-1] for m in (0.3, "1/2")]
    for m, end in zip((0.3, 0.5), ends, strict=True):
        w, before, jacobian = np.array([1.0, 0.0]), np.array([1.0, 0.0]), np.array([[0, 1], [-1, 0]])
        for _ in range(300):
            ahead = w + m * (w - before)
            w, before = ahead - 0.1 * jacobian @ ahead, w
        np.testing.assert_allclose(end, w, rtol=1e-9)


def test_a_field_that_does_not_say_that_it_holds_a_number_is_told_how():
    with pytest.raises(DomainError, match=r"which is text.*momentum: Any = coefficient\(\), from gandyn.rules.decl"):
        gd.stability_region(gd.games.bilinear(), Silent("lr", "momentum"), parameters=("lr", "momentum"))
