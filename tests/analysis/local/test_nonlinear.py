"""Beyond the linear part: planted normal forms are recovered, decay laws meet long runs, each argument is named."""

import numpy as np
import pytest
import sympy
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import gandyn as gd
from gandyn.analysis.local.fate import Fate
from gandyn.analysis.local.linearize import Verdict

x, y, z = sympy.symbols("x y z", real=True)
Q = sympy.Rational
TURNS = [(Q(3, 5), Q(4, 5)), (Q(5, 13), -Q(12, 13)), (Q(7, 25), Q(24, 25))]  # cosine and sine
fifths = st.integers(-5, 5).map(lambda k: Q(k, 5))


def flow_game(right, symbols=(x, y)):
    """The game whose gradient flow is dw/dt = right(w): player i's cost is minus the primitive of its entry."""
    costs = [-sympy.Poly(e, *symbols).integrate(s).as_expr() for e, s in zip(right, symbols, strict=True)]
    return gd.games.from_sympy(costs, list(symbols), equilibria=[(0,) * len(symbols)])


def map_game(image, symbols=(x, y)):
    """The game on which simultaneous steps of size 1 are w -> image(w)."""
    return flow_game([e - s for e, s in zip(image, symbols, strict=True)], symbols)


def cut(e, order):
    """Terms of total degree up to `order`: a normal form to that order depends on no others."""
    terms = sympy.Poly(e, x, y).terms()
    return sympy.Add(*(c * x**i * y**j for (i, j), c in terms if i + j <= order))


def there(a, b, u, v):
    """A change of coordinates near the identity."""
    v = v + a * u**2
    return u + b * v**2, v


def back(a, b, u, v):
    """Its inverse."""
    u = u - b * v**2
    return u, v - a * u**2


def conjugate_map(image, a, b, order=3):
    moved = [cut(e, order) for e in image(*(cut(e, order) for e in there(a, b, x, y)))]
    return [cut(e, order) for e in back(a, b, *moved)]


def conjugate_flow(right, a, b, order=3):
    moved = sympy.Matrix([cut(e, order) for e in there(a, b, x, y)])
    slope = moved.jacobian([x, y]) - sympy.eye(2)
    field = sympy.Matrix([cut(e, order) for e in right(*moved)])
    total = term = field
    for _ in range(order - 1):  # (1 + N)^-1 = 1 - N + N^2 - ...
        term = -(slope * term).applyfunc(lambda e: cut(e, order))
        total += term
    return [cut(e, order) for e in total]


# --- planted coefficients ---------------------------------------------------------------------------------------------


@settings(max_examples=6)
@given(fifths, fifths, fifths, fifths, st.integers(1, 4))
def test_a_planted_focal_value_is_recovered_behind_a_change_of_coordinates(a, b, real, imaginary, omega):
    assume(real)

    def right(u, v):
        square = u**2 + v**2
        return (-omega * v + square * (real * u - imaginary * v), omega * u + square * (real * v + imaginary * u))

    found = gd.linearize(flow_game(conjugate_flow(right, a, b))).nonlinear
    assert found.order == 3
    assert found.coefficient == real
    assert found.verdict is (Fate.ATTRACTING if real < 0 else Fate.REPELLING)


@settings(max_examples=3)
@given(fifths, fifths, st.sampled_from([-2, -1, 1, 3]))
def test_a_planted_second_focal_value_decides_where_the_first_vanishes(a, b, fifth):
    def right(u, v):
        square = u**2 + v**2
        return (-v - 2 * v * square + fifth * u * square**2, u + 2 * u * square + fifth * v * square**2)

    found = gd.linearize(flow_game(conjugate_flow(right, a, b, 5))).nonlinear
    assert (found.order, found.coefficient) == (5, fifth)


@pytest.mark.slow
@settings(max_examples=6)
@given(fifths, fifths, fifths, fifths, st.sampled_from(TURNS))
def test_a_planted_neimark_sacker_coefficient_is_recovered(a, b, real, imaginary, turn):
    assume(real)
    c, s = turn

    def image(u, v):
        square = u**2 + v**2  # lambda z (1 + (real + i imaginary) |z|^2)
        p, q = u + square * (real * u - imaginary * v), v + square * (real * v + imaginary * u)
        return c * p - s * q, s * p + c * q

    found = gd.linearize(map_game(conjugate_map(image, a, b)), gd.rules.GDA(1)).nonlinear
    assert (found.order, found.coefficient) == (3, real)


