"""A rule of your own in ten lines: define one step, then read off its map and its exact spectral radius."""

import dataclasses
from typing import Any

import gandyn as gd


@dataclasses.dataclass(frozen=True)
class LookTwice(gd.rules.Rule):
    """w+ = w - lr v(w - lr v(w - lr v(w))): extragradient that looks ahead twice."""

    lr: Any

    def step(self, game, w, state, rng=None):
        """Three field evaluations."""
        lr = game.per_coordinate(self.lr, w)
        ahead = w - lr * game.field(w)
        further = w - lr * game.field(ahead)
        return w - lr * game.field(further), state, {}


game = gd.games.bilinear()
print(gd.update_map(game, LookTwice("lr")))
for lr in (0.2, 0.8, 1.2):
    lin = gd.linearize(game, LookTwice(lr))
    print(f"lr = {lr}: spectral radius {lin.exact.spectral_radius} = {lin.spectral_radius:.6f}, {lin.verdict}")

runs = [gd.iterate(game, rule, [1, 0], 40) for rule in (LookTwice(0.8), gd.rules.Extragradient(0.8))]
print("wrote", gd.plots.phase_portrait(game, trajectories=runs).save("your_own_rule.png"))
