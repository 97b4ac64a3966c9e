"""Exact and numerical analysis of games and rules."""

from __future__ import annotations

from ..public_names import ANALYSES, face

__all__ = [*ANALYSES]
__getattr__, __dir__ = face(__name__, ANALYSES)
