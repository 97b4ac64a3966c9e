"""Metrics during training: what is measured of a generator now and then, by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...arguments import whole
from ...doors import several
from ...errors import DomainError, UnknownNameError
from ...lazy import torch
from ...registry import Registry
from ...types import Array, Game
from ..gan_game import GANGame

registry: Registry = Registry("metric of training")

Metrics = Callable[[Any, Any, np.random.Generator], dict[str, Any]]
NEAR = 0.5
LARGEST_TRANSPORT = 1000


@registry.register("modes")
def mode_metrics(samples: int = 2000) -> Metrics:
    """Modes of exact mixtures: covered strictly (3 std) and nearly (0.5), and the shares that lie so close.

    Args:
        samples: how many are drawn each time.
    """

    def measure(game: GANGame, w: Array, rng: np.random.Generator) -> dict[str, Any]:
        points = game.sample(w, samples, rng)
        strict, near = game.data.modes(points), game.data.modes(points, radius=NEAR)
        return {
            "modes": strict.covered,
            "of": strict.modes,
            "high_quality": strict.high_quality,
            "near_modes": near.covered,
            "near_quality": near.high_quality,
            "shares": [float(share) for share in near.shares],
        }

    return measure


def default_metrics(game: Any, samples: int = 2000) -> Metrics | None:
    """What can be measured on a game's data by itself: the modes of a mixture, the classes of digits; or None."""
    name = "modes" if hasattr(game.data, "modes") else "digits" if _digits(game.data) else None
    return None if name is None else _named(name, samples)


def _digits(data: object) -> bool:
    return getattr(data, "classes", None) == 10 and tuple(getattr(data, "shape", ())) in ((1, 28, 28), (1, 32, 32))


