"""The rules as optimisers, for training loops that are already written: two networks, or one."""

from .for_modules import GameOptimizer, for_modules
from .single import SGDMGC, AdamGC, OptimisticAdam, RuleOptimizer

__all__ = ["SGDMGC", "AdamGC", "GameOptimizer", "OptimisticAdam", "RuleOptimizer", "for_modules"]
