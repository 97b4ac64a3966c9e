"""Limit cycles of flows, and invariant circles and periodic orbits of rules."""
