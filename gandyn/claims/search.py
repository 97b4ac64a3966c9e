"""Trying statements on draws: Hypothesis searches and shrinks; what was tried, rejected and shrunk is counted."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
from collections.abc import Callable, Iterator
from typing import Any

from ..errors import ParameterError
from .base import Draw, Evidence, evidence_of
from .coverage import Coverage

SEED = 20_190_503


@dataclasses.dataclass
class Search:
    """How many draws a search for a counterexample made, and what became of them.

    Attributes:
        tried, rejected: draws, up to the first failure; rejected are those without the hypotheses, and those of which
            the evidence says nothing. shrunk: draws tried while the failure was made smaller.
        failure: the smallest draw on which the statement fails. evidence: there, or on the last draw.
        coverage: which games were drawn. names: of the arguments that were drawn.
    """

    tried: int = 0
    rejected: int = 0
    shrunk: int = 0
    failure: Draw | None = None
    evidence: Evidence | None = None
    coverage: Coverage = dataclasses.field(default_factory=Coverage)
    names: frozenset[str] = frozenset()


def enough(tried: int, rejected: int, asked: int, least: int | None = None) -> bool:
    """Whether a verdict may rest on so few draws: `least`, or half of those asked for where some were rejected."""
    if least is not None:
        return tried >= min(least, asked)
    return tried >= (1 if rejected == 0 else max(1, (asked + 1) // 2))


def search(
    conclusion: Callable[..., Evidence | bool],
    strategy: object,
    draws: int,
    where: Callable[..., bool] | None = None,
    seed: int | None = None,
    shrink: bool = True,
) -> Search:
    """Try a statement on draws of a strategy until one fails, then shrink that one.

    The draws depend on the strategy and the seed alone: not on the text of the statement or of the package, nor on the
    settings that are loaded for Hypothesis. Only another version of Hypothesis may draw others.

    Args:
        conclusion: takes a draw as keyword arguments. strategy: a Hypothesis strategy of dicts.
        draws: how many are tried. where: draws without it are rejected and counted.
        seed: of the draws; the same in every run by default.
        shrink: False keeps the first failure as it is.

    Raises:
        ParameterError: where the draws are no dicts, or the statement's answer is no truth value.
    """
    import hypothesis

    seen = Search()

    def attempt(draw: Draw) -> None:
        if not isinstance(draw, dict):
            raise ParameterError(
                f"a draw of type {type(draw).__name__}", "a dict of arguments", "strategies.fixed_dictionaries({...})"
            )
        searching = seen.failure is None
        if where is not None and not where(**draw):
            seen.rejected += searching
            hypothesis.reject()
        seen.names = frozenset(draw)
        if searching:
            seen.tried += 1
            seen.coverage.add(draw)
        else:
            seen.shrunk += 1
        found = evidence_of(conclusion(**draw))
        if not found.applies:  # it says nothing, as a draw outside the hypotheses
            seen.tried, seen.rejected = seen.tried - searching, seen.rejected + searching
            hypothesis.reject()
        if searching or not found:  # while a failure is shrunk, only smaller failures are of interest
            seen.evidence = found
        if not found:
            seen.failure = draw
            raise _Failed

    given: Any = hypothesis.given
    run = _settings(draws, shrink)(given(strategy)(attempt))
    with _no_constants_of_the_package(), contextlib.suppress(_Failed, hypothesis.errors.Unsatisfiable):
        hypothesis.seed(SEED if seed is None else seed)(run)()
    return seen


def _settings(draws: int, shrink: bool) -> Any:
    """Hypothesis without memory, deadline and complaints: what it draws depends on the seed alone."""
    import hypothesis

    unwanted = {hypothesis.Phase.explain} | (set() if shrink else {hypothesis.Phase.shrink})
    return hypothesis.settings(
        max_examples=draws,
        phases=[phase for phase in hypothesis.Phase if phase not in unwanted],
        derandomize=False,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        print_blob=False,
        backend="hypothesis",
        report_multiple_bugs=False,
        verbosity=hypothesis.Verbosity.quiet,
    )


class _Failed(AssertionError):
    """A statement was false on a draw."""


@contextlib.contextmanager
def _no_constants_of_the_package() -> Iterator[None]:
    """Keep Hypothesis from drawing constants that it finds in the text of whatever modules are loaded.

    Newer versions do so, and then a changed number anywhere in the package changes the draws. Versions without this
    are left as they are.
    """
    try:
        providers: Any = importlib.import_module("hypothesis.internal.conjecture.providers")
        usual, empty, cache = providers._get_local_constants, providers.Constants(), providers.CONSTANTS_CACHE
    except (ImportError, AttributeError):
        yield
        return
    providers._get_local_constants = lambda: empty
    cache.cache.clear()
    try:
        yield
    finally:
        providers._get_local_constants = usual
        cache.cache.clear()
