"""How good samples and discriminators are: one metric a file, each with its error, its N and the features it looks at.

Metrics of samples take `(real, fake, ..., features="coordinates")`, points (N, ...) of each; those of discriminators
take the module and points. All return a frozen `Score`; `assess(data, fake)` makes all that fit the data.
"""

from __future__ import annotations

from ..registries import metrics as registry
from .assessment import Assessment, assess
from .score import Score

registry.load(__name__, list(__path__))

__all__ = ["Assessment", "Score", "assess", "registry"]
__getattr__, __dir__ = registry.face(__all__)
