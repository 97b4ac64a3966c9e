"""The duality gap: what all players together could gain by answering the others, exact, bounded or estimated."""

from .along import GapAlong, gap_along
from .gradient_flow import GapFlow, gap_flow
from .measure import duality_gap
from .measured_gap import DualityGap

__all__ = ["DualityGap", "GapAlong", "GapFlow", "duality_gap", "gap_along", "gap_flow"]
