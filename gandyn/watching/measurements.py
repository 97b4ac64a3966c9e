"""The costly measurements of a look, each with its price: rotation, spectra, duality gap, path angle, noise."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch

from ..analysis.gap import duality_gap
from ..analysis.spectrum import Spectrum, spectrum
from ..analysis.spectrum.maps import mode_matrices, moves_modes
from ..analysis.spectrum.path_angle import path_angle
from ..errors import GandynError
from ..gans.monitor import Row
from ..optim.losses_game import LossesGame, Seed
from ..rules.adaptive import Adam
from ..rules.wrapper import scaled
from ..types import Rule, State
from .optimisers import Used, in_use

PRODUCT = 3.0  # of a product with J, in evaluations of the field
CHECK = 150.0  # of holding products to differences, likewise
PROBES = 3
PRODUCTS = (60, 400)  # fewest and most for a spectrum
GAP_STEPS = 20
GAP_RATE = 0.02  # of an inner step, relative to the size of the parameters
PATH_POINTS = 24
FACTORS = np.geomspace(1e-4, 1e4, 161)


@dataclasses.dataclass
class Scene:
    """What a measurement is given: the game at this moment, and the loop's optimiser as a rule.

    Attributes:
        game: the game at this moment.
        w, v: the point and the field there, (d,).
        token: the batch and the seed of an evaluation.
        start: the point at the first look, (d,).
        rule: the loop's rule or optimisers; see `optimisers.in_use`.
        parameters: the user's own parameters, network by network.
        fields: number of evaluations of the field that may be spent.
    """

    game: LossesGame
    w: torch.Tensor
    v: torch.Tensor
    token: Seed
    start: torch.Tensor
    rule: Used | None
    parameters: Sequence[Sequence[torch.Tensor]]
    fields: float = math.inf


def rotation(scene: Scene) -> Row:
    """Share of rotation, |A u|^2 / (|A u|^2 + |S u|^2): along the field, and on the mean over random directions.

    S and A are the symmetric and the antisymmetric part of J. The mean over directions estimates
    |A|_F^2 / (|A|_F^2 + |S|_F^2); 0 is a potential game, 1 a purely rotating one.
    """
    game, rng = scene.game, torch.Generator().manual_seed(0)
    draws = [
        torch.randn(scene.w.shape, generator=rng, dtype=torch.float64, device="cpu").to(scene.w) for _ in range(PROBES)
    ]
    along = [scene.v / scene.v.norm()] if float(scene.v.norm()) > 0 else []
    found = []
    for u in [*draws, *along]:
        symmetric, antisymmetric = game.parts(scene.w, u, scene.token)
        found.append((float(symmetric.norm()) ** 2, float(antisymmetric.norm()) ** 2))
    s, a = (sum(pair[k] for pair in found[:PROBES]) for k in (0, 1))
    result = {"share": a / (a + s) if a + s > 0 else None}
    if along and sum(found[-1]) > 0:
        result["along_field"] = found[-1][1] / sum(found[-1])
    return result


def noise(scene: Scene) -> Row:
    """For each player, the standard deviation of its gradient over the draws of the losses, divided by its norm.

    Estimated from three draws, on one batch; empty where the losses draw nothing.
    """
    others = [scene.game.field(scene.w, Seed(scene.token.seed + k, 0, scene.token.data)) for k in (1, 2)]
    blocks = [scene.game.split(v) for v in (scene.v, *others)]
    result = {}
    for i, player in enumerate(scene.game.players):
        drawn = torch.stack([b[i].detach().double() for b in blocks])
        spread = float((drawn - drawn.mean(0)).square().sum() / (len(drawn) - 1)) ** 0.5
        norm = float(drawn.mean(0).norm())
        result[player.name] = spread / norm if norm > 0 else None
    return {} if all(value == 0 for value in result.values()) else {"relative": result}


def gap(scene: Scene) -> Row:
    """The duality gap estimated by 20 steps of Adam of each player, the others held fixed, on this batch."""
    size = max(float(scene.w.double().square().mean().sqrt()), 1e-3)
    found = duality_gap(
        scene.game, scene.w, "gradient", k=GAP_STEPS, rule=Adam(GAP_RATE * size), repeats=2, rng=scene.token.seed
    )
    terms = {p.name: float(t) for p, t in zip(scene.game.players, found.terms, strict=True)}
    error = None if found.error is None else float(found.error)
    return {"value": float(found.value), "error": error, "kind": found.kind, "terms": terms}


def path(scene: Scene) -> Row:
    """The path angle on the straight line from the point of the first look to this one; empty where they coincide.

    The angle tells attraction from rotation (Berard et al. 2020, section 4); see `gd.path_angle`.
    """
    if not float((scene.w - scene.start).norm()) > 0:
        return {}
    found = path_angle(scene.game, scene.start, scene.w, points=PATH_POINTS, batch=scene.token)
    return {
        "motion": found.motion.name.lower(),
        "switch": found.switch,
        "bump": found.bump,
        "positions": found.positions.tolist(),
        "angle": found.angle.tolist(),
    }


def ends(scene: Scene) -> Row:
    """The outermost eigenvalues of J and of the rule's update map, and the largest stable step that they imply."""
    most = int(min(max(scene.fields / PRODUCT, PRODUCTS[0]), PRODUCTS[1]))
    search = partial(spectrum, scene.game, scene.w, 1, batch=scene.token, confirm=False, most=most)
    own = search(("LM", "LR", "SR", "LI"))
    result: Row = {"jacobian": _told(own), "product_error": own.product_error}
    rule, state, refused = _rule(scene)
    result["largest_step"] = _largest_step(scene.game, rule, own)
    if rule is not None:
        try:
            mapped = search("LM", rule=rule, as_equilibrium=True, state=state)
            result["map"] = _told(mapped) | {"rule": repr(rule), "spectral_radius": mapped.spectral_radius}
        except GandynError as error:
            result["map"] = {"rule": repr(rule), "undecided": str(error)}
    elif refused:
        result["map"] = {"rule": "the optimisers", "undecided": refused}
    return result


