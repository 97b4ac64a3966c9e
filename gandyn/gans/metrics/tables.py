"""How close a made table is to a real one: marginals, correlations, and a classifier trained on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...types import Array
from ..datasets.mixed_tables import MixedTable


def table_scores(real: MixedTable, made: dict[str, Sequence[str]], target: str, seed: int = 0) -> dict[str, float]:
    """How close a table is to another one (needs scikit-learn for the last two numbers).

    Args:
        real: rows that are compared with, best such as no training saw.
        made: texts by column.
        target: a column of categories.
        seed: of the classifier.

    Returns:
        marginals: the mean over columns of the total variation of categories and of the largest difference of
        distribution functions of numbers; correlations: the mean absolute difference of the numbers' pairwise ones;
        accuracy, of_real: of a tree that names the target of real rows, learned on the made ones and by
        cross-validation on real ones.

    Raises:
        ModuleNotFoundError: without scikit-learn.
    """
    from sklearn.model_selection import cross_val_score
    from sklearn.tree import DecisionTreeClassifier

    apart = [_apart(c.name, real.cells, made, bool(c.categories)) for c in real.columns]
    numbers = [c.name for c in real.columns if not c.categories]
    both = [np.corrcoef([_filled(cells[name]) for name in numbers]) for cells in (real.cells, made)]
    above = np.triu_indices(len(numbers), 1)
    tree = DecisionTreeClassifier(min_samples_leaf=5, random_state=seed)
    (x, y), (x_made, y_made) = (_features(real, cells, target) for cells in (real.cells, made))
    return {
        "marginals": float(np.mean(apart)),
        "correlations": float(np.abs(both[0] - both[1])[above].mean()) if len(numbers) > 1 else 0.0,
        "accuracy": float((tree.fit(x_made, y_made).predict(x) == y).mean()),
        "of_real": float(cross_val_score(tree, x, y, cv=5).mean()),
    }


def _filled(cells: Sequence[str]) -> Array:
    """Numbers, the missing ones the mean."""
    values = np.array([float(cell) if cell else np.nan for cell in cells])
    return np.where(np.isnan(values), np.nanmean(values) if not np.isnan(values).all() else 0.0, values)


def _apart(name: str, real: Array, made: Array, category: bool) -> float:
    if category:
        kinds = sorted({*real[name], *made[name]})
        shares = [np.array([list(cells[name]).count(k) for k in kinds]) / len(cells[name]) for cells in (real, made)]
        return float(np.abs(shares[0] - shares[1]).sum() / 2)
    values = [np.sort(_filled(cells[name])) for cells in (real, made)]
    at = np.concatenate(values)
    functions = [np.searchsorted(v, at, side="right") / len(v) for v in values]
    return float(np.abs(functions[0] - functions[1]).max())


def _features(table: MixedTable, cells: Mapping[str, Array], target: str) -> tuple[Array, Array]:
    columns = [
        np.array([c.categories.index(x) for x in cells[c.name]]) if c.categories else _filled(cells[c.name])
        for c in table.columns
        if c.name != target
    ]
    return np.column_stack(columns), np.array(cells[target])
