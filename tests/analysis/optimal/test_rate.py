"""gd.rate: against declared closed forms, an independent checker of each certificate, and random games."""

import math
from fractions import Fraction

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.analysis.optimal.enclosure import SAMPLES, peaks
from gandyn.analysis.optimal.quadratic_rate import window
from gandyn.errors import GandynError

R, C = gd.rules, gd.classes
BILINEAR = C.Bilinear(0.5, 2)
SETS = {
    "points": C.Spectrum(points=[0.7, 1.2 + 0.9j]),
    "segment": C.Spectrum(segment=(0.5, 2)),
    "tilted segment": C.Spectrum(segment=(0.5 + 0.2j, 2 - 1j)),
    "disc": C.Spectrum(disc=(1, 0.5)),
    "disc off the axis": C.Spectrum(disc=(1 + 0.5j, 0.25)),
    "ellipse": C.Spectrum(ellipse=(1.3, 0.4, 0.9)),
    "cross": C.Spectrum(cross=(1.37, 0.61, 2.3)),
    "polygon": C.Spectrum(polygon=[0.3, 2, 1.5 + 1j]),
}
RULES = [R.GDA(0.3), R.Extragradient(0.4), R.OptimisticGD(0.25), R.HeavyBall(0.3, -0.2), R.RungeKutta(0.4, 4)]
MEMORY = [R.OptimisticGD(0.2), R.PastExtragradient(0.2), R.HeavyBall(0.3, -0.2), R.HeavyBall(0.3, 0.2 + 0.3j)]


# --- closed forms -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", [*RULES, R.Consensus(0.2, 0.5), R.Lookahead(R.GDA(0.3), 4, 0.4)], ids=repr)
def test_bilinear_rates_are_the_largest_declared_modulus(rule):
    """The modulus that a rule declares is a formula of its own file; RungeKutta's is |sum (-is)^k / k!|."""
    sigma = np.linspace(0.5, 2, 40001)
    if isinstance(rule, (R.Consensus, R.Lookahead)):
        declared = [_modulus(rule, s) for s in sigma]
    elif isinstance(rule, R.RungeKutta):
        declared = abs(sum((-0.4j * sigma) ** k / math.factorial(k) for k in range(5)))
    else:
        declared = [rule.bilinear_modulus(rule.lr * s) for s in sigma]
    found = gd.rate(rule, BILINEAR)
    assert found.kind == "exact"
    assert found.measure == "spectral radius"
    assert found.value >= max(declared) - 1e-13
    assert found.value == pytest.approx(max(declared), abs=1e-8 if rule in RULES[2:4] else 1e-9)


def _modulus(rule, sigma):
    if isinstance(rule, R.Lookahead):
        return abs(1 - 0.4 + 0.4 * (1 - 0.3j * sigma) ** 4)
    return math.hypot(1 - 0.2 * 0.5 * sigma**2, 0.2 * sigma)


@pytest.mark.parametrize(
    ("rule", "over", "value"),
    [
        (R.GDA(0.4), SETS["segment"], 0.8),
        (R.GDA(0.5), SETS["disc"], 0.75),  # |1 - lr c| + lr r
        (R.GDA(1.5), SETS["disc"], 1.25),
        (R.GDA(0.3), SETS["points"], abs(1 - 0.3 * 0.7)),
        (R.ProximalPoint(0.5), SETS["segment"], 1 / 1.25),
        (R.ProximalPoint(0.5), BILINEAR, 1 / math.hypot(1, 0.25)),
        (R.Extragradient(0.4), SETS["segment"], 1 - 0.4 * 2 + 0.16 * 4),
        (R.AlternatingGD(0.4), BILINEAR, 1.0),  # a circle for lr sigma < 2
        (R.AlternatingGD((0.5, 2.5)), BILINEAR, (3 + math.sqrt(5)) / 2),  # trace 2 - lr_1 lr_2 sigma^2 = -3
        (R.GDA((0.1, 0.4)), BILINEAR, math.sqrt(1 + 0.04 * 4)),
        (R.CompetitiveGD(0.4), BILINEAR, 1 / math.hypot(1, 0.2)),
    ],
    ids=str,
)
def test_closed_forms_over_sets(rule, over, value):
    found = gd.rate(rule, over)
    assert found.kind == "exact"
    assert found.value == pytest.approx(value, abs=1e-12)
    assert found.lower <= value + 1e-15
    assert found.value >= value - 1e-15
    assert found.value - found.lower < 1e-13


