"""Toy against network: what a quadratic game with the same eigenvalue predicts for a rule, and what is measured."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...budget import Budget, in_time
from ...doors import door
from ...errors import ParameterError
from ...games.quadratic import quadratic
from ...lazy import torch
from ...oracles.product_check import ProductCheck
from ...results import Result
from ...rules.wrapper import scaled
from ...types import Array, Batch, Game, Rule
from ..local.linearize import linearize
from . import Resolution, spectrum
from .maps import mode_matrices, moves_modes, without_its_field
from .operators import as_point, holding
from .targets import excess

FACTORS = tuple(float(x) for x in np.geomspace(0.25, 4.0, 9))
SMALL_FACTOR, LARGEST_FACTOR, RATIO = 1e-3, 1e4, 1.3
ROUNDING = 1e-13  # of |lambda| - 1
LEAST_STEPS = 8
RANK = 1e-3  # singular values of amplitudes' windows below it, relative, are nonlinearity and rounding
FAINTEST, LARGEST = 1e-2, 1e3  # errors are followed while they are within these of where they began


@dataclasses.dataclass(frozen=True)
class Mode:
    """One eigenvalue z of the network's Jacobian J: what the toy predicts, and what is measured on the network."""

    end: str  # the end of the spectrum of J at which z lies, "SR", "LI", ...
    eigenvalue: complex  # z, in the upper half plane
    growth: float  # |lambda|, the factor by which a step multiplies the error, predicted by the toy
    turn: float  # full turns a step, in [0, 1/2], predicted by the toy
    stable: float  # the toy's largest stable multiple of the rule's step sizes: see `stable_multiple`
    # measured_growth, measured_turn: growth and turn on the network
    measured_growth: float
    measured_turn: float
    leak: float  # share of the error outside the plane of the eigenvector at the last step
    amplitudes: Array  # |error| in the plane after 0, 1, ... steps, (steps + 1,), 1 at the start
    promised: Array  # the toy's prediction of these, (steps + 1,)
    factors: Array  # multiples of the rule's step sizes that were tried, (n,)
    curve: Array  # the toy's growth at these, (n,)
    dots: Array  # the network's growth at these, (n,)


@dataclasses.dataclass(frozen=True, repr=False)
class ToyAgainstNetwork(Result):
    """What a rule does on a network, beside its prediction from quadratic games with the same eigenvalues of J.

    Attributes:
        game, rule: what was run.
        modes: a `Mode` for each eigenvalue at the ends of J's spectrum.
        toy_radius: the largest growth a step, |lambda|, that a toy predicts.
        map_radius: spectral radius of the rule's map linearised on the network, nan if unresolved.
        slope: |v(w)|, which was subtracted from the field.
        steps: of each run.
        conditions: what was held fixed: see `gd.spectrum`.
        check: products with J, compared with differences of the network's field.
    """

    game: Game
    rule: Rule
    modes: tuple[Mode, ...]
    toy_radius: float
    map_radius: float
    slope: float
    steps: int
    conditions: str
    check: ProductCheck | None = None

    _plot = "toy_against_network"

    def summary(self) -> str:
        """A text with one line for each mode: what the toy predicts, and what the network does."""
        lines = [
            f"{self._dynamics()}, {self.game.dim} parameters; {self.conditions}",
            f"spectral radius - 1: toys {self.toy_radius - 1:.6g}, network's linearised map {self.map_radius - 1:.6g}",
            f"{'mode':4} {'eigenvalue of J':>24} {'growth: toy':>12} {'network':>10} {'turn: toy':>10} {'network':>8}"
            f" {'leak':>7} {'stable up to':>13}",
        ]
        for m in self.modes:
            z = f"{m.eigenvalue.real:.5g} + {m.eigenvalue.imag:.5g}i"
            stable = "no short step" if m.stable == 0 else "always" if math.isinf(m.stable) else f"{m.stable:.4g} x lr"
            lines.append(
                f"{m.end:4} {z:>24} {m.growth:12.6f} {m.measured_growth:10.6f} {m.turn:10.5f} {m.measured_turn:8.5f}"
                f" {m.leak:7.1e} {stable:>13}"
            )
        return "\n".join(lines if self.check is None else [*lines, str(self.check)])


