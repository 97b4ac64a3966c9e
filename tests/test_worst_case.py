"""worst_case: the rule objects themselves on performance-estimation points, against published contraction factors."""

import pytest

import gandyn as gd
from gandyn.analysis.worst_case import WorstCase

pytest.importorskip("PEPit", reason="needs the extra gandyn[proof]")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rule", "mu", "lipschitz", "value"),
    [
        (gd.rules.GDA(0.1), 0.1, 1.0, 1 - 2 * 0.1 * 0.1 + 0.1**2),
        (gd.rules.GDA(0.1), 0.5, 2.0, 1 - 2 * 0.1 * 0.5 + 0.1**2 * 4),
        # <w+ - w*, v(w+)> >= mu |w+ - w*|^2 gives |w - w*| >= (1 + lr mu) |w+ - w*|.
        (gd.rules.ProximalPoint(0.5), 0.1, 1.0, 1 / (1 + 0.5 * 0.1) ** 2),
    ],
    ids=str,
)
def test_one_step_meets_the_closed_form(rule, mu, lipschitz, value):
    assert gd.worst_case(rule, mu=mu, lipschitz=lipschitz).value == pytest.approx(value, abs=2e-5)


@pytest.mark.slow
def test_extragradient_does_not_expand_on_monotone_fields_where_gradient_steps_do():
    assert gd.worst_case(gd.rules.Extragradient(0.3)).value <= 1 + 1e-5
    assert gd.worst_case(gd.rules.GDA(0.3)).value == pytest.approx(1 + 0.3**2, abs=2e-5)


def test_rules_outside_the_class_are_refused_by_name():
    with pytest.raises(gd.GandynError, match="linear in the field"):
        gd.worst_case(gd.rules.Adam(0.1))
    with pytest.raises(gd.GandynError, match="0 <= mu"):
        gd.worst_case(gd.rules.GDA(0.1), mu=2.0, lipschitz=1.0)
    with pytest.raises(gd.GandynError, match="no value"):
        gd.worst_case(gd.rules.GDA("lr"))


def test_the_factor_per_step_is_the_root_of_the_bound_on_squares():
    found = WorstCase(gd.rules.GDA(0.1), 0.0, 1.0, steps=4, value=1 / 256)
    assert found.per_step == pytest.approx(0.5)
    assert "factor 0.5 a step" in found.summary()
