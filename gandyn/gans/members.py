"""The members of an ensemble of GANs: what they must have in common, what is each one's own, and their batches."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ..errors import DomainError, GameError
from .gan_game import GANGame, Token

FIX = "train seed by seed: [gd.gans.train(game, rule, steps, seed=k) for k in seeds]"


class Tokens(tuple[Token, ...]):
    """One batch token for each member."""

    @functools.cached_property
    def stacked(self) -> tuple[Any, Any, tuple[Any, ...]]:
        """(data, latents, labels in a tuple that is empty where there are none), members on the first axis."""
        labels = () if self[0].labels is None else (torch.stack([token.labels for token in self]),)
        return torch.stack([token.real for token in self]), torch.stack([token.latent for token in self]), labels

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of the members' random layers and penalties."""
        return tuple(token.seed for token in self)


def token_beside(game: GANGame) -> Token:
    """A batch that moves none of the game's streams."""
    with game.undisturbed():
        return game.draw(np.random.default_rng((game.seed, 4)))


def held_tensors(game: GANGame) -> list[tuple[dict[str, Any], str]]:
    """Where a game's modules keep what is neither trained nor the same for all: buffers, and frozen parameters."""
    outside = {id(p) for p in game._outside}
    modules = {id(m): m for network in game.networks for m in network.modules()}.values()
    found: dict[int, tuple[dict[str, Any], str]] = {}
    for module in modules:
        for held in (module._buffers, module._parameters):
            for key, tensor in held.items():
                if tensor is not None and (held is module._buffers or id(tensor) in outside):
                    found.setdefault(id(tensor), (held, key))
    return list(found.values())


def values(held: Sequence[tuple[dict[str, Any], str]]) -> list[Any]:
    """What lies in these places now."""
    return [box[key].detach() for box, key in held]


def refuse_different(games: Sequence[Any]) -> None:
    """Raises GameError or DomainError for games that cannot be members of one ensemble."""
    if not games or not all(isinstance(game, GANGame) for game in games):
        raise GameError("an ensemble of no games, or of games that are no GANGame", "GANGames", "[game] * 64")
    first = games[0]
    if first.draws_from_state:
        raise DomainError(f"{first.name}, whose batches depend on what its networks keep", "one run at a time", FIX)
    for k, game in enumerate(games):
        if game is first:
            continue
        named = ("layers", "loss", "penalties", "batch size", "parameters", "settings")
        for what, one, other in zip(named, _structure(first), _structure(game), strict=True):
            if one != other:
                given = f"games of which numbers 0 and {k} differ in their {what}"
                raise GameError(given, "games of one structure, with parameters and data of their own", FIX)
    if any(hasattr(power, "name") and not hasattr(power, "_u") for power, _ in first._module_state.powers):
        raise DomainError(
            "torch.nn.utils.spectral_norm in an ensemble, whose hook writes weights into its modules",
            "a parametrisation",
            "torch.nn.utils.parametrizations.spectral_norm",
        )
    if len(set(map(id, games))) < len(games) and hasattr(first.data, "state_dict"):
        raise DomainError(
            "one game with data that are gone through in order, for several members",
            "data of each member's own, or drawn at random",
            "gd.gans.Ensemble([game(k) for k in seeds]), with data made in game(k)",
        )


def _structure(game: GANGame) -> tuple[str, ...]:
    parameters, settings = (game.tensor_shapes, game.dtype), (game.kind, dict(game.settings))
    parts = (tuple(map(repr, game.networks)), game.loss, game.penalties, game.size, parameters, settings)
    return tuple(map(repr, parts))
