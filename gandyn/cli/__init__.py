"""The command line: `gandyn spiral`, `gandyn analyze`, `gandyn list`. One file a command; imports wait for use."""

from __future__ import annotations

from .app import app, main

__all__ = ["app", "main"]
