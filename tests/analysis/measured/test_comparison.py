"""gd.compare: equal cost by the oracle's own counts, tuning that finds the known best step, honest bands."""

import numpy as np
import pytest

import gandyn as gd
from gandyn.analysis.measured.comparison import step_size, with_step_size

BILINEAR = gd.games.bilinear()
SIZES = (0.3, 1 / np.sqrt(2), 0.9)


def test_every_rule_spends_the_same_number_of_gradients():
    rules = [gd.rules.GDA(0.1), gd.rules.Extragradient(0.1), gd.rules.Consensus(0.1, 0.5)]
    result = gd.compare(BILINEAR, rules, [1.0, 0.0], budget=300, seeds=2)
    steps = {c.label: c.steps for c in result.contenders}
    assert steps == {"SimultaneousGD": 300, "Extragradient": 150, "Consensus": 100}
    for c in result.contenders:
        assert 0.9 * 300 <= c.spent[-1] <= 300


def test_tuning_finds_the_step_with_the_smallest_spectral_radius_and_the_predicted_rate():
    result = gd.compare(BILINEAR, [gd.rules.Extragradient(0.1)], [1.0, 0.0], budget=200, step_sizes=SIZES, seeds=3)
    (winner,) = result.contenders
    assert winner.rule.lr == SIZES[1]
    ratio = winner.values[:, -1] / winner.values[:, 0]
    np.testing.assert_allclose(ratio, (np.sqrt(3) / 2) ** 100, rtol=1e-9)
    assert set(winner.tried) == set(SIZES)


def test_wrapped_rules_are_tuned_alike():
    """Lookahead and alternating turns have the inner rule's step; each is tuned to its own smallest radius."""
    rules = {
        "lookahead": gd.rules.Lookahead(gd.rules.GDA(0.1), 5, 0.5),
        "turns": gd.rules.Alternating((gd.rules.OptimisticGD(0.1), gd.rules.OptimisticGD(0.1))),
        "plain": gd.rules.Extragradient((0.1, 0.2)),
    }
    result = gd.compare(BILINEAR, rules, [1.0, 0.0], budget=400, step_sizes=(0.1, 0.3, 0.6), seeds=2)
    for c in result.contenders:
        radii = {lr: gd.linearize(BILINEAR, with_step_size(c.rule, lr)).spectral_radius for lr in c.tried}
        assert set(c.tried) == {0.1, 0.3, 0.6}
        assert step_size(c.rule) == min(radii, key=radii.get), c.label
    assert all(f"{step_size(c.rule):.3g}" in result.summary() for c in result.contenders)
    assert result.plot().data["turns"]["median"].shape == result.plot().data["turns"]["spent"].shape


def test_budgets_in_products_and_in_seconds():
    """Consensus asks for one product a step; a gradient step for none, and runs as many steps."""
    rules = [gd.rules.GDA(0.1), gd.rules.Consensus(0.1, 0.5), gd.rules.SGA(0.1, 0.5, align=False)]
    result = gd.compare(BILINEAR, rules, [1.0, 0.0], budget=100, unit="products", step_sizes=None, seeds=2)
    assert {c.label: c.steps for c in result.contenders} == {"SimultaneousGD": 100, "Consensus": 100, "SGA": 50}
    result = gd.compare(BILINEAR, rules[:2], [1.0, 0.0], budget=0.05, unit="seconds", step_sizes=None, seeds=2)
    for c in result.contenders:
        assert c.steps > 10
        assert 0 < c.spent[-1] <= 0.05 * (1 + 1e-9)
    assert "0.05 seconds each" in result.summary()


def test_the_ranking_puts_what_converges_before_what_diverges():
    rules = {"out": gd.rules.GDA(0.1), "in": gd.rules.OptimisticGD(0.1)}
    result = gd.compare(BILINEAR, rules, [1.0, 0.0], budget=200, step_sizes=None, seeds=4)
    assert [c.label for c in result.contenders] == ["in", "out"]
    median, low, high = result.contenders[0].final
    assert low <= median <= high
    assert "distance to equilibrium" in result.summary()
    assert result.to_dict()["contenders"][0]["label"] == "in"


def test_seeds_differ_and_runs_repeat():
    first = gd.compare(BILINEAR, [gd.rules.GDA(0.1)], [1.0, 0.0], budget=50, step_sizes=None, seeds=3)
    again = gd.compare(BILINEAR, [gd.rules.GDA(0.1)], [1.0, 0.0], budget=50, step_sizes=None, seeds=3)
    values = first.contenders[0].values
    np.testing.assert_array_equal(values, again.contenders[0].values)
    assert len(np.unique(values[:, 0])) == 3


def test_a_budget_that_buys_nothing_and_an_unknown_unit_are_refused():
    with pytest.raises(gd.GandynError, match="at least 2"):
        gd.compare(BILINEAR, [gd.rules.Extragradient(0.1)], [1.0, 0.0], budget=1)
    with pytest.raises(gd.GandynError, match="gradients, products, seconds"):
        gd.compare(BILINEAR, [gd.rules.GDA(0.1)], [1.0, 0.0], budget=10, unit="flops")


def test_tuning_keeps_the_ratio_of_the_players_steps():
    """A rule is tuned as it was given: (lr, 4 lr) stays (lr, 4 lr), wrapped or not."""
    rules = [
        (gd.rules.GDA((0.1, 0.4)), gd.rules.GDA((0.02, 0.08))),
        (gd.rules.GDA({"x": 0.1, "y": 0.4}), gd.rules.GDA({"x": 0.02, "y": 0.08})),
        (gd.rules.AlternatingGD((0.1, 0.4)), gd.rules.AlternatingGD((0.02, 0.08))),
        (gd.rules.Lookahead(gd.rules.GDA((0.1, 0.4)), 5, 0.5), gd.rules.Lookahead(gd.rules.GDA((0.02, 0.08)), 5, 0.5)),
    ]
    for given, wanted in rules:
        tuned = with_step_size(given, 0.02)
        one, other = (gd.iterate(BILINEAR, r, [1.0, 0.5], 7).w for r in (tuned, wanted))
        np.testing.assert_allclose(one, other, rtol=1e-14)
    steps = gd.rules.Alternating((gd.rules.GDA(0.1), gd.rules.Adam(0.001)))
    assert [r.lr for r in with_step_size(steps, 0.2).inner] == pytest.approx([0.2, 0.002])


@pytest.mark.parametrize("sizes", [(1.0, 1e-3), (1e-3, 1.0)])
def test_a_metric_that_is_no_number_wins_no_tuning(sizes):
    """GDA with step 1 leaves the disc in which the metric is defined; in either order of the sizes 1e-3 is chosen."""

    def metric(game, w):
        away = np.linalg.norm(w, axis=-1)
        return np.where(away < 1.5, away, np.nan)

    rules = [gd.rules.GDA(0.1)]
    found = gd.compare(
        gd.games.bilinear(), rules, [1.0, 0.0], budget=100, metric=metric, step_sizes=sizes, seeds=2, spread=0.01
    )
    (only,) = found.contenders
    assert only.rule == gd.rules.GDA(1e-3)
    assert only.tried[1.0] == np.inf
