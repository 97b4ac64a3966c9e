"""Several seeds at once: each member is the run of its own seed, whatever rule, layers and penalties."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import gandyn as gd
from gandyn.rules import registry as rules

R = gd.rules
SEEDS = (3, 0)
SN = torch.nn.utils.parametrizations.spectral_norm


def layers(seed: int, *between: nn.Module, norm: Any = lambda layer: layer) -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(seed)
    generator = nn.Sequential(nn.Linear(2, 6), *between, nn.ReLU(), nn.Linear(6, 2))
    between = copy.deepcopy(between)
    return generator, nn.Sequential(norm(nn.Linear(2, 6)), *between, nn.LeakyReLU(0.2), norm(nn.Linear(6, 1)))


def game(seed: int = 0, nets: Any = None, **options: Any) -> gd.gans.GANGame:
    nets = gd.gans.mlp_pair(hidden=(6,), seed=seed) if nets is None else nets
    given = {"data": gd.gans.ring(), "batch_size": 8, **options}
    return gd.gans.GANGame(*(net.double() for net in nets), **given)


def held_to_runs_alone(make: Any, rule: Any, steps: int = 4, tolerance: float = 1e-9, **options: Any) -> Any:
    """The members' parameters, rows, samples, counts and endings against those of one run for each seed."""
    options = {"log_every": 2, "metrics": None, **options}
    together = gd.gans.train(make(), rule, steps, seeds=SEEDS, **options)
    for k, seed in enumerate(SEEDS):
        alone, member = gd.gans.train(make(), rule, steps, seed=seed, **options), together.runs[k]
        size = 1 + alone.w.abs()
        assert float(((together.w[k] - alone.w).abs() / size).max()) < tolerance
        assert (member.status, member.step) == (alone.status, alone.step)
        assert vars(member.counts) == vars(alone.counts)
        assert [row["step"] for row in member.rows] == [row["step"] for row in alone.rows]
        for one, other in zip(member.rows, alone.rows, strict=True):
            assert one.keys() == other.keys()
            for key in ("losses", "gradient_norms", "logits"):
                assert np.allclose([*one[key].values()], [*other[key].values()], 1e-6, 1e-8, equal_nan=True)
        torch.testing.assert_close(member.sample(3), alone.sample(3), rtol=1e-6, atol=1e-7)
    return together


def test_each_member_of_alternating_adam_is_the_run_of_its_seed() -> None:
    runs = held_to_runs_alone(
        game, R.Alternating(R.Adam(1e-2, betas=(0.0, 0.99))), metrics="auto", average=0.9, metrics_every=2
    )
    assert runs.w.shape == (2, runs.game.dim)
    assert runs.average.shape == runs.w.shape
    assert runs.metrics["modes"].shape == (2,)
    assert [row["step"] for row in runs.rows] == [0, 2, 4]
    assert len(runs.rows[0]["losses"]["generator"]) == 2
    assert "modes: median" in runs.summary()
    assert runs.to_dict()["status"] == ["OK", "OK"]


def test_products_are_those_of_the_members_wherever_they_are_asked_for() -> None:
    """The reference batch, two points in turn: a graph that is kept for a point serves no other."""
    members = [game(seed) for seed in SEEDS]
    together = gd.gans.Ensemble(members)
    first = torch.stack([one.w0 for one in members])
    u = torch.randn_like(first)
    for w in (first, first + 0.1, first):
        for product in ("jvp", "vjp"):
            found = getattr(together, product)(w, u)
            each = [getattr(one, product)(w[k], u[k]) for k, one in enumerate(members)]
            torch.testing.assert_close(found, torch.stack(each), rtol=1e-9, atol=1e-12)


