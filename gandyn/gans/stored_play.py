"""Stored networks and mixtures of them: parallel Nash memory, resource-bounded equilibria, exploitability."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Protocol

import numpy as np
import torch

from ..arguments.values import above_zero, from_zero, real
from ..doors import door, several, shown
from ..errors import DomainError, ParameterError
from ..lazy import sympy
from ..results import Result
from ..types import Array
from .gan_game import GANGame

DIGITS = 9

Strategy = Any  # parameters as a tensor, or one exact number
Number = Any  # a float or a fraction


class Oracle(Protocol):
    """A zero-sum game of single strategies, as a memory asks it. Player 0 minimises the payoff, player 1 maximises."""

    def payoff(self, first: Strategy, second: Strategy) -> Number:
        """The payoff of two strategies, one of each player."""

    def respond(self, player: int, stored: Sequence[Strategy], weights: Sequence[Number]) -> Strategy:
        """A strategy of the player against the other's mixture of stored ones."""


@dataclasses.dataclass(frozen=True, repr=False)
class NashMemory(Result):
    """Stored strategies of both players and the equilibrium of the matrix game between them, round by round.

    Attributes:
        name: of the game. strategies: of both players, in the order in which they were stored.
        payoffs: between them, (m, n), what the second player wins.
        weights: of the stored strategies at the last equilibrium, for both players. value: its payoff.
        exploitability: in each round, what both players' answers win together against the mixtures of that round;
            a *lower* bound of what best responses would win, as far as the answers fall short of them.
        means: in each round, (sum_i p_i x_i, sum_j q_j y_j) for strategies that are numbers, else nothing.
        budget: what an answer cost, in steps of one player beyond that player's last answer; 0 for exact answers.
        pure: only the newest strategies were answered, without mixtures.
    """

    name: str
    strategies: tuple[list[Strategy], list[Strategy]]
    payoffs: sympy.Matrix | Array
    weights: tuple[list[Any], list[Any]]
    value: Any
    exploitability: list[Number]
    means: list[Strategy]
    budget: int
    pure: bool

    _data = "name payoffs weights value exploitability means budget pure"

    def summary(self) -> str:
        """How far from an equilibrium the mixtures are, by answers of which budget."""
        first, second = (sum(w != 0 for w in side) for side in self.weights)
        kind = "newest strategies alone" if self.pure else f"mixtures of {first} and {second} strategies"
        answers = "exact answers" if not self.budget else f"answers of {self.budget} steps, which bound it from below"
        return f"{self.name}: {kind}, exploitability {float(self.exploitability[-1]):.4g} by {answers}"


def play(
    oracle: Oracle, start: tuple[Strategy, Strategy], rounds: int, name: str, budget: int = 0, pure: bool = False
) -> NashMemory:
    """Rounds of: the matrix game's equilibrium, an answer of each player to the other's mixture, both stored.

    Oliehoek et al. 2018 (algorithm 1); with exact answers, the double oracle of McMahan et al. 2003, which ends at an
    equilibrium of the whole game where it has finitely many strategies. `pure` answers the newest strategy alone.
    """
    stored: tuple[list[Strategy], list[Strategy]] = ([start[0]], [start[1]])
    payoffs = [[oracle.payoff(*start)]]
    gaps, means = [], []
    weights, value = _equilibrium(payoffs, pure)
    for _ in range(rounds):
        if all(isinstance(x, (int, Fraction)) for side in stored for x in side):
            means.append(tuple(_mean(side, own) for side, own in zip(stored, weights, strict=True)))
        answers = [oracle.respond(player, stored[1 - player], weights[1 - player]) for player in (0, 1)]
        rows = [oracle.payoff(answers[0], y) for y in stored[1]]
        columns = [oracle.payoff(x, answers[1]) for x in stored[0]]
        least = min([_mean(rows, weights[1]), *(_mean(row, weights[1]) for row in payoffs)])
        most = max([_mean(columns, weights[0]), *(_mean(column, weights[0]) for column in zip(*payoffs, strict=True))])
        gaps.append(most - least)
        payoffs = [[*row, won] for row, won in zip(payoffs, columns, strict=True)]
        payoffs.append([*rows, oracle.payoff(*answers)])
        for side, answer in zip(stored, answers, strict=True):
            side.append(answer)
        weights, value = _equilibrium(payoffs, pure)
    return NashMemory(name, stored, payoffs, weights, value, gaps, means, budget, pure)