@pytest.mark.slow
def test_a_map_that_turns_without_growing_to_third_order_grows_by_the_square_of_its_twist():
    """|lambda + i t |z|^2|^2 = 1 + t^2 |z|^4: Re of the cubic coefficient vanishes, and order five repels."""
    c, s = Q(3, 5), Q(4, 5)

    def image(u, v):
        p, q = u - 2 * (u**2 + v**2) * v, v + 2 * (u**2 + v**2) * u
        return c * p - s * q, s * p + c * q

    found = gd.linearize(map_game(conjugate_map(image, Q(1, 5), Q(2, 5), 5)), gd.rules.GDA(1)).nonlinear
    assert found.order == 5
    assert found.coefficient == 2
    assert found.verdict is Fate.REPELLING


@settings(max_examples=6)
@given(fifths, fifths, fifths, st.integers(1, 4))
def test_the_centre_manifold_bends_a_planted_pair_in_three_dimensions(a, b, cubic, decay):
    """dz/dt = -decay z + a (x^2 + y^2) feeds back: on z = a r^2 / decay + ..., dr/dt = (cubic + a b / decay) r^3."""
    expected = cubic + a * b / decay
    assume(expected)
    square = x**2 + y**2
    right = [-y + cubic * x * square + b * x * z, x + cubic * y * square + b * y * z, -decay * z + a * square]
    found = gd.linearize(flow_game(right, (x, y, z))).nonlinear
    assert found.coefficient == expected
    assert found.verdict is (Fate.ATTRACTING if expected < 0 else Fate.SADDLE)


@settings(max_examples=6)
@given(fifths, fifths, fifths, st.integers(1, 4))
def test_the_centre_manifold_of_a_zero_eigenvalue(a, b, cubic, decay):
    """dx/dt = cubic x^3 + b x y, dy/dt = -decay y + a x^2: the reduced cubic coefficient is cubic + a b / decay."""
    expected = cubic + a * b / decay
    assume(expected)
    game = flow_game([cubic * x**3 + b * x * y, -decay * y + a * x**2])
    found = gd.linearize(game).nonlinear
    assert (found.order, found.coefficient) == (3, expected)
    step = gd.linearize(game, gd.rules.GDA(Q(1, 8))).nonlinear
    assert (step.order, step.coefficient) == (3, expected / 8)


@settings(max_examples=6)
@given(fifths, fifths)
def test_the_flip_coefficient_is_that_of_the_second_iterate(quadratic, cubic):
    """x+ = -x + q x^2 + c x^3 has x++ = x - 2 (c + q^2) x^3 + ...: |x| gains -(c + q^2) |x|^3 a step."""
    assume(cubic + quadratic**2)
    found = gd.linearize(map_game([-x + quadratic * x**2 + cubic * x**3, y / 2]), gd.rules.GDA(1)).nonlinear
    assert (found.order, found.coefficient) == (3, -(cubic + quadratic**2))


def test_an_even_term_at_a_real_eigenvalue_attracts_from_one_side_only():
    for game, rule in ((flow_game([x**2, -y]), None), (map_game([x + x**2, y / 2]), gd.rules.GDA(1))):
        found = gd.linearize(game, rule).nonlinear
        assert found.verdict is Fate.ONE_SIDED
        assert (found.order, abs(found.coefficient)) == (2, 1)


# --- the field's own examples -----------------------------------------------------------------------------------------


