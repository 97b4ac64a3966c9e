"""Tables of numbers and categories with missing cells, as rows that a GAN can make and that turn back into tables."""

from __future__ import annotations

import csv
import dataclasses
import itertools
import math
import warnings
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

import numpy as np
import torch

from ...doors import door
from ...errors import ParameterError, ShapeError
from ...types import Array
from ..registries import datasets as registry
from .digits import needs

MOST_MODES, LEAST_WEIGHT, REACH = 10, 0.005, 0.99
FEW = 5  # numbers of no more different values are categories


@dataclasses.dataclass(frozen=True)
class Column:
    """How one column becomes entries of a row, and back.

    Numbers (Xu et al. 2019, section 4.2) become (x - m_k) / (4 s_k), clipped to +-0.99, for a mode k of a Gaussian
    mixture, drawn by its posterior, and k as one-hot; a missing number is 0 and a one-hot of its own. Categories are
    one-hot, the empty cell one of them.

    Attributes:
        name: of the column. categories: their texts; empty for numbers. means, stds, weights: of the modes.
        missing: some numbers are missing. whole: all numbers are whole.
    """

    name: str
    categories: tuple[str, ...] = ()
    means: tuple[float, ...] = ()
    stds: tuple[float, ...] = ()
    weights: tuple[float, ...] = ()
    missing: bool = False
    whole: bool = False

    @property
    def kinds(self) -> int:
        """The length of the one-hot vector: the number of categories, or of the mixture's modes."""
        return len(self.categories) or len(self.means) + self.missing

    @property
    def width(self) -> int:
        """How many entries of a row the column takes."""
        return self.kinds + (not self.categories)

    def encode(self, cells: Sequence[str], rng: np.random.Generator) -> Array:
        """Texts as entries, (N, width)."""
        if self.categories:
            return np.eye(self.kinds)[[self.categories.index(cell) for cell in cells]]
        values = np.array([float(cell) if cell else math.nan for cell in cells])
        means, stds = np.array(self.means), np.array(self.stds)
        apart = (np.nan_to_num(values)[:, None] - means) / stds
        logs = np.log(self.weights) - np.log(stds) - apart**2 / 2
        chances = np.exp(logs - logs.max(1, keepdims=True))
        chances /= chances.sum(1, keepdims=True)
        mode = (rng.random((len(values), 1)) > chances.cumsum(1)).sum(1).clip(0, len(means) - 1)
        place = np.clip(apart[np.arange(len(values)), mode] / 4, -REACH, REACH)
        empty = np.isnan(values)
        mode[empty], place[empty] = len(means), 0.0
        return np.column_stack([place, np.eye(self.kinds)[mode]])

    def decode(self, entries: Array) -> list[str]:
        """Entries (N, width) as texts; the largest of a one-hot counts."""
        if self.categories:
            return [self.categories[k] for k in entries.argmax(1)]
        mode = entries[:, 1:].argmax(1)
        means, stds = np.append(self.means, 0.0), np.append(self.stds, 0.0)
        values = entries[:, 0].clip(-1, 1) * 4 * stds[mode] + means[mode]
        texts = [str(round(v)) if self.whole else f"{v:.6g}" for v in values]
        return ["" if k == len(self.means) else text for k, text in zip(mode, texts, strict=True)]


def column_of(name: str, cells: Sequence[str], category: bool, seed: int) -> Column:
    """The kind of a column, read from its cells: categories, or numbers, which get a Bayesian mixture of at most ten
    Gaussians (needs scikit-learn). Raises ParameterError for numbers that are not finite, and a column that is empty.
    """
    filled = [cell for cell in cells if cell]
    if not filled:
        raise ParameterError(f"the column {name!r} without a filled cell", "cells", "leave the column out")
    numbers = None if category else _numbers(filled)
    if numbers is None or len(set(numbers)) <= FEW:
        return Column(name, tuple(sorted(set(cells))))
    values = np.array(numbers)
    if not np.isfinite(values).all():
        raise ParameterError(f"the column {name!r} with numbers that are not finite", "finite ones", "leave them empty")
    with needs("scikit-learn"):
        from sklearn.mixture import BayesianGaussianMixture
    fit = BayesianGaussianMixture(
        n_components=min(MOST_MODES, len(set(numbers))), weight_concentration_prior=0.001, random_state=seed, n_init=1
    )
    scale = float(values.std())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # modes that are not wanted keep moving
        fit.fit((values / scale)[:, None])
    kept = fit.weights_ > LEAST_WEIGHT
    weights = fit.weights_[kept] / fit.weights_[kept].sum()
    means, stds = fit.means_[kept, 0] * scale, np.sqrt(fit.covariances_[kept, 0, 0]) * scale
    whole = bool((values == np.rint(values)).all())
    modes = _floats(means), _floats(stds), _floats(weights)
    return Column(name, (), *modes, len(filled) < len(cells), whole)


def _floats(values: Array) -> tuple[float, ...]:
    return tuple(float(v) for v in values)


def _numbers(cells: Sequence[str]) -> list[float] | None:
    try:
        return [float(cell) for cell in cells]
    except ValueError:
        return None