def _mean(values: Sequence[Strategy], weights: Sequence[Number]) -> Strategy:
    return sum(w * v for w, v in zip(weights, values, strict=True))


def _equilibrium(payoffs: Sequence[Sequence[Number]], pure: bool) -> tuple[tuple[list[Number], list[Number]], Number]:
    """Both players' weights and the value, exact in fractions; of payoffs that are floats, rounded to nine digits."""
    m, n = len(payoffs), len(payoffs[0])
    if pure:
        return ([*[0] * (m - 1), 1], [*[0] * (n - 1), 1]), payoffs[-1][-1]
    from ..games.matrix import equilibrium

    exact = [[sympy.Rational(str(round(v, DIGITS) if isinstance(v, float) else v)) for v in row] for row in payoffs]
    # Strategies that were stored twice would make the equilibrium one of many: the first of them stands for all.
    rows, columns = _different(exact), _different([*zip(*exact, strict=True)])
    x, y, value = equilibrium(sympy.Matrix([[exact[i][j] for j in columns] for i in rows]))
    weights: tuple[list[Any], list[Any]] = ([Fraction(0)] * m, [Fraction(0)] * n)
    for side, places, found in zip(weights, (rows, columns), (x, y), strict=True):
        for k, w in zip(places, found, strict=True):
            side[k] = Fraction(int(w.p), int(w.q))
    return weights, Fraction(int(value.p), int(value.q))


def _different(rows: Sequence[Sequence[sympy.Expr]]) -> list[int]:
    """The places of rows that are not equal to an earlier one."""
    return [k for k, row in enumerate(rows) if tuple(row) not in [tuple(r) for r in rows[:k]]]


class GANOracle:
    """A zero-sum GAN: strategies are the players' blocks of w, and answers so many steps of Adam.

    The payoff is minus the discriminator's cost on batches that stay the same; a step draws one of the stored opponents
    by its weight, and a fresh batch. An answer begins where that player's last answer ended.
    """

    def __init__(self, game: GANGame, steps: int, lr: float, batches: int, seed: int) -> None:
        self.game, self.steps, self.lr = game, steps, lr
        self.rng = np.random.default_rng((seed, 7))
        self.tokens = [game.draw_held_out(np.random.default_rng((seed, 8, k))) for k in range(batches)]
        self.last: list[torch.Tensor] = list(game.split(game.w0.clone()))

    def payoff(self, first: Array, second: Array) -> float:
        """Minus the discriminator's cost, averaged over the batches."""
        w = torch.cat([first, second])
        return float(np.mean([-float(self.game.costs(w, token)[1]) for token in self.tokens]))

    def respond(self, player: int, stored: Sequence[Array], weights: Sequence[Number]) -> Strategy:
        """The player's block after its steps."""
        block = self.last[player].clone().requires_grad_()
        adam = torch.optim.Adam([block], self.lr, betas=(0.0, 0.99))
        chances = np.array([float(w) for w in weights])
        for _ in range(self.steps):
            other = stored[int(self.rng.choice(len(stored), p=chances / chances.sum()))]
            pair = [block.detach(), other] if player == 0 else [other, block.detach()]
            v = self.game.field(torch.cat(pair), self.game.draw(self.rng), only=player)
            block.grad = v[self.game.slices[player]].clone()
            adam.step()
        self.last[player] = block.detach()
        return self.last[player].clone()