def test_the_two_dirac_gans_of_equal_eigenvalues_have_different_fates_for_named_reasons():
    attracting = gd.linearize(gd.games.dirac_gan(loss="nonsaturating"))
    assert attracting.verdict is Verdict.MARGINAL
    assert attracting.nonlinear.verdict is Fate.ATTRACTING
    assert attracting.nonlinear.coefficient == -Q(1, 16)
    assert "cubic" in attracting.reason
    t = sympy.Symbol("t", positive=True)
    assert sympy.simplify(attracting.nonlinear.distance(t) ** 2 - 8 / t) == 0
    conservative = gd.linearize(gd.games.dirac_gan())
    assert conservative.verdict is Verdict.MARGINAL
    assert conservative.nonlinear.verdict is Fate.CONSERVATIVE
    theta, phi = gd.games.dirac_gan().symbols
    assert conservative.nonlinear.quantity == theta**2 + phi**2
    assert "conserved" in conservative.summary()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("game", "rule"),
    [
        (gd.games.dirac_gan(loss="nonsaturating"), None),
        (gd.games.dirac_gan(loss="nonsaturating"), gd.rules.AlternatingGD(0.5)),
        (flow_game([-y - x**3 + x**2 / 4, x + x * y / 3]), None),
        (flow_game([-y - x * (x**2 + y**2) / 5 + y**2, x + x * y]), None),
    ],
    ids=["nonsaturating", "nonsaturating in turn", "one damped", "with quadratic terms"],
)
def test_long_runs_follow_the_power_law(game, rule):
    """1/r^2 grows by -2 l a step or unit of time, measured over whole turns after the start is forgotten."""
    found = gd.linearize(game, rule).nonlinear
    assert found.verdict is Fate.ATTRACTING
    assert found.order == 3
    if rule is None:
        times = np.linspace(3000, 12000, 36001)
        run = gd.flow(game, [0.05, 0.05], time=12000.0)
        points = run(times)
    else:
        points = gd.iterate(game, rule, [0.05, 0.05], 12000).w[3000:]
    inverse = 1 / (points**2).sum(-1)
    half = len(inverse) // 2
    gained = (inverse[half:].mean() - inverse[:half].mean()) / 4500
    assert gained == pytest.approx(-2 * float(found.coefficient), rel=2e-2)


def test_alternating_steps_conserve_an_ellipse_exactly():
    found = gd.linearize(gd.games.bilinear(), gd.rules.AlternatingGD(0.2)).nonlinear
    assert found.verdict is Fate.CONSERVATIVE
    a, b = gd.games.bilinear().symbols
    assert found.quantity == 5 * a**2 - a * b + 5 * b**2
    run = gd.iterate(gd.games.bilinear(), gd.rules.AlternatingGD(0.2), [1.0, 2.0], 1000).w
    values = 5 * run[:, 0] ** 2 - run[:, 0] * run[:, 1] + 5 * run[:, 1] ** 2
    np.testing.assert_allclose(values, values[0], rtol=1e-12)


def test_two_turns_conserve_a_sum_though_neither_radius_alone_has_a_strict_minimum():
    a, b, c, d = sympy.symbols("a b c d", real=True)
    value = a * b + 2 * c * d
    quantity = gd.linearize(gd.games.from_sympy([value, -value], [[a, c], [b, d]]), at=(0,) * 4).nonlinear.quantity
    assert sympy.hessian(quantity, (a, b, c, d)).is_positive_definite
    slopes = [quantity.diff(s) for s in (a, c, b, d)]
    assert sympy.expand(sum(s * v for s, v in zip(slopes, (b, 2 * d, -a, -2 * c), strict=True))) == 0


def test_linear_maps_are_neutral_or_attract_to_their_fixed_points():
    neutral = gd.linearize(gd.games.bilinear(), gd.rules.OptimisticGD(1 / sympy.sqrt(3))).nonlinear
    assert neutral.verdict is Fate.NEUTRAL
    plane = gd.linearize(gd.games.bilinear(((1, 0.5, -2),)), gd.rules.Consensus(0.1, 1.0)).nonlinear
    assert plane.verdict is Fate.SET


def test_a_curved_game_with_a_line_of_equilibria_attracts_to_the_line():
    game = gd.games.from_sympy([(x - y) ** 2 / 2 + (x - y) ** 4, (x - y) ** 2], [x, y], equilibria=[(0, 0)])
    assert gd.linearize(game).nonlinear.verdict is Fate.SET
    assert gd.linearize(game, gd.rules.GDA(0.1)).nonlinear.verdict is Fate.SET