def test_a_double_root_keeps_all_its_digits():
    """Polyak's parameters in fractions: a double root at both ends, where floating point has half of its digits."""
    found = gd.rate(R.HeavyBall(sympy.Rational(8, 9), sympy.Rational(1, 9)), SETS["segment"])
    assert found.value == pytest.approx(1 / 3, abs=1e-13)


# --- an independent checker -------------------------------------------------------------------------------------------


def checked(proof) -> bool:
    """The proof again, by another road: roots on |z| = r are roots that P(z) shares with z^n P(r^2 / z)."""
    z, u = sympy.symbols("z u")
    data = proof.to_dict()
    term = data["characteristic polynomial"]

    def polynomial(x, y, n, degree):
        total = 0
        for k, powers in enumerate(term):
            total += z**k * sum(c * x**i * y**j * n ** (degree - i - j) for i, j, c in powers)
        return total

    degree = max(i + j for powers in term for i, j, _ in powers)
    holomorphic = not any(j for powers in term for _, j, _ in powers)
    r = sympy.Rational(proof.high)
    for curve in data["curves"]:
        x, y, n = (sum(sympy.Rational(c) * u**k for k, c in enumerate(part)) for part in (curve.x, curve.y, curve.n))
        if holomorphic:
            p = polynomial(x + sympy.I * y, 0, n, degree) * (polynomial(x - sympy.I * y, 0, n, degree) if y != 0 else 1)
        else:
            p = polynomial(x, y, n, degree)
        p = sympy.Poly(sympy.expand(p), z, u)
        start = np.roots([float(c) for c in sympy.Poly(p.as_expr().subs(u, 0), z).all_coeffs()])
        if np.abs(start).max() >= float(r) * (1 + 1e-7):
            return False
        q = sympy.expand(z ** p.degree(z) * p.as_expr().subs(z, r**2 / z))
        shared = sympy.Poly(sympy.resultant(p.as_expr(), q, z), u)
        if not shared.is_ground and shared.count_roots(0, 1):
            return False
    member = [sympy.Rational(c) for c in data["member"]]
    values = [complex(sum(c * (member[0] + sympy.I * member[1]) ** i for i, j, c in powers)) for powers in term]
    return not holomorphic or np.abs(np.roots(values[::-1])).max() >= float(proof.low) - 1e-7


@pytest.mark.parametrize("rule", [R.GDA(0.3), R.Extragradient(0.4), R.AlternatingGD((0.1, 0.2))], ids=repr)
def test_the_checker_agrees_on_bilinear_games(rule):
    proof = gd.rate(rule, BILINEAR).certificate
    assert proof.holds()
    assert checked(proof)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in SETS if name != "disc off the axis"])
@pytest.mark.parametrize("rule", [R.GDA(0.3), R.OptimisticGD(0.25)], ids=repr)
def test_the_checker_agrees_on_every_set(rule, name):
    proof = gd.rate(rule, SETS[name]).certificate
    assert proof.holds()
    assert checked(proof)


def test_a_certificate_that_claims_too_much_does_not_hold():
    import dataclasses

    proof = gd.rate(R.Extragradient(0.4), BILINEAR).certificate
    width = Fraction(1, 10**12)
    assert not dataclasses.replace(proof, high=proof.low - width).holds()
    assert not dataclasses.replace(proof, low=proof.high + width).holds()
    assert not checked(dataclasses.replace(proof, high=proof.low - width))


# --- no game is worse -------------------------------------------------------------------------------------------------


def drawn(name, rng, count):
    """Eigenvalues in a set, its inside included."""
    over = SETS[name]
    given = np.array([complex(float(x), float(y)) for x, y in over.exact])
    t = rng.uniform(size=count)
    if over.kind == "points":
        return rng.choice(given, count)
    if over.kind == "segment":
        return given[0] + t * (given[1] - given[0])
    if over.kind == "polygon":
        weights = rng.dirichlet(np.ones(len(given)), count)
        return weights @ given
    p, q = given[1].real, given[-1].real
    if over.kind == "cross":
        side = rng.uniform(size=count) < 0.5
        return given[0] + (2 * t - 1) * np.where(side, p, 1j * q)
    angle, radius = rng.uniform(0, 2 * math.pi, count), np.sqrt(t)
    return given[0] + radius * (p * np.cos(angle) + 1j * q * np.sin(angle))