class MixedTable:
    """Rows of a table as points (width,), their conditions as labels: a category of a column as one-hot.

    A condition is a column of categories, drawn evenly, and one of its categories, drawn by the *logarithm* of its
    count (section 4.3); the row is one of those that have it. So rare categories are trained on more often than they
    occur, and a table that is made of the same conditions has them more often too: `counted` conditions have a
    column's true frequencies. A table without categories has conditions of no entries and rows drawn evenly.

    Args:
        name: of the table. cells: texts by column, all of one length; empty ones are missing.
        categories: columns that are none of numbers, whatever is in them. seed: of mixtures and modes.

    Attributes:
        columns: a `Column` each. places: the slice of each in a row. shape: (width,).
    """

    classes = None
    features = "coordinates"

    def __init__(
        self, name: str, cells: Mapping[str, Sequence[str]], categories: Sequence[str] = (), seed: int = 0
    ) -> None:
        self.name, self.cells = name, {key: list(column) for key, column in cells.items()}
        sizes = {len(column) for column in self.cells.values()}
        if len(sizes) != 1 or 0 in sizes:
            raise ShapeError(f"columns of {sorted(sizes)} cells", "one or more, as many in each", "mend the table")
        for key in categories:
            if key not in self.cells:
                raise ParameterError(f"the column {key!r}", f"one of {', '.join(self.cells)}", "check its name")
        rng = np.random.default_rng(seed)
        self.columns = [column_of(key, c, key in categories, seed) for key, c in self.cells.items()]
        ends = np.cumsum([0, *(column.width for column in self.columns)])
        self.places = [slice(int(a), int(b)) for a, b in itertools.pairwise(ends)]
        rows = np.column_stack([c.encode(self.cells[c.name], rng) for c in self.columns])
        self.rows = torch.from_numpy(rows).float()
        self.shape = (self.rows.shape[1],)
        self.conditional = [k for k, column in enumerate(self.columns) if column.categories]
        self.counts = [self.rows[:, self.places[k]].double().sum(0) for k in self.conditional]
        self.condition_size = sum(len(count) for count in self.counts)

    def __len__(self) -> int:
        return len(self.rows)

    def conditions(
        self, n: int, source: torch.Generator | None = None, counted: bool = False
    ) -> tuple[Array, Array, Array]:
        """(one-hot conditions (n, condition_size), which of the conditional columns (n,), which category (n,))."""
        hot = self.rows.new_zeros(n, self.condition_size)
        if not self.conditional:
            return hot, None, None
        which = torch.randint(len(self.conditional), (n,), generator=source)
        chances = [count if counted else (count + 1).log() for count in self.counts]
        draws = torch.stack([torch.multinomial(c, n, replacement=True, generator=source) for c in chances])
        category = draws.gather(0, which[None])[0]
        starts = torch.tensor([0, *(len(count) for count in self.counts)]).cumsum(0)[:-1]
        hot[torch.arange(n), starts[which] + category] = 1.0
        return hot, which, category

    def sample_labelled(self, n: int, generator: torch.Generator | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """n rows and the conditions that they meet."""
        hot, which, category = self.conditions(n, generator)
        place = torch.rand(n, generator=generator)
        if which is None:
            return self.rows[(place * len(self)).long()], hot
        fits = (
            torch.stack([self.rows[:, self.places[k]].argmax(1) for k in self.conditional])[which] == category[:, None]
        )
        nth = (place * fits.sum(1)).long()
        chosen = (fits.long().cumsum(1) > nth[:, None]).long().argmax(1)
        return self.rows[chosen], hot

    def sample(self, n: int, generator: torch.Generator | None = None) -> torch.Tensor:
        """n rows, drawn with the conditions of training (see `sample_labelled`)."""
        return self.sample_labelled(n, generator)[0]

    def to(self, device: object = None, dtype: torch.dtype | None = None) -> MixedTable:
        """The same rows in another type, on the CPU. Raises ParameterError for another device."""
        if device is not None and torch.device(str(device)).type != "cpu":
            raise ParameterError(f"a table on {device}", "the CPU", 'device="cpu"')
        other = object.__new__(MixedTable)
        other.__dict__.update(self.__dict__, rows=self.rows.to(dtype or self.rows.dtype))
        return other

    def decode(self, rows: torch.Tensor) -> dict[str, list[str]]:
        """Rows (N, width) as texts by column."""
        array = np.asarray(rows.detach().cpu().double())
        return {c.name: c.decode(array[:, place]) for c, place in zip(self.columns, self.places, strict=True)}

    def __repr__(self) -> str:
        return f"<{self.name}: {len(self)} rows of {', '.join(column.name for column in self.columns)}>"


def read_cells(path: str | Path) -> dict[str, list[str]]:
    """Cells of a CSV file as text by column, "NA" and "nan" as missing. Raises ParameterError, ShapeError."""
    from .table import _text

    try:
        found = _text(Path(path), ",")
    except (OSError, ValueError) as error:
        raise ParameterError(
            f"{path} cannot be read ({error})", "a CSV file with a row of names", "its path"
        ) from error
    return {name: ["" if c.lower() in ("na", "nan") else c for c in map(str, cells)] for name, cells in found.items()}


def write_cells(path: str | Path, cells: Mapping[str, Sequence[str]]) -> None:
    """A CSV file of texts by column."""
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(cells)
        writer.writerows(zip(*cells.values(), strict=True))


@registry.register("mixed_table", examples=())
@door
def mixed_table(path: str, categories: Sequence[str] = (), seed: int = 0) -> MixedTable:
    """A CSV file of numbers, categories and missing cells, for the system `tabular`.

    Args:
        path: of the file. categories: columns that are categories though they hold numbers; columns of at most five
            different numbers are categories anyhow. seed: of the mixtures.
    """
    return MixedTable(Path(path).stem, read_cells(path), tuple(categories), seed)


@registry.register("penguins", examples=())
@door
def penguins(seed: int = 0) -> MixedTable:
    """344 penguins: four numbers, species, island, sex and year, 19 missing cells (package palmerpenguins, CC-0).

    Args:
        seed: of the mixtures.
    """
    with needs("palmerpenguins"):
        files = metadata.files("palmerpenguins") or []
    path = next(file.locate() for file in files if file.name == "penguins.csv")
    return MixedTable("penguins", read_cells(str(path)), (), seed)
