"""What a GAN that was trained is worth: modes, quality and distances of its samples, and the minimax game's gap."""

from __future__ import annotations

import copy
import os
from typing import Any

import numpy as np
import torch

import gandyn as gd

SAMPLES, POINTS, IMAGES = 10_000, 1000, 1000
GAP_STEPS, GAP_RULE, GAP_REPEATS = 100, gd.rules.Adam(3e-4, betas=(0.0, 0.99)), 3


def measured(run: Any, near: float, seed: int, with_gap: bool) -> dict[str, Any]:
    """How a run ended, what it spent, and what its samples are worth."""
    run.ensemble.put(run.member, run.w)
    images = len(run.game.data.shape) > 1
    rng = np.random.default_rng((seed, 9))
    return {
        "steps": run.step,
        "status": run.status.name,
        "fields": run.counts.fields,
        "products": run.counts.jvps + run.counts.vjps,
        "load": [round(x, 1) for x in os.getloadavg()],
        **(gap(run, images) if with_gap else {}),
        **(digits(run, rng) if images else points(run, near, rng)),
    }


def gap(run: Any, images: bool) -> dict[str, float]:
    """Gap of the minimax game between copies of the networks, on held-out data, by steps of Adam."""
    networks = [copy.deepcopy(network) for network in (run.game.generator, run.game.discriminator)]
    latent = run.game.reference.latent.shape[1]
    game = gd.gans.GANGame(*networks, "minimax", data=run.game.data, batch_size=run.game.size, latent=latent)
    steps = GAP_STEPS // 4 if images else GAP_STEPS
    result = gd.duality_gap(game, run.w, "gradient", k=steps, rule=GAP_RULE, repeats=GAP_REPEATS, rng=0)
    return {"gap": float(result.value), "gap_error": float(result.error)}


def points(run: Any, near: float, rng: Any) -> dict[str, Any]:
    """Modes and quality of many samples, exact W1 of some."""
    samples = run.game.sample(run.best_w, SAMPLES, rng)
    strict, close = run.game.data.modes(samples), run.game.data.modes(samples, radius=near)
    source = torch.Generator().manual_seed(9)
    real, others = (run.game.data.sample(POINTS, source) for _ in range(2))
    score = gd.gans.metrics.registry["wasserstein"].build(real, samples[:POINTS], other_real=others)
    return {
        "strict": strict.covered,
        "near": close.covered,
        "of": strict.modes,
        "quality": strict.high_quality,
        "near_quality": close.high_quality,
        "w1": score.value,
        "w1_floor": score.floor,
        "distance": score.value,
    }


def digits(run: Any, rng: Any) -> dict[str, Any]:
    """Frechet distance and KID on the digits classifier's features against held-out digits, and the classes covered."""
    samples = run.game.sample(run.best_w, IMAGES, rng)
    real, others = run.game.data.held_out.points, run.game.data.sample(IMAGES, torch.Generator().manual_seed(9))
    build = gd.gans.metrics.registry
    frechet = build["frechet"].build(real, samples, "digits64", other_real=others, resamples=0)
    kid = build["kid"].build(real, samples, "digits64", subsets=20)
    classes = build["class_coverage"].build(samples)
    return {
        "frechet": frechet.value,
        "frechet_floor": frechet.floor,
        "kid": kid.value,
        "kid_error": kid.error,
        "near": int(classes.value),
        "of": int(classes.parts["of"]),
        "distance": frechet.value,
    }
