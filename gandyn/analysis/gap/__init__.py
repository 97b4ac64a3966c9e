"""The duality gap: what all players together could gain by answering the others, exact, bounded or estimated."""

from .measure import duality_gap
from .result import DualityGap

__all__ = ["DualityGap", "duality_gap"]
