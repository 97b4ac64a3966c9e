"""Exact and numerical analysis of games and rules."""