@pytest.mark.parametrize("name", SETS)
def test_no_game_in_the_set_is_worse(name):
    """Each rule on 300 games of the set, by `linearize`'s matrices; the worst of them comes close."""
    rng = np.random.default_rng(0)
    z = drawn(name, rng, 300)
    for rule in (R.OptimisticGD(0.2), R.HeavyBall(0.3, -0.2)):
        found = gd.rate(rule, SETS[name])
        sizes = [max(abs(np.roots(_characteristic(rule, w)))) for w in z]
        assert found.kind == "exact"
        assert max(sizes) <= found.value * (1 + 1e-7)
        assert max(sizes) >= 0.8 * found.value


def _characteristic(rule, z):
    if isinstance(rule, R.OptimisticGD):
        return [1, 2 * 0.2 * z - 1, -0.2 * z]
    return [1, 0.3 * z - 1 + 0.2, -0.2]


@pytest.mark.slow
@pytest.mark.parametrize("rule", [*RULES, *MEMORY, R.Lookahead(R.OptimisticGD(0.2), 3, 0.5)], ids=repr)
@pytest.mark.parametrize("name", ["disc", "ellipse", "polygon", "tilted segment"])
def test_no_random_game_is_worse(rule, name):
    """10 000 games of each set, through the eigenvalues of the matrices of the trace."""
    from gandyn.analysis.optimal.companion import companion

    z = drawn(name, np.random.default_rng(1), 10_000)
    assert companion(rule, "a test").radius(z).max() <= gd.rate(rule, SETS[name]).value * (1 + 1e-7)


def test_the_member_of_the_class_attains_the_rate_when_it_is_run():
    rule = R.OptimisticGD(0.3)
    found = gd.rate(rule, SETS["ellipse"])
    a, b = found.member.real, found.member.imag
    game = gd.games.general_quadratic((((a,), (b,)), ((-b,), (a,))))
    assert gd.linearize(game, rule, [0, 0]).spectral_radius == pytest.approx(found.value, abs=1e-9)


PLAYERS = (
    *(R.AlternatingGD(0.3), R.GDA((0.1, 0.2)), R.CompetitiveGD(0.3), R.HeavyBall(0.3, -0.2, alternating=True)),
    *(R.LEAD(0.1, 0.3, 0.2), R.Unrolled(0.1, 3), R.SGA(0.3, 0.5), R.Consensus(0.2, 0.4), R.LOLA(0.2)),
)


@pytest.mark.parametrize("rule", PLAYERS, ids=repr)
def test_zero_sum_games_with_a_normal_jacobian_come_apart_into_pairs(rule):
    """f = x^T A x/2 + x^T B y - y^T A y/2 with A = .8 I and B any matrix with singular values 1.1 and .4."""
    rng = np.random.default_rng(1)
    left, right = (np.linalg.qr(rng.normal(size=(2, 2)))[0] for _ in range(2))
    game = gd.games.quadratic(np.eye(2) * 0.8, left @ np.diag([1.1, 0.4]) @ right, np.eye(2) * 0.8)
    found = gd.rate(rule, C.Spectrum(points=[0.8 + 1.1j, 0.8 + 0.4j]))
    assert gd.linearize(game, rule, [0] * 4).spectral_radius == pytest.approx(found.value, abs=1e-9)


@pytest.mark.slow
def test_no_random_bilinear_game_is_worse_for_any_rule():
    """x^T M y with M not diagonal, for every registered rule that has a rate."""
    rng, asked = np.random.default_rng(1), 0
    for entry in R.registry:
        for rule in getattr(R, entry.name).examples()[:2]:
            try:
                found = gd.rate(rule, BILINEAR)
                left, right = (np.linalg.qr(rng.normal(size=(2, 2)))[0] for _ in range(2))
                game = gd.games.bilinear((left @ np.diag(rng.uniform(0.5, 2, 2)) @ right).tolist())
                size = gd.linearize(game, rule, [0] * 4).spectral_radius
            except GandynError:
                continue
            asked += 1
            assert size <= found.value + 1e-7, rule
    assert asked > 50


def test_players_that_take_turns_are_decided_for_zero_sum_games_only():
    for rule in (R.AlternatingGD(0.4), R.GDA((0.1, 0.2)), R.CompetitiveGD(0.1)):
        found = gd.rate(rule, SETS["segment"])
        assert found.kind == "lower"
        assert "zero-sum" in found.summary()
        assert found.interval[1] == math.inf


