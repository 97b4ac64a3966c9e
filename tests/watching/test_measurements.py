"""What a watch measures, against closed forms: rotation, eigenvalues, steps, maps of optimisers; page and words."""

from __future__ import annotations

import html.parser
import json
import math

import numpy as np
import pytest
import torch
from foreign_loops import bce
from torch import nn

import gandyn as gd
from gandyn.watching.evaluation import _each
from gandyn.watching.loop_watch import Watch
from gandyn.watching.optimisers import in_use
from gandyn.watching.place import Place
from gandyn.watching.verdicts import Kind, trend, verdict

R = gd.rules


class Point(nn.Module):
    """One number."""

    def __init__(self, x):
        super().__init__()
        self.x = nn.Parameter(torch.tensor([x], dtype=torch.float64))


def quadratic(x, y):
    """x^2/2 + 3xy - y^2/2: S = I, A = [[0, 3], [-3, 0]], eigenvalues 1 +- 3i."""
    f = (x.x**2 / 2 + 3 * x.x * y.x - y.x**2 / 2).sum()
    return f, -f


def watched(rule=None, steps=1, **options):
    nets = Point(1.0), Point(0.5)
    watch = gd.watch(*nets, quadratic, rule=rule, every=1, **options)
    for _ in range(steps):
        watch.step()
    return watch


def test_closed_forms_on_a_quadratic_game():
    row = watched().measure(budget=None)
    assert row["rotation"]["share"] == pytest.approx(0.9, abs=1e-12)
    assert row["rotation"]["along_field"] == pytest.approx(0.9, abs=1e-12)
    ends = row["spectrum"]["jacobian"]
    assert ends["SR"]["value"][0] == pytest.approx(1.0, abs=1e-9)
    assert ends["LI"]["value"][1] == pytest.approx(3.0, abs=1e-9)
    assert all(end["believed"] for end in ends.values())
    assert row["spectrum"]["largest_step"]["value"] == pytest.approx(0.2, abs=1e-9)
    assert row["gradient_norms"] == pytest.approx({"generator": 2.5, "discriminator": 2.5})
    assert row["field_norm"] == pytest.approx(2.5 * math.sqrt(2))
    assert row["gap"]["value"] > 0
    assert "noise" not in row


def test_where_the_jacobian_is_zero_no_largest_step_is_named():
    """x^3/3 - y^3/3 at the origin: every step leaves the linearisation where it is."""
    watch = gd.watch(Point(0.0), Point(0.0), lambda x, y: ((x.x**3 / 3).sum(), (y.x**3 / 3).sum()), every=1)
    watch.step()
    step = watch.measure(budget=None)["spectrum"]["largest_step"]
    assert step["undecided"] == "J is zero"
    assert "value" not in step


@pytest.mark.parametrize("rule", [R.AlternatingGD(0.3), R.Extragradient(0.1), R.SimultaneousGD(0.05)], ids=str)
def test_the_map_of_a_rule_is_that_of_the_toy(rule):
    row = watched(rule).measure(budget=None)
    toy = gd.linearize(gd.games.quadratic(1, 3, 1), rule, at=[0.0, 0.0])
    assert row["spectrum"]["map"]["spectral_radius"] == pytest.approx(float(toy.spectral_radius), abs=1e-8)
    step = row["spectrum"]["largest_step"]
    if isinstance(rule, R.SimultaneousGD):
        assert step["value"] == pytest.approx(0.2 / 0.05, rel=1e-5)


OPTIMISERS = {
    "Adam": (lambda p: torch.optim.Adam(p, 0.02, (0.5, 0.9)), R.Adam(0.02, (0.5, 0.9))),
    "AdamW": (lambda p: torch.optim.AdamW(p, 0.02, (0.5, 0.9), weight_decay=0.3), R.AdamW(0.02, (0.5, 0.9), 1e-8, 0.3)),
    "AMSGrad": (lambda p: torch.optim.Adam(p, 0.02, (0.5, 0.9), amsgrad=True), R.AMSGrad(0.02, (0.5, 0.9))),
    "RMSprop": (lambda p: torch.optim.RMSprop(p, 0.02), R.RMSProp(0.02)),
    "momentum": (lambda p: torch.optim.SGD(p, 0.02, momentum=0.6), R.HeavyBall(0.02, 0.6)),
    "SGD": (lambda p: torch.optim.SGD(p, 0.02), R.SimultaneousGD(0.02)),
}