@door
@in_time
def toy_against_network(
    game: Game,
    rule: Rule,
    w: object,
    which: Sequence[str] = ("SR", "LI", "LM"),
    *,
    steps: int = 40,
    factors: Sequence[float] = FACTORS,
    batch: Batch = None,
    seed: int = 0,
    budget: float | Budget | None = 600.0,
    **options: Any,
) -> ToyAgainstNetwork:
    """Predict a rule near a point of a network from eigenvalues of J alone, then run the rule there and measure.

    For an eigenvalue z = p + iq of J at w the toy is the quadratic game p x^2/2 + q x y - p y^2/2, whose Jacobian has
    it too. The rule's map on the toy predicts the growth |lambda| and the turns of an error a step, and the largest
    stable multiple of the step sizes. The same rule object then runs on the network from w + e Re(x), with x the
    eigenvector and e small, on one batch and with v(w) subtracted from the field, so that w is a fixed point with the
    same J. Growth and turns are measured on the error's components along Re x and Im x. Rules that combine points and
    fields linearly keep the error in that plane, and there the toy is right to first order in e. Other rules need not:
    `leak` is the share of the error outside the plane.

    Args:
        game: a game of networks.
        rule: a smooth rule.
        w: the point, (d,).
        which: ends of the spectrum of J, as for `gd.spectrum`.
        steps: number of steps of each run.
        factors: multiples of the rule's step sizes to try.
        batch: a batch token; by default one drawn from `seed`.
        seed: of the batch.
        options: passed to `gd.spectrum`.
        budget: seconds. Beyond them the call raises, without a partial answer.

    Returns:
        A `ToyAgainstNetwork`: for each of `.modes` the growth that the toy predicts and the growth measured on the
        network.

    Raises:
        OutOfTimeError: when the budget is spent.
        DomainError: for games not made of networks.
        ParameterError: for rules that are not smooth, whose toy has no eigenvalues; fewer than 8 steps.
    """
    if not rule.domain.smooth:
        raise ParameterError(
            f"{rule!r}, whose map at an equilibrium has no derivative", "a smooth rule", "compare GDA, or Extragradient"
        )
    if steps < LEAST_STEPS:
        raise ParameterError(f"steps={steps}", f"at least {LEAST_STEPS}, to measure growth", "steps=40")
    point = as_point(game, w)
    with game.undisturbed():
        token = game.draw(np.random.default_rng(seed)) if batch is None else batch
        found = spectrum(game, point, 1, tuple(which), batch=token, seed=seed, **options)
        whole = spectrum(game, point, rule=rule, as_equilibrium=True, batch=token, seed=seed, **options)
        slope = float(game.field(point, token).norm())
        at_rest = holding(without_its_field(game, point, token), token)
        modes: list[Mode] = []
        for end in found.ends.values():
            z = complex(end.ritz[0])
            if not any(abs(z - m.eigenvalue) <= 1e-6 * abs(z) for m in modes):
                name = end.target.name if end.resolution is not Resolution.UNRESOLVED else f"{end.target.name}?"
                modes.append(_mode(at_rest, rule, point, name, z, end.vectors[:, 0], steps, factors))
    radius = whole.spectral_radius if whole.converged else math.nan
    return ToyAgainstNetwork(
        *(game, rule, tuple(modes), max(m.growth for m in modes)),
        *(math.nan if radius is None else radius, slope, steps, f"{found.conditions}; |v(w)| = {slope:.3g} taken off"),
        check=found.check,
    )


def toy_map(rule: Rule, eigenvalue: complex) -> Array:
    """The matrix (D, D) of the rule's augmented map at 0 on the quadratic game whose J has this eigenvalue."""
    increment = _toy_increment(rule, eigenvalue)
    return increment + np.eye(len(increment))


def _toy_increment(rule: Rule, eigenvalue: complex) -> Array:
    """The matrix of `toy_map` minus the identity."""
    if moves_modes(rule, anywhere=False):
        return mode_matrices(rule, [eigenvalue])[0]
    p, q = eigenvalue.real, eigenvalue.imag
    matrix = linearize(quadratic(p, q, p), rule, at=(0, 0)).matrix
    return matrix - np.eye(len(matrix))


def promised(rule: Rule, eigenvalue: complex) -> tuple[float, float]:
    """The growth |lambda| and the turns a step, |arg lambda| / (2 pi), of the toy's leading eigenvalue lambda."""
    values = np.linalg.eigvals(toy_map(rule, eigenvalue))
    leading = values[np.argmax(np.abs(values))]
    return float(abs(leading)), float(abs(np.angle(leading)) / (2 * np.pi))


def stable_multiple(rule: Rule, eigenvalue: complex) -> float:
    """The multiple f of the rule's step sizes up to which the toy is stable, |lambda| < 1.

    Multiples are scanned upwards by factors of 1.3 from 1e-3, or, where that is unstable, from the largest of 1e-4,
    ..., 1e-15 that is stable, until one is unstable; the end is found by bisection. An unstable interval between
    neighbours of the scan is not seen, and |lambda| - 1 counts where it exceeds rounding, 1e-13. 0 where no multiple is
    stable, infinite where 1e4 is.
    """
    game = quadratic(1, 1, 1)

    def gain(factor: float) -> float:
        increment = _toy_increment(scaled(rule, game, (factor, factor)), eigenvalue)
        return float(excess(np.linalg.eigvals(increment)).max())

    low = SMALL_FACTOR
    if gain(low) > ROUNDING:
        low = next((float(f) for f in low / 10.0 ** np.arange(1, 13) if gain(float(f)) < -ROUNDING), 0.0)
        if not low:
            return 0.0
    falls, high = gain(low) < -ROUNDING, low * RATIO
    while (change := gain(high)) < ROUNDING:
        if high > LARGEST_FACTOR:
            return math.inf if falls else 0.0
        falls, low, high = falls or change < -ROUNDING, high, high * RATIO
    if not falls:
        return 0.0
    for _ in range(40):
        middle = (low * high) ** 0.5
        low, high = (low, middle) if gain(middle) >= 0 else (middle, high)
    return low