@pytest.mark.parametrize("name", ["tilted segment", "disc", "ellipse", "polygon"])
def test_transposed_products_are_exact_too(name):
    """|1 - lr (z + gamma |z|^2)| on 20 000 draws of the set, against a proof that covers its inside."""
    found = gd.rate(R.Consensus(0.4, 0.5), SETS[name])
    z = drawn(name, np.random.default_rng(0), 20_000)
    worst = np.abs(1 - 0.4 * (z + 0.5 * np.abs(z) ** 2)).max()
    assert found.kind == "exact"
    assert found.certificate.holds()
    assert 0.97 * found.value < worst <= found.value


def test_a_worst_game_inside_the_set_is_found():
    """1 - lr (x + gamma x^2) is largest at x = -1/(2 gamma): here the centre of the disc."""
    found = gd.rate(R.Consensus(0.1, 5), C.Spectrum(disc=(-0.1, 0.05)))
    assert found.value == pytest.approx(1.005, abs=1e-9)
    assert found.member == -0.1
    assert found.kind == "exact"


def test_positive_on_the_square_is_decided():
    from gandyn.analysis.optimal.filled import bernstein, one_sign
    from gandyn.budget import Budget

    def table(f):
        return bernstein([[Fraction(f(u, s)) for s in range(4)] for u in range(4)])

    assert one_sign(table(lambda u, s: (2 * u - 1) ** 2 + (2 * s - 1) ** 2 + Fraction(1, 10**6)), Budget(20))
    assert not one_sign(table(lambda u, s: (2 * u - 1) ** 2 + (2 * s - 1) ** 2 - Fraction(1, 10**6)), Budget(20))
    assert not one_sign(table(lambda u, s: u - s), Budget(20))


def test_a_pole_in_the_set_is_said():
    found = gd.rate(R.ProximalPoint(0.5), C.Spectrum(disc=(-2, 1)))
    assert found.value == math.inf
    assert "pole" in found.reason


# --- arithmetic -------------------------------------------------------------------------------------------------------


def test_a_peak_between_the_end_of_a_curve_and_the_first_sample_is_found():
    line = gd.classes.Curve((Fraction(0), Fraction(1)), (Fraction(0),))
    at = 0.7 * (1 - math.cos(math.pi / (SAMPLES - 1))) / 2

    class Bump:
        def radius(self, z, values):
            return 1 - abs(z.real - at)

    assert peaks(Bump(), line)[0] == pytest.approx(at, rel=1e-9)


def test_the_forms_of_a_proof_are_monotonicity_and_the_lipschitz_condition():
    """In the basis (w_0, v_0/L): <v/L, w> - kappa |w|^2 and |w|^2 - |v/L|^2."""
    steps = window(R.GDA(1 / 4), C.StronglyMonotone(1, 4))
    i = next(k for k in range(1, len(steps.points)) if steps.points[k][0] == 1)
    corner = [[float(c) for c in row[:2]] for row in steps.inequality(i, 0, "monotone")[:2]]
    assert corner == [[-1 / 4, 1 / 2], [1 / 2, 0]]
    corner = [[float(c) for c in row[:2]] for row in steps.inequality(i, 0, "lipschitz")[:2]]
    assert corner == [[1, 0], [0, -1]]


def test_a_step_that_changes_with_time_is_its_limit():
    assert "changes with time" in gd.rate(R.Anchored(0.1), BILINEAR).summary()
    assert "changes with time" not in gd.rate(R.GDA(0.1), BILINEAR).summary()


def test_time_that_runs_out_is_said():
    found = gd.rate(R.Extragradient(0.4), C.Spectrum(polygon=[0.5, 2, 1 + 1j]), budget=1e-6)
    assert found.kind == "lower"
    assert "out of time" in found.reason
    assert found.lower <= gd.rate(R.Extragradient(0.4), C.Spectrum(polygon=[0.5, 2, 1 + 1j])).value


def test_an_unknown_method_is_named():
    with pytest.raises(GandynError, match="did you mean"):
        gd.rate(R.GDA(0.1), BILINEAR, method="spectrall")


@pytest.mark.slow
def test_pictures():
    data = gd.rate(R.Extragradient(0.4), BILINEAR).plot().data
    assert data["radius"].max() <= data["value"]
    assert gd.rate(R.GDA(0.3), SETS["disc"]).plot().data["radius"].max() == pytest.approx(0.85, abs=1e-4)
