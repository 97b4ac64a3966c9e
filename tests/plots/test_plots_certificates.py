"""Pictures of proofs: the data behind them against the results, and the proven set inside the observed one."""

import numpy as np
import pytest

import gandyn as gd
from gandyn.plots.certificates import settled

pytest.importorskip("flint", reason="needs the extra gandyn[proof]")


def test_the_proven_ball_lies_in_the_observed_basin_and_in_the_ellipse():
    game = gd.games.dirac_gan(penalty=gd.penalties.R1("gamma"))
    proof = gd.certify(
        game, gd.rules.GDA("lr"), box=[(-0.5, 0.5)] * 2, parameters={"lr": (0.2, 0.22), "gamma": 1}, effort=400
    )
    figure = gd.plots.certificate(proof, grid=21, steps=1000)
    data = figure.data
    assert data["radius"] == proof.basin_radius > 0.2
    inside = np.linalg.norm(data["starts"] - data["centre"], axis=-1) < data["radius"]
    assert (data["labels"][inside] == 0).all()
    for ellipse in data["ellipses"]:
        assert np.linalg.norm(ellipse - data["centre"], axis=-1).min() >= data["radius"] * (1 - 1e-3)
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "proven ball of starts" in texts
    assert "to (0, 0)" in texts


def test_a_failed_proof_shows_what_is_observed_and_no_ball():
    proof = gd.certify(gd.games.bilinear(), gd.rules.GDA(0.1), box=[(-1, 1), (-1, 1)])
    texts = [text.get_text() for text in proof.plot(grid=5, steps=200).legends[0].get_texts()]
    assert "proven ball of starts" not in texts


def test_parameters_are_settled_in_game_and_rule():
    game = gd.games.dirac_gan(penalty=gd.penalties.R1("gamma"))
    numbers, rule = settled(game, gd.rules.GDA("lr"), {"lr": 0.2, "gamma": 1.5})
    w = np.array([0.3, -0.7])
    np.testing.assert_allclose(numbers.field(w), gd.games.dirac_gan(penalty="R1(1.5)").field(w), rtol=1e-14)
    assert rule == gd.rules.GDA(0.2)


def test_level_sets_are_those_of_v_and_memory_has_no_plane():
    v = gd.lyapunov_function(gd.games.quadratic(1, 2, 1), gd.rules.GDA(0.2))
    data = v.plot(box=[(-1, 1), (-1, 1)]).data
    x, y = np.meshgrid(data["x"], data["y"])
    np.testing.assert_allclose(data["V"], 5 * x**2 + 5 * y**2, atol=1e-12)
    remembering = gd.lyapunov_function(gd.games.bilinear(), gd.rules.OptimisticGD(0.1))
    with pytest.raises(gd.GandynError, match="without memory"):
        remembering.plot()
