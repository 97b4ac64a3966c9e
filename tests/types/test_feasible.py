"""Feasible sets as objects: membership, faces, tangent spaces and multipliers, against the projection itself."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import gandyn as gd
from gandyn.oracles.projections import Box, Product, Simplices, project_to_simplex
from gandyn.types import FeasibleSet

R = sympy.Rational
x, y, l = sympy.symbols("x y l", real=True)

PROJECTIONS = {
    "box": Box(((-1, 2), None, (0, None), (None, 3))),
    "simplices": Simplices((3, 2), free=1),
    "mixture": Product((Box(((0, None), None)), Simplices((3,)), Box(((-1, 1),)))),
    "nested": Product((Product((Simplices((2,)), Box(((0, 1),)))), Simplices((2,), free=1))),
}


@pytest.mark.parametrize("name", PROJECTIONS)
def test_every_face_is_where_its_points_say_they_are(name):
    """Random points of each face's relative interior are feasible, are fixed by P, and lie on that face alone."""
    projection, rng = PROJECTIONS[name], np.random.default_rng(0)
    feasible = projection.feasible
    faces = list(feasible.faces())
    assert len(faces) == feasible.count == len(set(faces))
    assert faces[0].dimension == max(face.dimension for face in faces)
    for face in faces:
        inside = np.array(face.anchor, dtype=float)
        for k in face.free:
            low, high = (float(b) if b.is_finite else None for b in (feasible.low[k], feasible.high[k]))
            if not any(k in simplex for simplex in feasible.simplices):
                bottom = low if low is not None else -5.0 if high is None else high - 5
                top = high if high is not None else bottom + 5
                inside[k] = bottom + (top - bottom) * rng.uniform(0.1, 0.9)
        inside += face.orthonormal @ rng.uniform(-0.05, 0.05, face.dimension)
        assert feasible.contains(inside)
        np.testing.assert_allclose(projection(inside), inside, atol=1e-12)
        assert feasible.face(inside) == face
        assert feasible.face([R(v) for v in map(sympy.nsimplify, face.anchor)]).dimension <= face.dimension


@pytest.mark.parametrize("name", PROJECTIONS)
def test_the_tangent_space_is_the_derivative_of_the_projection(name):
    """Strictly inside the normal cone DP is the orthogonal projection onto the face's tangent space."""
    projection = PROJECTIONS[name]
    for face in projection.feasible.faces():
        basis = face.orthonormal
        np.testing.assert_allclose(basis.T @ basis, np.eye(face.dimension), atol=1e-14)
        inside = np.array(face.anchor, dtype=float) + 0.01 * basis.sum(axis=1)
        if not projection.feasible.contains(inside) or projection.feasible.face(inside) != face:
            continue
        pressed = np.zeros(len(inside))
        pressed[list(face.active)] = [0.5 * face.sides[k] for k in face.active]
        outside, step = inside + pressed, 1e-6
        slope = np.stack([(projection(outside + step * e) - projection(outside - step * e)) / (2 * step)
                          for e in np.eye(len(inside))], axis=1)  # fmt: skip
        np.testing.assert_allclose(slope, basis @ basis.T, atol=1e-8)


@given(st.integers(0, 2**31), st.sampled_from(sorted(PROJECTIONS)))
def test_the_first_order_conditions_are_the_natural_residual(seed, name):
    """With integers in small ranges bounds and ties are common; the conditions hold iff w = P(w - v)."""
    rng, projection = np.random.default_rng(seed), PROJECTIONS[name]
    feasible = projection.feasible
    w = projection(np.array([*map(sympy.Integer, rng.integers(-2, 4, feasible.dim)), None], dtype=object)[:-1])
    v = np.array([*map(sympy.Integer, rng.integers(-1, 2, feasible.dim)), None], dtype=object)[:-1]
    if rng.random() < 0.8:
        v[list(feasible.face(w).free)] = sympy.Integer(0)  # at rest along the face: the multipliers decide
    residual = w - projection(w - v)
    found = feasible.first_order(w, v)
    assert found.holds is not bool(np.any(residual != 0))
    floats = feasible.first_order(w.astype(float), v.astype(float), tolerance=1e-12)
    assert (floats.holds, floats.face, floats.strong, floats.weak) == (
        found.holds, found.face, found.strong, found.weak,
    )  # fmt: skip


