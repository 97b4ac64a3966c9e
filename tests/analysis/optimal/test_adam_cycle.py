"""The cycle of Adam on v = ab: the averaged pair of equations against their rest point, and long runs of the rule."""

import math

import numpy as np
import pytest

import gandyn as gd
from gandyn.errors import DomainError

R = gd.rules

GAME, LR = gd.games.bilinear(), 1e-3


def rest_radius(first, second):
    return LR * math.sqrt(8 * (1 + first) / ((1 - first) * (1 - second)))


@pytest.mark.parametrize(("first", "second"), [(0.0, 0.99), (0.5, 0.999), (0.9, 0.999)])
def test_the_averaged_pair_rests_at_the_radius_of_the_formula(first, second):
    """R' = -(b/4) R^2/(2S) + lr^2 R (1 + beta_1)/(S (1 - beta_1)), S' = b (R/2 - S), by Euler steps of one."""
    slow, drive = 1 - second, LR**2 * (1 + first) / (1 - first)
    r = s = (2 * rest_radius(first, second)) ** 2
    for _ in range(int(60 / slow)):
        r, s = r - slow / 4 * r * r / (2 * s) + drive * r / s, s + slow * (r / 2 - s)
    assert math.sqrt(r) == pytest.approx(rest_radius(first, second), rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "second", "measured"), [(0, 0.99, 28.28), (0, 0.999, 89.44), (0.5, 0.999, 155.0), (0.9, 0.999, 391.0)]
)
@pytest.mark.parametrize("lr", [1e-3, 1e-2])
def test_runs_settle_on_the_cycle_from_both_sides(first, second, measured, lr):
    scale = rest_radius(first, second) * lr / LR
    starts = [[1.3 * scale, 0.0], [0.7 * scale, 0.0]]
    run = gd.iterate(GAME, gd.rules.Adam(lr, betas=(first, second), eps=1e-30), starts, 60_000, record=10).w
    sizes = np.linalg.norm(run[-500:], axis=-1).mean(0) / lr
    assert sizes == pytest.approx(measured, rel=2e-3)
    assert sizes == pytest.approx(scale / lr, rel=5e-3)


@pytest.mark.slow
def test_alternating_steps_without_first_moment_spiral_in():
    rule = gd.rules.Alternating(gd.rules.Adam(LR, betas=(0, 0.999), eps=1e-30))
    run = gd.iterate(GAME, rule, [0.1, 0.0], 20_000, record=10).w
    squared = np.log((run[500:1900] ** 2).sum(-1))
    slope = np.polyfit(10 * np.arange(len(squared)), squared, 1)[0]
    assert -slope / 0.001 == pytest.approx(0.2, abs=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("betas", "inwards"), [((0.9, 0.95), True), ((0, 0.5), True), ((0.9, 0.9), False), ((0.95, 0.9), False)]
)
def test_far_out_the_slower_moment_decides(betas, inwards):
    run = gd.iterate(GAME, gd.rules.Adam(LR, betas=betas, eps=1e-30), [1.0, 0.0], 200_000, record="last").w
    assert (np.linalg.norm(run) < 0.2) == inwards
    assert (np.linalg.norm(run) > 2) != inwards


def test_near_an_equilibrium_it_is_heavy_ball():
    assert R.Adam(0.2, betas=(0.5, 0.9), eps=0.1).near_equilibrium() == R.HeavyBall(1.0, 0.5)
    assert R.AMSGrad((0.2, 0.4), betas=(0.75, 0.9), eps=0.5).near_equilibrium() == R.HeavyBall((0.1, 0.2), 0.75)
    assert R.RMSProp({"x": 0.2, "y": 0.1}, eps=0.5).near_equilibrium() == R.GDA({"x": 0.4, "y": 0.2})
    with pytest.raises(DomainError):
        R.AdamW(0.1).near_equilibrium()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "dirac"),
    [
        (lambda lr: R.Adam(lr, betas=(0.0, 0.9), eps=0.01), 0.5),
        (lambda lr: R.Adam(lr, betas=(0.9, 0.999), eps=0.01), 0.5),
        (lambda lr: R.Adam(lr, betas=(0.9, 0.5), eps=0.1), 0.3),
        (lambda lr: R.RMSProp(lr, 0.99, eps=0.01), 0.5),
    ],
)
def test_rest_ends_at_the_exact_step(make, dirac):
    game = gd.games.dirac_gan(penalty=gd.penalties.R1(dirac))
    limit = float(gd.stability_region(game, make("lr").near_equilibrium(), ("lr",)).critical("lr"))
    for share, rests in ((0.93, True), (1.07, False)):
        end = gd.iterate(game, make(share * limit), [1e-5, 0.0], 40000, record="last").w
        assert (np.linalg.norm(end) < 1e-12) == rests


@pytest.mark.slow
@pytest.mark.parametrize(("first", "second"), [(0.0, 0.99), (0.5, 0.999)])
@pytest.mark.parametrize("share", [0.3, 1.0])
def test_epsilon_shrinks_the_cycle(first, second, share):
    lr = 1e-3
    star = lr * math.sqrt(8 * (1 + first) / ((1 - first) * (1 - second)))
    eps = share * star
    radius = (-math.sqrt(2) * eps + math.sqrt(2 * eps**2 + 4 * star**2)) / 2
    for start in (0.8, 1.2):
        rule = R.Adam(lr, betas=(first, second), eps=eps)
        run = gd.iterate(gd.games.bilinear(), rule, [start * radius, 0.0], 60000, record=10).w
        assert np.linalg.norm(run[-600:], axis=-1).mean() == pytest.approx(radius, rel=0.03)