@door
def nash_memory(
    game: Any, rounds: int = 5, steps: int = 200, lr: float = 1e-3, batches: int = 4, seed: int = 0, pure: bool = False
) -> NashMemory:
    """A resource-bounded equilibrium in mixed strategies between stored networks (Oliehoek et al. 2018).

    Each round solves the matrix game between all stored generators and discriminators exactly, trains an answer of each
    player to the other's mixture, and stores both. What the answers win is the exploitability, within the budget: an
    answer that is found shows that the mixtures are no equilibrium; that none is found shows nothing beyond the budget.

    Args:
        game: a zero-sum `GANGame` of two networks, of the minimax loss for instance. The first strategies are its w0.
        rounds: how many.
        steps: of Adam for an answer, its budget.
        lr: their size.
        batches: on which payoffs are measured, held out where the data keep some apart.
        seed: of all draws.
        pure: answer the newest network alone, without mixtures: what the mixture is compared with.

    Raises:
        DomainError: for a game that is not zero-sum.

    Example:
        >>> import gandyn as gd
        >>> game = gd.gans.GANGame(*gd.gans.mlp_pair(hidden=(8,)), "minimax", data=gd.gans.ring(), batch_size=16)
        >>> memory = gd.gans.nash_memory(game, rounds=2, steps=3)
        >>> len(memory.strategies[0]), len(memory.exploitability)
        (3, 2)
    """
    if not getattr(game, "zero_sum", False) or len(getattr(game, "networks", ())) != 2:
        raise DomainError(f"a Nash memory of {game.name}", "a zero-sum GAN of two networks", 'loss="minimax"')
    size = above_zero("lr", real("lr", lr))
    oracle = GANOracle(game, from_zero("steps", steps), size, several("batches", batches), seed)
    start = tuple(block.clone() for block in game.split(game.w0.clone()))
    with game.undisturbed():
        return play(oracle, (start[0], start[1]), several("rounds", rounds), game.name, steps, pure)


@dataclasses.dataclass(frozen=True)
class DiracOracle:
    """The Wasserstein Dirac-GAN on [-c, c]^2, payoff theta phi: best responses are ends of the interval, or 0."""

    bound: Fraction

    def payoff(self, first: Fraction, second: Fraction) -> Fraction:
        """theta phi."""
        return first * second

    def respond(self, player: int, stored: Sequence[Fraction], weights: Sequence[Fraction]) -> Fraction:
        """c times the sign that wins against the mean of the other; 0, which is as good as any, against a mean of 0."""
        mean = _mean(stored, weights)
        sign = (mean > 0) - (mean < 0)
        return self.bound * int(-sign if player == 0 else sign)


def dirac_memory(
    rounds: int = 4, bound: Number = 1, start: tuple[Number, Number] = (1, 1), pure: bool = False
) -> NashMemory:
    """`nash_memory` on the Dirac-GAN with the Wasserstein loss and |theta|, |phi| <= bound, in exact fractions.

    The game is bilinear, so only the means of mixtures count. Pure answers go round a cycle of four for ever, with
    exploitability 2 bound^2; the memory holds both ends after two rounds, whose even mixtures have mean 0, and is then
    at an equilibrium: exploitability 0.

    Args:
        rounds: how many.
        bound: c.
        start: (theta, phi), within the bound.
        pure: answer the newest strategy alone.

    Raises:
        DomainError: for a start out of the bound.

    Example:
        >>> memory, pure = dirac_memory(), dirac_memory(pure=True)
        >>> [int(gap) for gap in memory.exploitability], [int(gap) for gap in pure.exploitability]
        ([2, 2, 0, 0], [2, 2, 2, 2])
    """
    try:
        c, theta, phi = (Fraction(str(x)) for x in (bound, *start))
    except (TypeError, ValueError, ZeroDivisionError) as error:
        given = f"bound={shown(bound)}, start={shown(start)}"
        raise ParameterError(given, "fractions: a number, and a pair", "bound=1, start=(1, 1)") from error
    if not 0 < max(abs(theta), abs(phi)) <= c:
        raise DomainError(f"a start {start} for |theta|, |phi| <= {bound}", "a start within, not at 0", "start=(1, 1)")
    return play(DiracOracle(c), (theta, phi), several("rounds", rounds), "Dirac-GAN", 0, pure)
