"""One page on which games and rules are turned by hand: traced maps as JavaScript, in one file, without a network."""

from __future__ import annotations