def _mode(
    game: Game, rule: Rule, w: Array, end: str, z: complex, vector: Array, steps: int, factors: Sequence[float]
) -> Mode:
    if z.imag < 0:
        z, vector = z.conjugate(), vector.conj()
    growth, turn = promised(rule, z)
    plane = [vector.real] if z.imag == 0 else [vector.real, vector.imag]
    errors, leak = _run(game, rule, w, plane, steps)
    memory = recurrence(rule, z)
    measured_growth, measured_turn = _measure(errors, *memory)
    curve, dots = [], []
    for factor in factors:
        other = scaled(rule, game, (factor,) * len(game.players))
        curve.append(promised(other, z)[0])
        dots.append(_measure(_run(game, other, w, plane, steps)[0], *memory)[0])
    amplitudes = np.abs(errors)
    return Mode(
        *(end, z, growth, turn, stable_multiple(rule, z), measured_growth, measured_turn, leak),
        *(
            amplitudes,
            amplitudes[0] * growth ** np.arange(steps + 1),
            np.asarray(factors),
            np.array(curve),
            np.array(dots),
        ),
    )


def _run(game: Game, rule: Rule, w: Array, plane: list[Array], steps: int) -> tuple[Array, float]:
    """The error's complex amplitude a, error = Re(a x), at each step, and its share outside the plane at the end."""
    basis = torch.stack(plane, dim=-1)
    small = (1e-6 if torch.finfo(w.dtype).eps < 1e-12 else 1e-2) * max(1.0, float(w.norm()) / w.shape[0] ** 0.5)
    rng = np.random.default_rng(0)
    here = w + small * plane[0]
    state = rule.init(game, here, rng)
    amplitudes, leak = [1.0 + 0j], 0.0
    for _ in range(steps):
        here, state, _ = rule.step(game, here, state, rng)
        error = (here.detach() - w) / small
        weights = torch.linalg.lstsq(basis, error[:, None]).solution[:, 0]
        size, within = float(error.norm()), float(weights.norm())
        if not math.isfinite(size) or size > LARGEST or (within < FAINTEST and len(amplitudes) >= LEAST_STEPS):
            break
        leak = float((error - basis @ weights).norm()) / size
        pair = [float(c) for c in weights]
        amplitudes.append(complex(pair[0], -pair[1] if len(pair) > 1 else 0.0))
    found = np.full(steps + 1, np.nan, dtype=complex)
    found[: len(amplitudes)] = amplitudes
    return found, leak


def recurrence(rule: Rule, eigenvalue: complex) -> tuple[int, bool]:
    """(p, real): amplitudes obey a linear recurrence over p steps, and whether its coefficients are real.

    By Cayley and Hamilton, p is the size of the toy's map: 1 plus the number of vectors in the rule's memory where each
    eigenvector of J moves independently, and twice that where a step mixes the two of a plane, as alternating steps do.
    """
    size = len(toy_map(rule, eigenvalue))
    by_itself = moves_modes(rule, anywhere=False)
    return (size, eigenvalue.imag == 0) if by_itself else (size if eigenvalue.imag else size // 2, True)


def _measure(amplitudes: Array, order: int = 1, real: bool = False) -> tuple[float, float]:
    """Growth and turns a step: those of the leading root of the recurrence that fits all amplitudes best (Prony).

    For a recurrence over one step, or too few amplitudes, they are means over the second half, after any transient; nan
    where fewer than 4 amplitudes are known.
    """
    known = amplitudes[np.isfinite(amplitudes)]
    half = len(known) // 2
    if order > 1 and len(known) >= 2 * order + 2:
        leading = _leading_root(known, order, real)
        return float(abs(leading)), float(abs(np.angle(leading)) / (2 * np.pi))
    if len(known) < 4 or not np.abs(known[half:]).all():
        return math.nan, math.nan
    late = known[half:]
    growth = (abs(late[-1]) / abs(late[0])) ** (1 / (len(late) - 1))
    turns = np.unwrap(np.angle(late))
    return float(growth), float(abs(turns[-1] - turns[0]) / (2 * np.pi * (len(late) - 1)))


def _leading_root(known: Array, order: int, real: bool) -> complex:
    """The largest root of z^p = c_{p-1} z^{p-1} + ... + c_0, fitted to all windows of p + 1 amplitudes alike."""
    windows = np.lib.stride_tricks.sliding_window_view(known, order + 1)
    windows = windows / np.maximum(np.abs(windows).max(-1, keepdims=True), 1e-300)
    if real:
        windows = np.concatenate([windows.real, windows.imag])
    coefficients = np.linalg.lstsq(windows[:, :-1], windows[:, -1], rcond=RANK)[0]
    roots = np.roots(np.concatenate([[1.0], -coefficients[::-1]]))
    return complex(roots[np.argmax(np.abs(roots))])
