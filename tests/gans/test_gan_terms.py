"""Losses to the letter, rotations, K + 1 classes and patches: each formula against loops and finite differences."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import nn

import gandyn as gd
from gandyn.errors import DomainError, ParameterError
from gandyn.gans.architectures.patch import PatchDiscriminator
from gandyn.gans.rotation import Rotation
from gandyn.gans.semi_supervised import KPlusOne, SemiSupervised

RULES = [gd.rules.GDA(0.05), gd.rules.Extragradient(0.05), gd.rules.Alternating(gd.rules.Adam(1e-2))]


class Turner(nn.Module):
    """Smooth: one logit and four class logits of a picture of four pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 5))

    def forward(self, points):
        answer = self.layers(points)
        return answer[:, :1], answer[:, 1:]


def pictures(seed=0):
    torch.manual_seed(seed)
    data = torch.randn(30, 1, 2, 2, dtype=torch.double)
    maker = nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 4), nn.Unflatten(1, (1, 2, 2)))
    return data, maker


def turned(**weights):
    data, maker = pictures()
    pair = maker.double(), Turner().double()
    return gd.gans.GANGame(*pair, penalties=[Rotation(**weights)], data=data, batch_size=6)


def half_labelled():
    data, _ = pictures()
    torch.manual_seed(1)
    maker = nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 4))
    judge = KPlusOne(nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)))
    labels = torch.arange(30) % 4  # 3 stands for "not labelled"
    points = gd.gans.Points("few", data.flatten(1), labels, dtype=torch.double)
    return gd.gans.GANGame(maker.double(), judge.double(), SemiSupervised(), data=points, batch_size=8)


def letter(**options):
    torch.manual_seed(2)
    nets = [nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, out)).double() for out in (2, 1)]
    loss = gd.losses.generalized_loss_sensitive(slope=0.5, margin=0.4, **options)
    return gd.gans.GANGame(*nets, loss, data=gd.gans.ring(std=0.3), batch_size=8)


def patched():
    data, maker = pictures()
    up = nn.Sequential(maker, nn.Upsample(scale_factor=8)).double()
    judge = PatchDiscriminator(1, width=2, layers=1).double()
    return gd.gans.GANGame(up, judge, data=nn.functional.interpolate(data, scale_factor=8), batch_size=4)


GAMES = {
    "rotations": turned,
    "rotations with R1": lambda: gd.gans.GANGame(
        *turned().networks, penalties=[Rotation(), "R1(0.3)"], data=pictures()[0], batch_size=6
    ),
    "K + 1 classes": half_labelled,
    "the data's own term, L1": lambda: letter(on_data=1, weight=2, norm=1),
    "the data's own term, L2": lambda: letter(on_data=0.5),
    "patches": patched,
}