def test_multipliers_of_a_constrained_minimum():
    """x^2 with x >= 1 is minimal at 1, where the bound pushes with 2; on a simplex v is measured from its mean."""
    half_line = FeasibleSet.box([(1, None)])
    found = half_line.first_order((1,), (2,))
    assert (found.holds, found.strong, found.multipliers) == (True, (0,), {0: 2})
    assert half_line.first_order((1,), (-2,)).wrong == (0,)
    corner = FeasibleSet.simplex(3).first_order((R(1, 2), R(1, 2), 0), (R(4), R(4), R(4)))
    assert (corner.holds, corner.weak, corner.multipliers) == (True, (2,), {2: 0})
    assert FeasibleSet.simplex(3).first_order((1, 0, 0), (R(1), R(2), R(0))).wrong == (2,)


def test_exact_points_are_compared_exactly():
    unit = FeasibleSet.box([(0, 1)])
    assert unit.face((R(1, 10**30),)).sides == (0,)
    assert unit.face((1e-30,)).sides == (-1,)
    assert unit.face((sympy.sqrt(2) - sympy.sqrt(2),)).sides == (-1,)
    root = sympy.sqrt(3 + 2 * sympy.sqrt(2)) - sympy.sqrt(2)
    assert FeasibleSet.box([(1, None)]).face((root,)).sides == (-1,)
    tiny = FeasibleSet.box([(0, 1e-12)])
    assert tiny.face((5e-13,)).sides == (0,)


def test_an_empty_interval_is_fixed_and_never_active():
    face = FeasibleSet.box([(2, 2), None]).face((2, 0))
    assert (face.sides, face.active, face.dimension) == ((-1, 0), (), 1)
    assert FeasibleSet.simplex(1).face((1,)).dimension == 0


def test_many_faces_are_refused_by_number():
    with pytest.raises(gd.errors.DomainError, match="1048575 faces"):
        FeasibleSet.simplex(20).faces()


def test_games_say_what_they_are_feasible_on():
    assert gd.games.bilinear().feasible_set().unconstrained
    assert gd.games.matching_pennies().feasible_set().simplices == ((0, 1), (2, 3))
    clipped = gd.games.dirac_gan(loss="wasserstein", clip=1.0).feasible_set()
    assert clipped.bounds[1] == (-1, 1)
    own = gd.games.matching_pennies().restrict("y", np.array([0.5, 0.5, 1, 0])).feasible_set()
    assert own == FeasibleSet.simplex(2)
    players = {"x": [x], "l": [l]}
    unknown = gd.games.from_sympy([x**2, -x * l], players, projection=lambda w: w)
    with pytest.raises(gd.errors.DomainError, match="not one whose faces are known"):
        unknown.feasible_set()


def test_the_natural_residual_vanishes_at_the_solution_and_not_at_the_field_s_zero():
    lagrangian = x**2 + l * (-1 - x)
    game = gd.games.from_sympy(lagrangian, {"x": [x], "l": [l]}, projection=Box((None, (0, None))))
    assert not game.natural_residual(np.array([0.0, 0.0])).any()
    assert game.natural_residual(np.array([-1.0, -2.0])).any()
    assert not game.natural_residual([sympy.Integer(0), sympy.Integer(0)]).any()


@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_exact_and_floating_simplex_projections_agree(size):
    for entries in itertools.islice(itertools.product((-1, 0, R(1, 3), 2), repeat=size), 40):
        exact = project_to_simplex(np.array([*map(sympy.sympify, entries), None], dtype=object)[:-1])
        assert sum(exact) == 1
        np.testing.assert_allclose(exact.astype(float), project_to_simplex(np.array(entries, dtype=float)), atol=1e-12)