def mlps():
    torch.manual_seed(0)
    return [nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, n)).double() for n in (2, 1)]


LATENT, REAL = torch.randn(2, 8, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def simple(g, d):
    fake = d(g(LATENT))
    return bce(fake, 1.0), bce(fake, 0.0) + bce(d(REAL), 1.0)


def both(name):
    """Three rounds by torch and by the drop-in alike."""
    make, rule = OPTIMISERS[name]
    nets, twins = mlps(), mlps()
    optimizers = [make(net.parameters()) for net in nets]
    dropped = gd.optim.for_modules(*twins, R.Alternating((rule, rule), order=(1, 0)))
    for _ in range(3):
        for i in (1, 0):
            slopes = torch.autograd.grad(simple(*nets)[i], list(nets[i].parameters()))
            for p, slope in zip(nets[i].parameters(), slopes, strict=True):
                p.grad = slope
            optimizers[i].step()
        dropped.step(simple)
    return nets, optimizers, twins, dropped


@pytest.mark.parametrize("name", OPTIMISERS)
def test_torchs_optimisers_are_read_with_their_state(name):
    """The same rule and the same state as the drop-in's."""
    nets, optimizers, _, dropped = both(name)
    own = [list(net.parameters()) for net in nets]
    read, state = in_use(tuple(optimizers), own)
    assert repr(read) == repr(dropped.rule)
    expected = dict(dropped.rule_state.leaves())
    found = dict(state.leaves())
    assert found.keys() == expected.keys()
    for key, array in found.items():
        torch.testing.assert_close(array, expected[key], rtol=1e-9, atol=1e-14)
    assert dict(state.counter_leaves()) == dict(dropped.rule_state.counter_leaves())


@pytest.mark.slow
def test_the_map_of_torchs_adam_is_that_of_the_drop_in():
    """At the same point with the same moments."""
    nets, optimizers, twins, dropped = both("Adam")
    radii = []
    for pair, used in ((nets, tuple(optimizers)), (twins, dropped)):
        watch = gd.watch(*pair, simple, rule=used)
        watch.step()
        radii.append(watch.measure(budget=None)["spectrum"]["map"]["spectral_radius"])
    assert radii[0] == pytest.approx(radii[1], rel=1e-6)


def test_optimisers_that_no_rule_stands_for_are_undecided_by_name():
    nets = mlps()
    for make, why in (
        (lambda p: torch.optim.Adagrad(p), "the optimiser Adagrad"),
        (lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=True), "SGD with nesterov"),
        (lambda p: torch.optim.Adam(p, 0.1, weight_decay=0.1), "Adam with weight_decay"),
        (lambda p: torch.optim.Adam(p, 0.1), "before its first step"),
    ):
        with pytest.raises(gd.errors.DomainError, match=why):
            in_use([make(net.parameters()) for net in nets], [list(net.parameters()) for net in nets])


def rows(losses, norms, moved=1e-3):
    fixed = {"parameter_norms": {"g": 1.0}, "moved": {"g": moved}}
    return [
        {"step": 10 * k, "losses": {"g": f}, "gradient_norms": {"g": n}, **fixed}
        for k, (f, n) in enumerate(zip(losses, norms, strict=True))
    ]


