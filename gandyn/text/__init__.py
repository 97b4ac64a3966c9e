"""The one grammar for text: command line, configs, penalties, parameters of rules and costs are read here.

A text is a number, a name, a call, or several of them:

    0.1   1/3   sqrt(2)/10   exp(-1)   -0.5+0.2j   2*eta        numbers, exact; names in them are free parameters
    true  no  off  none  pi  inf                                 words, in any case
    0.1, 0.2   (1, 2)   [1, 2]   {x: 0.1, y: 0.2}                several values
    heavy-ball(0.1, -0.3)   Alternating(Adam(lr=0.001))          calls of registered names, in any case, - or _

Nothing is ever executed: a tokenizer and a recursive-descent parser give each construct to a `Scope`, which knows
numbers, a fixed table of functions, and what its user registered.
"""

from __future__ import annotations

from .formulas import expressions, formula, parameter, symbols
from .grammar import read
from .refusal import shorten
from .scope import WORDS, Scope, boolean, fold

__all__ = ["WORDS", "Scope", "boolean", "expressions", "fold", "formula", "parameter", "read", "shorten", "symbols"]
