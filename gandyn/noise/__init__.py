"""Noise on a game's field: what is added to every evaluation, and what minibatches of a finite sum do to it."""

from __future__ import annotations

from .additive import Additive
from .measured import Measured
from .noisy_game import NoisyGame
from .sampled import Sampled, of, shuffled

__all__ = ["Additive", "Measured", "NoisyGame", "Sampled", "of", "shuffled"]