def test_a_verdict_for_each_kind_of_series():
    """Planted: rates come back, and noise is no trend."""
    k, rng = np.arange(40), np.random.default_rng(0)
    noise = rng.normal(size=40)
    settling = verdict("g", rows(0.7 + 0.01 * noise, np.exp(-0.05 * k + 0.05 * noise)), [], True)
    assert settling.kind == Kind.SETTLING
    assert settling.until == pytest.approx(10 * math.log(100) / 0.05, rel=0.1)
    slowing = verdict("g", rows(1 + np.exp(-0.06 * k) + 0.002 * noise, 1 + 0.1 * noise), [], True)
    assert slowing.kind == Kind.SETTLING
    assert "tends to about 1" in slowing.reason
    assert verdict("g", rows(0.7 + 0.1 * noise, 1 + 0.1 * noise), [], True).kind == Kind.TURNING
    assert verdict("g", rows(np.sin(k), 1 + np.cos(k) / 2), [], True).kind == Kind.TURNING
    assert verdict("g", rows(noise, np.exp(0.2 * k)), [], True).kind == Kind.DIVERGING
    assert verdict("g", rows(noise, 1 + 0.1 * noise, moved=0.0), [], True).kind == Kind.STUCK
    assert verdict("g", rows(0 * k + 0.7, np.exp(-2.0 * k), moved=0.0), [], True).kind == Kind.AT_REST
    assert verdict("g", rows(-0.1 * k + 0.01 * noise, 1 + 0.1 * noise), [], True).kind == Kind.UNDECIDED
    assert verdict("g", rows(noise[:5], 1 + 0 * noise[:5]), [], True).kind == Kind.UNDECIDED
    tries = [trend(np.random.default_rng(s).normal(size=30)) for s in range(200)]
    assert 0.8 < np.std(tries) < 1.25
    walks = [trend(np.random.default_rng(s).normal(size=40).cumsum()) for s in range(200)]
    assert np.mean(np.abs(walks) > 3) < 0.3


def test_a_centre_is_known_to_its_spread_over_the_root_of_the_batch():
    """Along the two widest axes, each with standard deviation 3 or 2: sqrt((9 + 4) / 2 / n) in units of the scale."""
    generator = torch.Generator().manual_seed(0)
    real = torch.randn(20000, 3, generator=generator, dtype=torch.float64) * torch.tensor([3.0, 2.0, 0.5])
    place = Place(real)
    row = place.row(real[:64], real[:5000])
    assert place.scale == pytest.approx((9 + 4 + 0.25) ** 0.5, rel=0.02)
    assert row["center_noise"] == pytest.approx((6.5 / 13.25 / 5000) ** 0.5, rel=0.05)
    assert place.row(real[:64], real[:1])["center_noise"] == 0.0


class Page(html.parser.HTMLParser):
    """What a page loads, and its text."""

    def __init__(self):
        super().__init__()
        self.tags, self.text = [], ""

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data


def test_the_page_is_escaped_and_loads_nothing(tmp_path):
    nets, name = mlps(), "<script>alert(1)</script>"
    watch = gd.watch({name: nets[0], "d&": nets[1]}, simple, every=1)
    for _ in range(3):
        watch.step()
    path = watch.report(tmp_path / "report.html")
    text = path.read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    assert "script" not in {tag for tag, _ in page.tags}
    assert name in page.text
    assert not [a for _, a in page.tags if {"src", "href"} & a.keys()]
    assert "http" not in text.replace("http-equiv", "")
    assert {"spectrum", "rotation", "gap"} <= watch.rows[-1].keys()
    assert watch.summary().splitlines()[-1]
    json.dumps(watch.to_dict(), allow_nan=False)
    assert "looks" in repr(watch)
    assert isinstance(watch, Watch)


def test_wrong_calls_end_in_one_line():
    nets = mlps()
    for wrong in (
        lambda: gd.watch(*nets),
        lambda: gd.watch(nets[0], simple, nets[1]),
        lambda: gd.watch(nets[0], None, simple),
        lambda: gd.watch({"g": nets[0]}, simple),
        lambda: gd.watch(*nets, simple, rule="Adam"),
        lambda: gd.watch(*nets, simple, every=0),
        lambda: gd.watch(*nets, simple, every=True),
        lambda: gd.watch(*nets, simple, share=2),
        lambda: gd.watch(*nets, simple).measure(),
        lambda: gd.watch(*nets, lambda g, d: simple(g, d)[0]).step(),
        lambda: gd.watch(*nets, lambda g, d: simple(*mlps())).step(),
    ):
        with pytest.raises(gd.GandynError) as found:
            wrong()
        assert "\n" not in str(found.value)


def test_an_output_is_one_number_for_each_point_of_whatever_shape():
    assert _each(torch.ones(2, 3, 2)).tolist() == [6, 6]
    assert _each(torch.ones(2, 3, 2), mean=True).tolist() == [1, 1]
    assert _each(torch.tensor(3.0)).tolist() == [3]
