"""Trying statements on draws: Hypothesis searches and shrinks, what it tried and rejected is counted."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

from ..errors import ParameterError
from ..results import Result, plain
from .base import Claim, Draw, Evidence, Verdict


@dataclasses.dataclass
class Search:
    """What a search saw: draws that were tried, draws that were rejected, and the smallest failure."""

    tried: int = 0
    rejected: int = 0
    failure: Draw | None = None
    evidence: Evidence | None = None


def search(
    conclusion: Callable[..., Evidence | bool],
    strategy: Any,
    draws: int,
    where: Callable[..., bool] | None = None,
    seed: int | None = None,
    shrink: bool = True,
) -> Search:
    """Try a statement on draws of a strategy until one fails, then shrink that one.

    Args:
        conclusion: takes a draw as keyword arguments. strategy: a Hypothesis strategy of dicts.
        draws: how many are tried. where: draws without it are rejected and counted.
        seed: of the draws; the same in every run by default. shrink: False keeps the first failure as it is.

    Raises:
        ParameterError: where the draws are no dicts.
    """
    import hypothesis

    seen = Search()

    def statement(**draw: Any) -> Evidence:
        found = conclusion(**draw)
        evidence = found if isinstance(found, Evidence) else Evidence(bool(found))
        if seen.failure is None:  # while a failure is shrunk, only smaller failures are of interest
            seen.evidence = evidence
        return evidence

    # Hypothesis derives its draws from the text of this function: with other words it tries other games
    def attempt(draw: Draw) -> None:
        if not isinstance(draw, dict):
            raise ParameterError(
                f"a draw of type {type(draw).__name__}", "a dict of arguments", "strategies.fixed_dictionaries({...})"
            )
        if where is not None and not where(**draw):
            seen.rejected += 1
            hypothesis.reject()
        seen.tried += 1
        found = statement(**draw)
        evidence = found if isinstance(found, Evidence) else Evidence(bool(found))
        if not evidence:
            seen.failure, seen.evidence = draw, evidence
            raise _Failed

    given: Any = hypothesis.given
    settings: Any = hypothesis.settings
    run = given(strategy)(attempt)
    unwanted = {hypothesis.Phase.explain} | (set() if shrink else {hypothesis.Phase.shrink})
    run = settings(
        max_examples=draws,
        phases=[phase for phase in hypothesis.Phase if phase not in unwanted],
        derandomize=seed is None,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        print_blob=False,
        verbosity=hypothesis.Verbosity.quiet,
    )(run)
    if seed is not None:
        run = hypothesis.seed(seed)(run)
    try:
        run()
    except _Failed:
        pass
    except hypothesis.errors.Unsatisfiable:
        pass
    return seen


class _Failed(AssertionError):
    """A statement was false on a draw."""


@dataclasses.dataclass(frozen=True, repr=False)
class Check(Result):
    """What came of checking a claim.

    Attributes:
        claim: the claim. verdict: what was found now.
        agrees: the verdict is the declared one, and the conclusion fails on every example outside.
        tried, rejected: draws. seconds: of the whole check.
        failure: the smallest draw on which the conclusion fails, where it should not.
        detail: evidence, of the failure or of the last draw. silent: reasons of examples outside that did not fail.
    """

    claim: Claim
    verdict: Verdict
    agrees: bool
    tried: int
    rejected: int
    seconds: float
    failure: Draw | None = None
    detail: str = ""
    silent: tuple[str, ...] = ()

    @property
    def rejected_share(self) -> float:
        """Draws that did not meet the hypotheses, of all."""
        return self.rejected / max(1, self.tried + self.rejected)

    def summary(self) -> str:
        """Claim, source, how it is established, verdict, draws, time."""
        claim = self.claim
        lines = [
            f"{claim.name}: {claim.statement}",
            f"  {claim.source}; {claim.how}: {self.verdict}"
            + (f" on {self.tried} draws ({self.rejected_share:.0%} rejected)" if claim.hypotheses else "")
            + f", {self.seconds:.2g} s",
        ]
        if claim.correction:
            lines.append(f"  correction: {claim.correction}")
        if self.failure is not None:
            lines.append(f"  fails at {dict(self.failure)}")
        if self.detail:
            lines.append(f"  {self.detail}")
        lines += [f"  does not fail where it should: {why}" for why in self.silent]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, without the functions."""
        claim = self.claim
        data = {
            "claim": claim.name,
            "paper": claim.paper,
            "statement": claim.statement,
            "latex": claim.latex,
            "source": claim.source,
            "how": claim.how,
            "verdict": self.verdict,
            "declared": claim.verdict,
            "agrees": self.agrees,
            "correction": claim.correction,
            "outside": [example.why for example in claim.outside],
            "draws": self.tried,
            "rejected": self.rejected,
            "seconds": self.seconds,
            "failure": None if self.failure is None else {k: str(v) for k, v in self.failure.items()},
            "detail": self.detail,
        }
        result: dict[str, Any] = plain(data)
        return result


def check(claim: Claim, draws: int | None = None, shrink: bool = True) -> Check:
    """Check a claim: on draws of its hypotheses, and on its examples outside them.

    A refuted claim is found refuted when the conclusion fails on its examples, which then lie inside the hypotheses.

    Args:
        claim: the claim. draws: how many are tried; the claim's own number by default.
        shrink: look for a simplest failure; False is faster where only the verdict matters.

    Example:
        >>> import gandyn as gd
        >>> found = gd.claims.check(gd.claims.registry["daskalakis_2018.simultaneous_diverges"].build(), draws=5)
        >>> found.verdict.value, found.agrees
        ('holds', True)
    """
    start = time.perf_counter()
    silent = tuple(example.why for example in claim.outside if claim.conclusion(**example.draw()))
    seen = Search()
    if claim.verdict is not Verdict.REFUTED:
        if claim.hypotheses is None:
            found = claim.conclusion()
            evidence = found if isinstance(found, Evidence) else Evidence(bool(found))
            seen = Search(1, 0, None if evidence else {}, evidence)
        else:
            seen = search(claim.conclusion, claim.hypotheses(), draws or claim.draws, claim.where, shrink=shrink)
    failed = seen.failure is not None
    verdict = claim.verdict
    if claim.verdict in (Verdict.HOLDS, Verdict.CORRECTED) and (failed or seen.tried == 0):
        verdict = Verdict.REFUTED if failed else Verdict.OPEN
    if claim.verdict is Verdict.REFUTED and silent:
        verdict = Verdict.OPEN
    return Check(
        claim,
        verdict,
        verdict is claim.verdict and not silent,
        seen.tried,
        seen.rejected,
        time.perf_counter() - start,
        seen.failure,
        seen.evidence.detail if seen.evidence is not None else "",
        silent,
    )
