"""Published convergence claims as tested objects, and the tools to test one's own.

`registry` holds the claims, a file a paper; `check` checks one; `falsify` looks for a counterexample to any statement,
`converges` is a conclusion for it, `strategies` draws games and rules.
"""

from __future__ import annotations

import importlib
from typing import Any

from .base import Claim, Evidence, How, Origin, Outside, Verdict, registry
from .engine import Check, check
from .falsify import Convergence, Falsification, converges, falsify

__all__ = [
    "Check",
    "Claim",
    "Convergence",
    "Evidence",
    "Falsification",
    "How",
    "Origin",
    "Outside",
    "Verdict",
    "check",
    "converges",
    "falsify",
    "registry",
    "strategies",
]

registry.load(__name__, list(__path__))


def __getattr__(name: str) -> Any:
    if name == "strategies":
        return importlib.import_module("gandyn.claims.strategies")
    raise AttributeError(f"module 'gandyn.claims' has no attribute {name!r}")