@pytest.mark.parametrize("name", GAMES)
def test_the_field_is_the_gradient_of_the_costs_by_differences(name):
    game = GAMES[name]()
    rng = np.random.default_rng(0)
    token, w = game.draw(rng), game.w0 + 0.1 * torch.tensor(rng.normal(size=game.dim))
    v, step = game.field(w, token), 1e-5
    for i, block in enumerate(game.slices):
        for k in rng.choice(range(block.start, block.stop), 4, replace=False):
            unit = torch.zeros_like(w)
            unit[k] = step
            slope = (game.costs(w + unit, token)[i] - game.costs(w - unit, token)[i]) / (2 * step)
            assert float(v[k]) == pytest.approx(float(slope), abs=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@pytest.mark.parametrize("name", GAMES)
def test_each_trains_by_any_rule_resumes_exactly_and_is_the_same_among_seeds(name, rule, tmp_path):
    options = {"metrics": None, "log_every": 3, "folder": tmp_path}
    gd.gans.train(GAMES[name](), rule, 2, **options)
    resumed = gd.gans.train(GAMES[name](), rule, 4, **options)
    whole = gd.gans.train(GAMES[name](), rule, 4, metrics=None)
    assert torch.equal(resumed.w, whole.w)
    among = gd.gans.train(GAMES[name](), rule, 4, metrics=None, seeds=[0, 5])
    torch.testing.assert_close(among.w[0], whole.w, rtol=1e-9, atol=1e-9)


def test_the_papers_objective_of_loss_sensitive_gans_by_loops():
    game = letter(on_data=1.5, weight=2.0, norm=1)
    token = game.draw(np.random.default_rng(1))
    generator, discriminator = game.networks
    fake = generator(token.latent).detach()
    loss_of = lambda x: -discriminator(x[None]).detach()[0, 0]  # noqa: E731
    total = 0.0
    for x, y in zip(token.real, fake, strict=True):
        a = 0.4 * sum(abs(float(u - v)) for u, v in zip(x, y, strict=True)) + float(loss_of(x) - loss_of(y))
        total += 1.5 * float(loss_of(x)) + 2.0 * max(a, 0.5 * a)
    costs = game.costs(game.w0, token)
    assert float(costs[1]) == pytest.approx(total / 8, rel=1e-12)
    assert float(costs[0]) == pytest.approx(sum(float(loss_of(y)) for y in fake) / 8, rel=1e-12)
    with pytest.raises(ParameterError, match="norm=0"):
        gd.losses.loss_sensitive(norm=0)


def test_rotations_are_a_cross_entropy_over_four_turns_of_each_picture():
    plain, game = turned(alpha=0.0, beta=0.0), turned(alpha=0.3, beta=2.0)
    token = game.draw(np.random.default_rng(1))
    generator, discriminator = game.networks

    def cross(points):
        total = 0.0
        for x in points:
            a, b, c, d = x[0].flatten().tolist()  # rows (a, b), (c, d)
            for turn, cells in enumerate(([a, b, c, d], [b, d, a, c], [d, c, b, a], [c, a, d, b])):
                _, logits = discriminator(torch.tensor(cells, dtype=torch.double).reshape(1, 1, 2, 2))
                total -= float(logits.detach().log_softmax(1)[0, turn])
        return total / (4 * len(points))

    added = [float(a - b) for a, b in zip(game.costs(game.w0, token), plain.costs(plain.w0, token), strict=True)]
    assert added == pytest.approx([0.3 * cross(generator(token.latent)), 2.0 * cross(token.real)], rel=1e-10)
    with pytest.raises(DomainError, match="square pictures"):
        gd.gans.GANGame(*gd.gans.mlp_pair(hidden=(4,)), penalties=[Rotation()], data=gd.gans.ring())
    data, maker = pictures()
    plain_judge = nn.Sequential(nn.Flatten(), nn.Linear(4, 1))
    with pytest.raises(DomainError, match="four class logits"):
        gd.gans.GANGame(maker.double(), plain_judge.double(), penalties=[Rotation()], data=data, batch_size=4)


def test_k_plus_one_classes_are_probabilities_and_only_labelled_data_count():
    game = half_labelled()
    token = game.draw(np.random.default_rng(3))
    generator, discriminator = game.networks
    logits, fakes = discriminator.classifier(token.real).detach(), discriminator.classifier(generator(token.latent))

    def generated(rows):  # the softmax over K + 1 classes, the last logit 0
        return torch.cat([rows, torch.zeros(len(rows), 1)], 1).softmax(1)[:, -1]

    labelled = token.labels < 3
    supervised = torch.nn.functional.cross_entropy(logits[labelled], token.labels[labelled])
    source = -(1 - generated(logits)).log().mean() - generated(fakes).log().mean()
    costs = game.costs(game.w0, token)
    assert float(costs[1]) == pytest.approx(float((source + supervised).detach()), rel=1e-10)
    assert float(costs[0]) == pytest.approx(float(-(1 - generated(fakes.detach())).log().mean()), rel=1e-10)


def test_patches_of_70_pixels_are_judged_by_the_published_layers():
    """C64-C128-C256-C512 and one logit, kernels of 4 (Isola et al. 2017, appendix 6.1.2)."""
    judge = PatchDiscriminator(3)
    shapes = [tuple(layer.weight.shape) for layer in judge.modules() if isinstance(layer, nn.Conv2d)]
    assert judge.patch == 70
    assert shapes == [(b, a, 4, 4) for a, b in itertools.pairwise((3, 64, 128, 256, 512, 1))]


@pytest.mark.parametrize("layers", [0, 1, 3])
def test_a_patch_logit_sees_its_patch_and_nothing_else(layers):
    judge = PatchDiscriminator(1, width=2, layers=layers).double()
    side = 2 * judge.patch + 16
    picture = torch.randn(1, 1, side, side, dtype=torch.double, requires_grad=True)
    logits = judge.patch_logits(picture)[0, 0]
    middle = logits.shape[0] // 2
    (seen,) = torch.autograd.grad(logits[middle, middle], picture)
    rows = seen[0, 0].abs().sum(1).nonzero().flatten()
    assert int(rows[-1] - rows[0]) + 1 == judge.patch == 9 * 2**layers - 2
    assert float(judge(picture).detach()) == pytest.approx(float(logits.detach().mean()), rel=1e-12)