@pytest.mark.parametrize(("angle", "name"), [(3, "1:3"), (4, "1:4")])
def test_strong_resonances_are_named(angle, name):
    """z+ = lambda z + conj(z)^(n - 1) with lambda^n = 1."""
    root = {3: (-Q(1, 2), sympy.sqrt(3) / 2), 4: (Q(0), Q(1))}[angle]
    w = (x - sympy.I * y) ** (angle - 1)
    real, imaginary = sympy.expand(sympy.re(sympy.expand(w))), sympy.expand(sympy.im(sympy.expand(w)))
    image = [root[0] * x - root[1] * y + real, root[1] * x + root[0] * y + imaginary]
    found = gd.linearize(map_game(image), gd.rules.GDA(1)).nonlinear
    assert found.verdict is Fate.UNDECIDED
    assert name in found.argument


def test_at_the_resonance_one_to_four_a_strong_enough_cubic_term_decides():
    square = x**2 + y**2
    for size, verdict in ((Q(1, 2), Fate.ATTRACTING), (Q(2), Fate.UNDECIDED)):
        cube = (x - sympy.I * y) ** 3 * size
        real, imaginary = sympy.re(sympy.expand(cube)), sympy.im(sympy.expand(cube))
        image = [-y + square * y + real, x - square * x + imaginary]  # i z (1 - |z|^2) + size conj(z)^3
        found = gd.linearize(map_game([sympy.expand(e) for e in image]), gd.rules.GDA(1)).nonlinear
        assert found.verdict is verdict


def test_what_the_linear_part_decides_needs_no_more():
    assert gd.linearize(gd.games.bilinear(), gd.rules.GDA(0.2)).nonlinear is None
    assert gd.linearize(gd.games.quadratic(1, 2, 1)).nonlinear is None


def test_a_decision_speaks_json():
    data = gd.linearize(gd.games.dirac_gan(loss="nonsaturating")).to_dict()["nonlinear"]
    assert data["coefficient"] == {"exact": "-1/16", "value": -0.0625}
    assert data["verdict"] == "attracting"
    with pytest.raises(gd.GandynError, match="no decay law"):
        gd.linearize(gd.games.dirac_gan()).nonlinear.distance(10)


def test_irrational_points_are_expanded_in_long_decimals():
    """A planted cubic coefficient at (sqrt 2, 0), with exp in the cost: no rational arithmetic applies."""
    u = x - sympy.sqrt(2)
    game = gd.games.from_sympy(
        [y * (sympy.exp(u) - 1) + u**4 / 4, -y * u - y * u**2 / 2],
        [x, y],
        equilibria=[(sympy.sqrt(2), 0)],
    )
    found = gd.linearize(game).nonlinear
    shifted = gd.games.from_sympy(
        [y * (sympy.exp(x) - 1) + x**4 / 4, -y * x - y * x**2 / 2], [x, y], equilibria=[(0, 0)]
    )
    expected = gd.linearize(shifted).nonlinear
    assert found.order == expected.order == 3
    assert float(found.coefficient) == pytest.approx(float(expected.coefficient), abs=1e-14)


@pytest.mark.slow
def test_the_exact_normal_form_and_the_bifurcations_coefficient_agree():
    """Two routes to one number: power series in exact arithmetic, and central differences with unit eigenvectors.

    The amplitude of |z q + conj| is 2 |z|^2 in the mean, so a map's Lyapunov coefficient is twice, and a flow's twice
    over the frequency, the coefficient of the mean radius.
    """
    game = gd.games.dirac_gan(penalty=gd.penalties.R1(sympy.Rational(3, 10)))
    (point,) = gd.bifurcation(game, gd.rules.GDA("lr"), "lr", np.linspace(0.9, 1.5, 13)).points
    exact = gd.linearize(game, gd.rules.GDA(sympy.Rational(6, 5))).nonlinear.coefficient
    assert exact == sympy.Rational(-81, 2000)
    assert point.coefficient == pytest.approx(2 * float(exact), rel=1e-6)
    x, y, mu = sympy.symbols("x y mu", real=True)

    def costs(m):
        return [x * y * 2 + m * x**2 / 2 + x**4 / 4 + x**3 / 3, -2 * x * y + x * y**2 / 2]

    (point,) = gd.bifurcation(gd.games.from_sympy(costs(mu), [x, y]), None, "mu", np.linspace(-0.5, 0.5, 21)).points
    beyond = gd.linearize(gd.games.from_sympy(costs(0), [x, y]), at=[0, 0]).nonlinear
    assert point.coefficient == pytest.approx(2 * float(beyond.coefficient) / 2, rel=1e-6)  # frequency 2