CASES = {
    "batch normalisation, dropout and penalties": (
        lambda: game(nets=layers(0, nn.BatchNorm1d(6), nn.Dropout(0.3)), penalties=["R1(0.3)", "WGANGP(0.1)"]),
        R.Alternating(R.GDA(0.05)),
    ),
    "spectral norm of torch": (lambda: game(nets=layers(0, norm=SN)), R.Extragradient(0.1)),
    "spectral norm of this package, noise on samples": (
        lambda: game(
            nets=(
                gd.gans.architectures.mlp_generator((2,), hidden=(6,), output_noise=0.1),
                gd.gans.architectures.mlp_discriminator((2,), hidden=(6,), spectral=True),
            )
        ),
        R.OptimisticGD(0.1),
    ),
    "labels, planes and slopes": (
        lambda: game(
            data=gd.gans.Points(
                "three", torch.arange(24.0, dtype=torch.double).reshape(12, 2) / 12, torch.arange(12) % 3
            ),
            nets=(
                gd.gans.architectures.mlp_generator((2,), classes=3, hidden=(6,)),
                gd.gans.architectures.mlp_discriminator((2,), classes=3, hidden=(6, 6), condition="concatenation"),
            ),
            penalties="R1(0.1)",
        ),
        R.GDA(0.1),
    ),
    "clipped weights, products": (
        lambda: game(penalties="WeightClipping(0.1)", loss="wasserstein"),
        R.Consensus(0.1, 0.3),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_layers_and_penalties_are_each_members_own(case: str) -> None:
    held_to_runs_alone(*CASES[case], steps=3)


@pytest.mark.slow
@pytest.mark.parametrize("penalty", ["R2(0.3)", "DRAGAN()", "Consistency(10.0,0.01)", "InstanceNoise(0.3)",
                                     "Orthogonal(0.1)", "SpectralNormalization()", "ZeroCentered(0.3)"])  # fmt: skip
def test_every_penalty_draws_for_each_member_what_it_draws_alone(penalty: str) -> None:
    held_to_runs_alone(lambda: game(penalties=penalty), R.Alternating(R.GDA(0.05)), steps=2)


def _refused(rule: Any) -> str:
    try:
        held_to_runs_alone(game, rule, steps=2, log_every=100)
    except gd.errors.DomainError as error:
        return str(error)
    return ""


@pytest.mark.slow
@pytest.mark.parametrize("name", [entry.name for entry in rules])
def test_every_rule_runs_unchanged_or_is_refused_as_alone(name: str) -> None:
    rule = rules[name].build.examples()[0]
    try:
        gd.gans.train(game(), rule, 2, metrics=None)
    except gd.GandynError:  # no rule for this game alone either
        with pytest.raises(gd.GandynError):
            gd.gans.train(game(), rule, 2, seeds=SEEDS, metrics=None)
        return
    reason = _refused(rule)
    assert not reason or "solves linear systems" in reason or "a coin of its own" in reason


def test_a_member_that_diverges_leaves_the_others_alone() -> None:
    """Two members at different networks, one of which has weights that overflow at once."""

    def make(scale: float) -> gd.gans.GANGame:
        nets = gd.gans.mlp_pair(hidden=(6,))
        with torch.no_grad():
            for net in nets:
                for p in net.double().parameters():
                    p.mul_(scale)
        return game(nets=nets, loss="least_squares")

    runs = gd.gans.train(gd.gans.Ensemble([make(1e60), make(1.0)]), R.GDA(0.05), 6, log_every=2, metrics=None)
    alone = [gd.gans.train(make(s), R.GDA(0.05), 6, seed=k, log_every=2, metrics=None) for k, s in enumerate((1e60, 1))]
    assert [run.status for run in runs.runs] == [gd.Status.DIVERGED, gd.Status.OK] == [run.status for run in alone]
    assert runs.step == [run.step for run in alone]
    assert bool(runs.w.isfinite().all())
    torch.testing.assert_close(runs.w[1], alone[1].w, rtol=1e-12, atol=1e-12)
    assert np.isnan(runs.rows[-1]["losses"]["generator"][0])
    assert "1 DIVERGED" in runs.summary()


def test_a_member_that_stops_early_stays() -> None:
    seen = {}

    def enough(rows: Any) -> str:
        seen[rows[0]["losses"]["generator"]] = True
        return "so far" if len(rows) == 2 and rows[0]["losses"]["generator"] == min(seen) else ""

    runs = gd.gans.train(game(), R.GDA(0.05), 6, seeds=3, log_every=2, metrics=None, stop_when=enough)
    stopped = [run.step for run in runs.runs if run.status is gd.Status.STOPPED]
    assert stopped
    assert set(stopped) == {2}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"seeds": 0}, "seeds"),
        ({"seeds": [1, 1]}, "different whole numbers"),
        ({"seeds": "all"}, "list of them"),
        ({"seeds": [0.5]}, r"seeds\[0\]"),
        ({"seeds": 2, "seed": 1}, "leave seed out"),
        ({"seeds": 2, "samples_every": 2}, "samples_every with several seeds"),
        ({"seeds": 2, "precision": "bfloat16"}, "precision with several seeds"),
        ({"seeds": 2, "monitor": gd.gans.Monitor()}, "monitor with several seeds"),
    ],
)
def test_what_several_seeds_cannot_have_is_refused_in_one_line(given: Any, message: str) -> None:
    with pytest.raises(gd.GandynError, match=message) as error:
        gd.gans.train(game(), R.GDA(0.05), 2, **given)
    assert "\n" not in str(error.value)


class Noisy(nn.Module):
    """Draws by a call that the ensemble does not follow."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.net(x + torch.randn(x.shape, dtype=x.dtype))


def test_layers_that_answer_otherwise_beside_others_are_refused() -> None:
    generator, discriminator = layers(0)
    with pytest.raises(gd.errors.DomainError, match="away from those it has alone"):
        gd.gans.train(game(nets=(Noisy(generator), discriminator)), R.GDA(0.1), 2, seeds=2)
    with pytest.raises(gd.errors.DomainError, match="spectral_norm in an ensemble"):
        gd.gans.train(game(nets=layers(0, norm=torch.nn.utils.spectral_norm)), R.GDA(0.1), 2, seeds=2)
    with pytest.raises(gd.errors.GameError, match="differ in their layers"):
        gd.gans.Ensemble([game(), game(nets=layers(0, nn.BatchNorm1d(6)))])
    with pytest.raises(gd.errors.ParameterError, match="3 seeds for 2 games"):
        gd.gans.train(gd.gans.Ensemble([game(), game(1)]), R.GDA(0.1), 2, seeds=3)


def test_fields_and_cost_gradients_of_members_are_differentiated_through() -> None:
    """The derivative of <v(w), u> is J^T u; that of a cost's gradient along u is held to central differences."""
    members = [game(seed) for seed in SEEDS]
    together = gd.gans.Ensemble(members)
    w = torch.stack([one.w0 for one in members])
    leaf, u = w.clone().requires_grad_(), torch.randn_like(w)
    (pulled,) = torch.autograd.grad((together.field(leaf) * u).sum(), leaf)
    torch.testing.assert_close(pulled, together.vjp(w, u), rtol=1e-9, atol=1e-12)
    (bent,) = torch.autograd.grad((together.cost_gradients(leaf) * u).sum(), leaf)
    h = 1e-5
    slope = (together.cost_gradients(w + h * u) - together.cost_gradients(w - h * u)) / (2 * h)
    torch.testing.assert_close((bent * u).sum(-1), (slope * u).sum((0, -1)), rtol=1e-5, atol=1e-8)