@registry.register("digits")
def digit_metrics(samples: int = 2000) -> Metrics:
    """Frechet distance on the features of the digits classifier beside its floor, and the classes covered.

    Args:
        samples: how many are drawn each time, and how many real points they are compared with.
    """

    def measure(game: Any, w: Array, rng: np.random.Generator) -> dict[str, Any]:
        from ..metrics import registry

        points = game.data.points
        n = min(samples, len(points) // 2)
        order = rng.permutation(len(points))
        real, others, fake = points[order[:n]], points[order[n : 2 * n]], game.sample(w, n, rng)
        distance = registry["frechet"].build(real, fake, "digits64", other_real=others, resamples=0)
        classes = registry["class_coverage"].build(fake)
        shares = classes.parts["shares"]
        return {
            distance.metric: distance.value,
            "floor": distance.floor,
            "classes": int(classes.value),
            "of": int(classes.parts["of"]),
            "least_share": min(shares),
            "samples": n,
            "shares": list(shares),
        }

    return measure


@registry.register("w1")
def transport_metrics(samples: int = LARGEST_TRANSPORT) -> Metrics:
    """Exact W1 between samples and held-out data, beside the same between data and other data.

    Args:
        samples: how many are drawn each time, at most 1 000: the time grows as their cube.
    """
    whole("samples", samples, 2)

    def measure(game: GANGame, w: Array, rng: np.random.Generator) -> dict[str, float]:
        from ..metrics import registry as metrics

        n, data = min(samples, LARGEST_TRANSPORT), game.data.held_out
        source = torch.Generator(game.device).manual_seed(int(rng.integers(2**62)))
        real, others = data.sample(n, source), data.sample(n, source)
        score = metrics["wasserstein"].build(real, game.sample(w, n, rng), other_real=others)
        return {"w1": score.value, "w1_floor": score.floor}

    return measure


@registry.register("accuracy")
def accuracy_metrics(samples: int = 1000) -> Metrics:
    """The share of held-out data whose class a discriminator with class logits names rightly.

    Args:
        samples: at most how many held-out points.

    Raises:
        DomainError: when it measures a discriminator without class logits, or data without labels.
    """

    def measure(game: Any, w: Array, rng: np.random.Generator) -> dict[str, Any]:
        data = game.data.held_out
        if not game.class_outputs or getattr(data, "labels", None) is None:
            raise DomainError(f"the accuracy of {game.name}", "class logits and labelled held-out data", "names = []")
        game.load(w)
        game.discriminator.eval()
        try:
            with torch.no_grad():
                named = game.discriminator(data.points[:samples])[1].argmax(1)
        finally:
            game.discriminator.train()
        return {"accuracy": float((named == data.labels[:samples]).double().mean())}

    return measure


@registry.register("gap")
def gap_metrics(k: int = 50, inner_lr: Any = 0.01, rule: Any = None, repeats: int = 2) -> Metrics:
    """The duality gap by inner steps on held-out data (Grnarova et al. 2019), with its standard error and its cost.

    `gap_gradients` is what one measurement costs, in gradients of one player; over the gradients between two
    measurements it is the fraction of training that the metric adds.

    Args:
        k, inner_lr, repeats: as `gd.duality_gap(game, w, "gradient", ...)` takes them.
        rule: of the inner steps, "adam" for Adam's of size inner_lr, instead of plain ones.

    Raises:
        ParameterError: as `gd.duality_gap`, when it is measured.
    """
    k, repeats = several("k", k), several("repeats", repeats)
    from ...analysis.gap import duality_gap
    from ...rules import Adam

    if isinstance(rule, str):
        if rule != "adam":
            raise UnknownNameError.among("inner rule", rule, ["adam"])
        rule = Adam(inner_lr, betas=(0.0, 0.99))

    def measure(game: Game, w: Array, rng: np.random.Generator) -> dict[str, float]:
        seed = int(rng.integers(2**31))
        gap = duality_gap(game, w, "gradient", k=k, inner_lr=inner_lr, rule=rule, repeats=repeats, rng=seed)
        found = {"duality_gap": float(gap.value), "gap_gradients": gap.counts.player_gradients if gap.counts else 0}
        return found if gap.error is None else {**found, "gap_error": float(gap.error)}

    return measure


@registry.register("noise")
def noise_metrics(batches: int = 32) -> Metrics:
    """The noise of each player's gradient on minibatches during training, from independent batches at the point.

    For each player, with its name before each: `generator_noise` is the trace of the covariance of one sample's
    gradient; `_square` is |v_i|^2 without the bias of the noise, which may be negative; `_scale` is their ratio in
    samples, the critical batch of McCandlish et al. 2018, equation 2.9, None where |v_i|^2 is not told from 0, and
    `_scale_error` its standard error; `_signal` is |v_i|^2 over the mean square of the field on a batch of the game's
    own size, 1/2 where that is the critical one. A measurement costs as many gradients as there are batches.

    Args:
        batches: drawn each time, at least 3.

    Raises:
        ParameterError: for fewer batches, or what is no whole number; of fewer than 3, when it is measured.

    Example:
        >>> import gandyn as gd
        >>> game = gd.gans.GANGame(*gd.gans.mlp_pair(hidden=(8,)), data=gd.gans.ring(), batch_size=16)
        >>> run = gd.gans.train(game, gd.rules.GDA(0.05), 20, metrics=gd.gans.noise_metrics(16))
        >>> [name for name in run.metrics if name.startswith("generator")]
        ['generator_noise', 'generator_square', 'generator_scale', 'generator_scale_error', 'generator_signal']
    """
    batches = several("batches", batches)
    from ...noise.measured import Measured

    def measure(game: Any, w: Array, rng: np.random.Generator) -> dict[str, Any]:
        row: dict[str, float] = {}
        for name, found in Measured(game, batches, int(rng.integers(2**62))).players(w).items():
            seen = found["square"] + found["trace"] / game.size
            row |= {f"{name}_noise": found["trace"], f"{name}_square": found["square"]}
            row |= {f"{name}_scale": found["scale"], f"{name}_scale_error": found["error"]}
            row[f"{name}_signal"] = found["square"] / seen if seen > 0 else math.nan
        return {name: value if math.isfinite(value) else None for name, value in row.items()}

    return measure


def measure(game: GANGame, names: Sequence[str], samples: int) -> Metrics | None:
    """The metrics of a config, whose numbers come side by side; None for no names.

    Args:
        game: whose data say what "auto" is.
        names: "auto", "modes", "digits", "w1", "gap", "noise", or calls, "gap(k=250, inner_lr=0.001, rule=adam)".
        samples: drawn each time, where the call does not say.

    Raises:
        UnknownNameError: for a name that there is not. DomainError: for modes of data without any.
        ParameterError: for arguments that a metric does not take.
    """
    if any(name.partition("(")[0].strip() == "modes" for name in names) and not hasattr(game.data, "modes"):
        raise DomainError(f"the modes of {game.data!r}", "an exact mixture", 'names = ["auto"]')
    chosen = [default_metrics(game, samples) if name == "auto" else _named(name, samples) for name in names]
    measures = [metric for metric in chosen if metric is not None]

    def together(game: Game, w: Array, rng: np.random.Generator) -> dict[str, Any]:
        return {key: value for metric in measures for key, value in metric(game, w, rng).items()}

    return together if measures else None


def _named(text: str, samples: int) -> Metrics:
    """A metric by its name, on so many samples, or by a call of it."""
    name = text.strip()
    if "(" in name:
        return registry.from_text(name)  # type: ignore[no-any-return]
    known = [entry.name for entry in registry]
    if name not in known:
        raise UnknownNameError.among("metric", name, ["auto", *known])
    build: Callable[..., Metrics] = registry[name].build
    return build() if name in ("gap", "noise") else build(samples)
