"""What happens near one point: the linear part, its spectrum, what it decides, and what decides where it does not."""

from ...public_names import face

_HOMES = {"LocalDynamics": "dynamics"}

__all__ = [*_HOMES]
__getattr__, __dir__ = face(__name__, _HOMES)
