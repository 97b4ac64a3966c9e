"""Wrong changes of the package with each of which a claim must fail, read from claims.txt beside this file."""

from __future__ import annotations

import dataclasses

from .mutants import HERE, read

# In the text the claim stands where a list of mutants has a file, and the file where it says what is wrong.
MUTANTS = tuple(
    dataclasses.replace(mutant, file=mutant.why, why=mutant.file)
    for mutant in read((HERE / "claims.txt").read_text(encoding="utf-8"))
)
CLAIMS = frozenset(mutant.why for mutant in MUTANTS)
