"""What stays the same along a flow or a rule's iterates, and how it is found."""

from ...public_names import face

_HOMES = {"ConservedQuantity": "quantities", "conserved_quantities": "quantities"}

__all__ = [*_HOMES]
__getattr__, __dir__ = face(__name__, _HOMES)
