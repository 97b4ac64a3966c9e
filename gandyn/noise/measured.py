"""The noise of networks on minibatches: covariance of the field over drawn batches, with the error of its estimate."""

from __future__ import annotations

import dataclasses
import functools
import math

import numpy as np

from ..arguments import whole
from ..errors import DomainError, ParameterError
from ..lazy import torch
from ..types import Array, Game

MOST_COORDINATES = 5000  # of a covariance that is written out
FARTHEST = 9.0  # squared distance of two means of the field, in expected ones
ROUNDING = 100.0  # errors of a field in units of the last place


@dataclasses.dataclass(frozen=True)
class Measured:
    """The noise of a game of networks, estimated from independent batches at a point.

    With n batches and fields v_k the covariance is sum (v_k - mean)(v_k - mean)^T / (n - 1), unbiased, of rank n - 1 at
    most. Its parts beyond the largest `rank` directions are kept as a diagonal (`low_rank`).

    Attributes:
        game: the game.
        batches: drawn at a point, at least 3.
        seed: of the draws.
    """

    game: Game
    batches: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        whole("batches", self.batches, 3)

    @property
    def described(self) -> str:
        """In words, for titles and summaries."""
        return f"minibatches of {self.game.name}, measured from {self.batches} of them"

    def applied(self, game: Game) -> Game:
        """The game: it draws its batches itself."""
        return game

    def fields(self, at: object = None) -> np.ndarray:
        """The field on each batch at a point, (batches, d); the parameters as they were made by default."""
        return self._fields_at(self._place(at))

    def _place(self, at: object) -> _Point:
        return _Point(getattr(self.game, "w0", None) if at is None else at)

    def _tensor(self, place: _Point) -> torch.Tensor:
        """The point in the precision and on the device of the game's parameters."""
        like = getattr(self.game, "w0", None)
        found = torch.as_tensor(place.w)
        return found if like is None else found.to(like)

    @functools.lru_cache(maxsize=4)  # noqa: B019 - a few points, as long as the noise lives
    def _fields_at(self, place: _Point) -> np.ndarray:
        w = self._tensor(place)
        self.game.check(w)
        rng = np.random.default_rng(self.seed)
        with self.game.undisturbed():
            drawn = [self.game.field(w, self.game.draw(rng)) for _ in range(self.batches)]
        found: np.ndarray = torch.stack(drawn).detach().cpu().numpy().astype(float)
        if not np.isfinite(found).all():
            raise DomainError(
                f"fields of {self.game.name} that are not finite", "a point where they are", "another point"
            )
        return found

    def covariance(self, at: object = None) -> np.ndarray:
        """The covariance (d, d) of the field of one batch.

        Raises:
            DomainError: for more coordinates than are written out: `low_rank` and `variances` take those.
        """
        self._refuse_large("a covariance of")
        found: np.ndarray = np.atleast_2d(np.cov(self.fields(at).T))
        return found

    def _refuse_large(self, what: str) -> None:
        if self.game.dim > MOST_COORDINATES:
            given = f"{what} {self.game.dim} coordinates"
            raise DomainError(given, f"at most {MOST_COORDINATES}", "low_rank() or variances()")

    def error(self, at: object = None) -> np.ndarray:
        """The standard error (d, d) of each entry of the covariance, from the spread of the products over batches."""
        centred = self._centred(at)
        n, c = len(centred), self.covariance(at)
        fourth = np.einsum("ki,kj->ij", centred**2, centred**2) / n
        found: np.ndarray = np.sqrt(np.maximum(fourth - c**2, 0) / (n - 1))
        return found

    def jacobian(self, at: object = None) -> np.ndarray:
        """The slopes J (d, d) of the mean field at a point, on one batch of as many samples as all batches have.

        Raises:
            DomainError: for more coordinates than are written out; and where the mean field of one such batch is not
                that of many batches, as with batch normalisation, where samples of a batch act on each other.
        """
        self._refuse_large("the Jacobian of")
        return self._jacobian_at(self._place(at))

    @functools.lru_cache(maxsize=4)  # noqa: B019 - a few points, as long as the noise lives
    def _jacobian_at(self, place: _Point) -> np.ndarray:
        game, fields, point = self.game, self._fields_at(place), self._tensor(place)
        if not hasattr(game, "size"):
            raise DomainError(f"the Jacobian of {game.name}", "minibatches of a size", "gd.gans.GANGame(...)")
        size = game.size
        with game.undisturbed():
            try:
                vars(game)["size"] = size * self.batches
                batch = game.draw(np.random.default_rng((self.seed, 1)))
                mean = game.field(point, batch).detach().cpu().numpy().astype(float)
                found: np.ndarray = game.jacobian(point, batch).detach().cpu().numpy().astype(float)
            finally:
                vars(game)["size"] = size
        apart = float(((mean - fields.mean(0)) ** 2).sum())
        expected = 2 * float(fields.var(0, ddof=1).sum()) / self.batches
        sizes = np.linalg.norm(found) * np.linalg.norm(place.w) + np.linalg.norm(mean)
        if apart > FARTHEST * expected + (ROUNDING * torch.finfo(point.dtype).eps * sizes) ** 2:
            raise DomainError(
                f"{game.name}, whose mean field on {size} samples is not that on {size * self.batches}",
                "samples of a batch that do not act on each other",
                "no batch normalisation",
            )
        return found

    def variances(self, at: object = None) -> np.ndarray:
        """The diagonal of the covariance, (d,)."""
        found: np.ndarray = self.fields(at).var(0, ddof=1)
        return found

    def low_rank(self, rank: int, at: object = None) -> tuple[np.ndarray, np.ndarray]:
        """(U, s): the covariance as U U^T + diag(s), U of shape (d, rank), s (d,), with the diagonal as measured."""
        if not 0 <= rank < self.batches:
            raise ParameterError(f"rank={rank!r}", f"from 0 to {self.batches - 1}", "more batches")
        _, sizes, directions = np.linalg.svd(self._centred(at) / math.sqrt(self.batches - 1), full_matrices=False)
        factor = directions[:rank].T * sizes[:rank]
        return factor, np.maximum(self.variances(at) - (factor**2).sum(1), 0.0)

    def scale(self, at: object = None) -> dict[str, tuple[float, float]]:
        """For each player the noise scale tr C_i b / |v_i|^2 in samples, b the batch's size, and its standard error.

        It is the batch at which the noise of a step is as large as the step: the critical size of McCandlish et al.
        2018, equation 2.9. |v_i|^2 is estimated without bias, from pairs of batches; where it is not told from 0, the
        scale is infinite; it is nan for a player whose field is zero on every batch.
        """
        return {name: (found["scale"], found["error"]) for name, found in self.players(at).items()}

    def players(self, at: object = None) -> dict[str, dict[str, float]]:
        """For each player: `trace`, tr C_i b, the noise of one sample; `square`, |v_i|^2; `scale`, and its `error`.

        All without the size b of a batch in them, where samples do not act on each other. `square` may be negative: it
        is an unbiased estimate. The error of the scale is the jackknife's.
        """
        fields, found = self.fields(at), {}
        size = self.game.batch_size(self.game.draw(np.random.default_rng(self.seed)))
        for player, block in zip(self.game.players, self.game.slices, strict=True):
            traces, squares = _moments(fields[:, block])
            scales = _ratios(traces, squares)
            spread = (
                math.sqrt((self.batches - 1) * float(np.var(scales[1:]))) if np.isfinite(scales).all() else math.inf
            )
            numbers = (size * traces[0], squares[0], size * scales[0], size * spread)
            found[player.name] = dict(zip(("trace", "square", "scale", "error"), map(float, numbers), strict=True))
        return found

    def _centred(self, at: object) -> np.ndarray:
        fields = self.fields(at)
        centred: np.ndarray = fields - fields.mean(0)
        return centred


def as_numbers(w: Array) -> np.ndarray:
    """A torch vector or an array-like in floats."""
    return np.array(w.detach().cpu().numpy() if hasattr(w, "detach") else w, dtype=float)


class _Point:
    """A point that can be a dictionary's key: equal where all its numbers are."""

    def __init__(self, w: Array) -> None:
        self.w = as_numbers(w)
        self._key = (self.w.shape, self.w.tobytes())

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Point) and self._key == other._key


def _moments(fields: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """tr C and |mean|^2 without the bias of the noise, (1 + n,): of all fields, and without each of them."""
    n, mean = len(fields), fields.mean(0)
    centred = fields - mean
    norms, along = (centred**2).sum(1), centred @ mean
    left = (norms.sum() - norms * n / (n - 1)) / (n - 2)
    traces = np.array([norms.sum() / (n - 1), *np.maximum(left, 0.0)])
    means = mean @ mean - 2 * along / (n - 1) + norms / (n - 1) ** 2
    return traces, np.array([mean @ mean, *means]) - traces / np.array([n, *[n - 1] * n])


def _ratios(traces: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """tr C / |mean|^2; infinite where the square is not told from 0, and nan for 0 / 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((squares > 0) | (traces == 0), traces / squares, math.inf)
