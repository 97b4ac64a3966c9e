"""What a public function may be handed: one check for each kind of argument, chosen by its name and declared type."""

from __future__ import annotations

from ..errors import made, shown
from .declared import NAMES, TYPES, check_of, checks_of
from .points import SEARCH, box_array, ensemble, given_or_known, numeric_equilibria
from .values import Check, positive, returned, seed, several, whole

__all__ = [
    "NAMES",
    "SEARCH",
    "TYPES",
    "Check",
    "box_array",
    "check_of",
    "checks_of",
    "ensemble",
    "given_or_known",
    "made",
    "numeric_equilibria",
    "positive",
    "returned",
    "seed",
    "several",
    "shown",
    "whole",
]
