"""Toy against network: the toy's promises in closed form, and what networks make of them."""

import dataclasses
import json
import math

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import gandyn as gd
from gandyn.analysis.spectrum.toy_against_network import promised, stable_multiple, toy_map
from gandyn.cli.app import app
from gandyn.cli.spectrum import open_run
from gandyn.errors import DomainError, ParameterError

MODES = [0.3 + 0.7j, 1.5 + 0j, 0.02 + 2j]


@pytest.mark.parametrize("z", MODES)
def test_promises_of_the_toy_in_closed_form(z):
    lr = 0.1
    grown = {
        gd.rules.GDA(lr): 1 - lr * z,
        gd.rules.Extragradient(lr): 1 - lr * z + (lr * z) ** 2,
        gd.rules.Consensus(lr, 0.5): 1 - lr * (z + 0.5 * abs(z) ** 2),
    }
    for rule, value in grown.items():
        growth, turn = promised(rule, z)
        assert growth == pytest.approx(abs(value), abs=1e-9)
        assert turn == pytest.approx(abs(np.angle(value)) / (2 * np.pi), abs=1e-9)
    half = toy_map(gd.rules.AlternatingGD(lr), z)
    p, q = z.real, z.imag
    first, second = np.array([[1 - lr * p, -lr * q], [0, 1]]), np.array([[1, 0], [lr * q, 1 - lr * p]])
    np.testing.assert_allclose(half, second @ first, atol=1e-12)


def test_stable_steps_of_the_toy_in_closed_form():
    """GDA: lr < 2 Re z / |z|^2. Extragradient at z = iq: lr q < 1. A leftward mode: no step."""
    z = 0.3 + 0.7j
    assert stable_multiple(gd.rules.GDA(0.1), z) == pytest.approx(2 * 0.3 / abs(z) ** 2 / 0.1, rel=1e-9)
    assert stable_multiple(gd.rules.Extragradient(0.1), 2j) == pytest.approx(5, rel=1e-9)
    assert stable_multiple(gd.rules.OptimisticGD(0.1), 2j) == pytest.approx(5 / math.sqrt(3), rel=1e-9)
    assert stable_multiple(gd.rules.GDA(0.1), 2j) == 0
    assert stable_multiple(gd.rules.GDA(0.1), -0.1 + 0j) == 0
    assert stable_multiple(gd.rules.AlternatingGD(0.1), 2 + 0j) == pytest.approx(10, rel=1e-9)


@pytest.mark.parametrize("z", [1e-14 + 0j, 1e-3 + 0j, 1e-9 + 1e-3j, 1e3 + 1e3j, 1e9 + 0j])
def test_the_largest_stable_multiple_at_every_scale(z):
    """GDA is stable for lr < 2 Re z / |z|^2, here down to 2e-8 and up to 2e15 of the rule's own step."""
    exact = 2 * z.real / abs(z) ** 2 / 0.1
    assert stable_multiple(gd.rules.GDA(0.1), z) == pytest.approx(math.inf if exact > 1.3e4 else exact, rel=1e-4)


def test_steps_that_are_stable_by_no_more_than_rounding_are_not_called_stable():
    """Alternating steps on a rotation have |lambda| = 1; with Re z = 1e-9 beside 1, GDA gains at most 1e-18 a step."""
    assert stable_multiple(gd.rules.AlternatingGD(0.1), 2j) == 0
    assert stable_multiple(gd.rules.GDA(0.1), 1e-9 + 1j) == 0


@pytest.fixture(scope="module")
def place():
    pair = [network.double() for network in gd.gans.mlp_pair(hidden=(8, 8), seed=1)]
    game = gd.gans.GANGame(*pair, data=gd.gans.ring(), batch_size=32, latent=2)
    w = gd.iterate(game, gd.rules.Alternating(gd.rules.Adam(2e-3, betas=(0, 0.99))), game.w0, 300, record="last").w
    return game, w


@pytest.mark.parametrize("rule", [gd.rules.GDA(0.01), gd.rules.Extragradient(0.01), gd.rules.OptimisticGD(0.01)])
def test_linear_rules_keep_the_promise_on_a_network(place, rule):
    """They move each eigenvector of J by itself, so growth and turns are the toy's, up to kinks and curvature."""
    game, w = place
    before = game.w0.clone(), [p.clone() for p in game.generator.parameters()]
    found = gd.toy_against_network(game, rule, w, ("SR", "LI"), steps=24, factors=(0.5, 1.0), confirm=False)
    assert len(found.modes) == 2
    for mode in found.modes:
        assert mode.measured_growth == pytest.approx(mode.growth, abs=2e-3)
        assert mode.measured_turn == pytest.approx(mode.turn, abs=2e-3)
        assert mode.leak < 0.05
        np.testing.assert_allclose(mode.dots, mode.curve, atol=5e-3)
    assert found.map_radius == pytest.approx(found.toy_radius, abs=1e-6)
    assert torch.equal(game.w0, before[0])
    assert all(torch.equal(a, b) for a, b in zip(game.generator.parameters(), before[1], strict=True))
    assert json.loads(json.dumps(found.to_dict()))["modes"][0]["end"] == "SR"