def _rule(scene: Scene) -> tuple[Rule | None, State | None, str]:
    """(rule, state, why there is none)."""
    if scene.rule is None:
        return None, None, ""
    try:
        return *in_use(scene.rule, scene.parameters), ""
    except GandynError as error:
        return None, None, str(error)


def _told(found: Spectrum) -> Row:
    return {
        name: {
            "value": [float(end.values[0].real), float(end.values[0].imag)],
            "residual": float(end.residuals[0]),
            "believed": bool(end.resolved[0]) and found.converged,
            "resolution": end.resolution.name.lower(),
        }
        for name, end in found.ends.items()
    }


def _largest_step(game: LossesGame, rule: Rule | None, own: Spectrum) -> Row:
    """The step size up to which the linearised rule is stable, judged by the eigenvalues that were found.

    For a rule that acts on each eigenvector of J separately, a factor on its step sizes. Otherwise the step size of
    simultaneous gradient steps: the smallest of 2 Re z / |z|^2 over the eigenvalues z of J.
    """
    believed = own.check is None or own.check.error <= own.check.tolerance
    everything = all(end.resolution.name == "COMPLETE" for end in own.ends.values()) and believed
    values = np.asarray(own.ritz) if everything else np.array([e.values[0] for e in own.ends.values() if e.resolved[0]])
    result: Row = {"all_eigenvalues": everything, "of": "simultaneous gradient steps of"}
    if not len(values) or not believed:
        return result | {"undecided": "no eigenvalue of J was resolved"}
    values = np.concatenate([values, values.conj()])
    if rule is not None and moves_modes(rule, anywhere=False):
        return result | {"of": f"{rule!r}, times"} | _largest_factor(game, rule, values)
    size, lowest = float(np.abs(values).max()), float(values.real.min())
    if lowest < -1e-9 * size:
        return result | {
            "value": 0.0,
            "why": f"J has an eigenvalue of real part {lowest:.3g}, which no simultaneous gradient step makes stable",
        }
    clear = np.abs(values) > 1e-9 * size
    if not clear.any():
        return result | {"undecided": "J is zero"}
    return result | {"value": float((2 * values.real / np.abs(values) ** 2)[clear].min())}


def _largest_factor(game: LossesGame, rule: Rule, values: object) -> Row:
    """The factor on the step sizes, from 1e-4 upwards, at which the spectral radius over `values` first exceeds 1."""

    def unstable(factor: float) -> bool:
        matrices = mode_matrices(scaled(rule, game, (float(factor),) * len(game.players)), values)
        radius = np.abs(np.linalg.eigvals(matrices + np.eye(matrices.shape[-1]))).max()
        return bool(radius > 1 + 1e-9)

    first = next((k for k, factor in enumerate(FACTORS) if unstable(factor)), None)
    if first is None:
        return {"value": float(FACTORS[-1]), "why": "no factor tried was unstable"}
    if first == 0:
        return {"value": 0.0, "why": "unstable however small the steps are"}
    low, high = float(FACTORS[first - 1]), float(FACTORS[first])
    while high - low > 1e-6 * low:
        middle = (low + high) / 2
        low, high = (low, middle) if unstable(middle) else (middle, high)
    return {"value": low}


@dataclasses.dataclass(frozen=True)
class Measurement:
    """A costly measurement: its name in a row, what it does, and its price in evaluations of the field, as a guess."""

    name: str
    measure: Callable[[Scene], Row]
    price: float


MEASUREMENTS = (
    Measurement("noise", noise, 2),
    Measurement("rotation", rotation, CHECK + 2 * PRODUCT * (PROBES + 1)),
    Measurement("spectrum", ends, CHECK + PRODUCT * PRODUCTS[0]),
    Measurement("gap", gap, 4 * GAP_STEPS * 2),
    Measurement("path", path, PATH_POINTS),
)
