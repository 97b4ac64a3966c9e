"""A class or function in place of what it makes: one guard says to call it, at every door."""

from __future__ import annotations

import pytest
from torch import nn

import gandyn as gd

R = gd.rules
PAIR = nn.Linear(1, 1), nn.Linear(1, 1)


@pytest.mark.parametrize(
    ("call", "fix"),
    [
        (lambda: gd.iterate(gd.games.bilinear, R.GDA(0.1), [1, 0], 1), "call it: bilinear()"),
        (lambda: gd.iterate(gd.games.matrix_game, R.GDA(0.1), [1, 0], 1), "give it its parameters: matrix_game(A=...)"),
        (lambda: gd.linearize("bilinear", R.GDA), "give it its parameters: SimultaneousGD(0.1)"),
        (lambda: gd.linearize("bilinear", R.HeavyBall), "give it its parameters: HeavyBall(lr=..., momentum=...)"),
        (lambda: R.Lookahead(R.GDA), "give it its parameters: SimultaneousGD(0.1)"),
        (lambda: R.Alternating(R.Adam), "give it its parameters: Adam(0.1)"),
        (lambda: R.Alternating((R.GDA(0.1), R.Adam)), "give it its parameters: Adam(0.1)"),
        (lambda: R.Scheduled(R.GDA(0.1), R.schedule.Cosine), "give it its parameters: Cosine(total=...)"),
        (lambda: gd.games.dirac_gan(gd.losses.hinge), "call it: Hinge()"),
        (lambda: gd.games.dirac_gan(penalty=gd.penalties.R1), "give it its parameters: R1(0.1)"),
        (lambda: gd.losses.label_smoothing(gd.losses.minimax), "call it: Minimax()"),
        (
            lambda: gd.rate(R.GDA(0.1), gd.classes.Bilinear),
            "give it its parameters: Bilinear(",
        ),
        (lambda: gd.optim.for_modules(nn.Linear, nn.Linear(1, 1), R.GDA(0.1)), "give it its parameters: Linear("),
        (lambda: gd.optim.for_modules(*PAIR, R.GDA), "give it its parameters: SimultaneousGD(0.1)"),
        (lambda: gd.watch(nn.Linear, nn.Linear(1, 1), lambda g, d: None), "give it its parameters: Linear("),
        (lambda: gd.watch(*PAIR, lambda g, d: None, rule=R.GDA), "give it its parameters: SimultaneousGD(0.1)"),
        (lambda: gd.gans.GANGame(nn.Linear, nn.Linear(1, 1), data="ring"), "give it its parameters: Linear("),
        (lambda: gd.compare("bilinear", [R.GDA], [1, 0], 5), "give it its parameters: SimultaneousGD(0.1)"),
        (lambda: gd.stationary("bilinear", R.GDA(0.1), gd.noise.Additive), "give it its parameters: Additive("),
        (lambda: gd.duality_gap("bilinear", [1, 0], "gradient", rule=R.Adam), "give it its parameters: Adam(0.1)"),
    ],
)
def test_a_class_is_to_be_called(call, fix):
    with pytest.raises(gd.GandynError) as caught:
        call()
    assert caught.value.fix.startswith(fix), str(caught.value)
    assert "\n" not in str(caught.value)