def test_consensus_breaks_the_promise_where_the_network_is_not_normal(place):
    """The toy is normal: J^T J is |z|^2 there. The network's is not, and its own map says so."""
    game, w = place
    rule = gd.rules.Consensus(0.05, 1.0)
    found = gd.toy_against_network(game, rule, w, ("LI",), steps=12, factors=(1.0,), confirm=False)
    j = game.jacobian(w, game.draw(np.random.default_rng(0))).numpy()
    exact = abs(np.linalg.eigvals(np.eye(len(j)) - 0.05 * (j + j.T @ j))).max()
    assert found.map_radius == pytest.approx(exact, rel=1e-6)
    assert found.map_radius > 1.5 * found.toy_radius
    assert found.modes[0].leak > 0.3


def test_the_picture_keeps_its_numbers(place):
    game, w = place
    found = gd.toy_against_network(game, gd.rules.GDA(0.05), w, ("SR",), steps=8, factors=(0.5, 1, 2), confirm=False)
    figure = found.plot()
    np.testing.assert_array_equal(figure.data["SR"]["curve"], found.modes[0].curve)
    marked = {}
    for stable in (0.7, 1.5, 3.0):
        picture = dataclasses.replace(found, modes=(dataclasses.replace(found.modes[0], stable=stable),)).plot()
        marked[stable] = any(set(line.get_xdata()) == {stable} for line in picture.axes[0].lines)
    assert marked == {0.7: True, 1.5: True, 3.0: False}
    assert "no short step" in found.summary()
    assert found.check.confirmed
    assert "against differences of the field" in found.summary()


def test_mistakes_are_named(place):
    game, w = place
    with pytest.raises(ParameterError, match="smooth"):
        gd.toy_against_network(game, gd.rules.Adam(0.01), w)
    with pytest.raises(ParameterError, match="at least 8"):
        gd.toy_against_network(game, gd.rules.GDA(0.1), w, steps=3)
    with pytest.raises(DomainError, match="networks"):
        gd.toy_against_network(gd.games.bilinear(), gd.rules.AlternatingGD(0.1), [0.0, 0.0])


# --- commands --------------------------------------------------------------------------------------------------------

CONFIG = """
[game]
generator = { architecture = "mlp", hidden = [6, 6] }
discriminator = { architecture = "mlp", hidden = [6, 6] }
data = "ring"
batch = 32
latent = 2
[rule]
call = "Alternating(Adam(0.002, betas=(0, 0.99)))"
[train]
steps = 30
"""


def invoke(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments], standalone_mode=True)


@pytest.mark.slow
def test_the_spectrum_of_a_run_from_the_command_line(tmp_path):
    config = tmp_path / "tiny.toml"
    config.write_text(CONFIG)
    run = gd.gans.train(*gd.gans.Config.read(config).build(), steps=30, folder=tmp_path / "run")
    (tmp_path / "run" / "config.json").write_text(json.dumps(gd.gans.Config.read(config).to_dict()))
    answer = invoke("spectrum", tmp_path / "run", "--double", "--out", tmp_path / "j.png", "--json")
    assert answer.exit_code == 0, answer.output
    data = json.loads(answer.stdout)
    assert set(data) == {"start", "end"}
    assert [one["of"] for one in data["end"]] == [
        "J",
        "S",
        "A",
        "Hessian of generator",
        "Hessian of discriminator",
        "map",
    ]
    game, rule, places = open_run(str(tmp_path / "run"), double=True)
    assert repr(rule) == repr(run.rule)
    torch.testing.assert_close(places["end"][0], run.w.double())
    values = np.linalg.eigvals(game.jacobian(places["end"][0], game.draw(np.random.default_rng(0))).numpy())
    shown = data["end"][0]["ends"]["LM"]["eigenvalues"][0]
    assert math.hypot(shown["re"], shown["im"]) == pytest.approx(abs(values).max(), rel=1e-8)
    assert (tmp_path / "j.png").exists()


def test_the_spectrum_of_a_config_and_mistakes_from_the_command_line(tmp_path):
    config = tmp_path / "tiny.toml"
    config.write_text(CONFIG)
    answer = invoke("spectrum", config, "--of", "map", "--rule", "GDA(0.1)")
    assert answer.exit_code == 0, answer.output
    assert "modulus - 1" in answer.stdout
    for arguments, message in [
        ((config, "--of", "map"), "no derivative"),
        ((config, "--of", "B"), "--of"),
        ((config, "--which", "RL"), "LR"),
        (("no-such-config",), "config"),
        ((config, "--of", "S", "--out", tmp_path / "a.png"), "--of J"),
    ]:
        answer = invoke("spectrum", *arguments)
        assert answer.exit_code == 2, answer.output
        assert message in answer.stderr
        assert len(answer.stderr.strip().splitlines()) == 1


@pytest.mark.slow
def test_compare_toy_from_the_command_line(tmp_path):
    config = tmp_path / "tiny.toml"
    config.write_text(CONFIG)
    out = tmp_path / "toy.png"
    answer = invoke("compare-toy", "GDA(0.05)", config, "--steps", "10", "--out", out)
    assert answer.exit_code == 0, answer.output
    assert "growth: toy" in answer.stdout
    assert out.stat().st_size > 5000
    assert invoke("compare-toy", "Adam(0.05)", config, "--out", out).exit_code == 2
