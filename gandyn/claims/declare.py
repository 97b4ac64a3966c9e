"""The words in which a claim is declared: decorators of its conclusion, whose docstring begins with the statement.

    wang = Paper("wang_2019")

    @wang.says("Wang et al. 2019, theorem 1")
    @formula(r"|z| < 1")
    @drawn(25, game=strategies.zero_sum_quadratics(), step=strategies.steps(0.3))
    @where(lambda game, step: game.dim < 4)
    @fails("a step that is too long", lambda: {"game": games.quadratic(1, 2, 1), "step": 3}, step=0.1)
    def real_spectrum(game, step):
        '''The statement, with its hypotheses, in one paragraph. What is computed follows in another.'''

The paper's word stands on top and lists the claim, here as "wang_2019.real_spectrum".
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any, TypeVar

from hypothesis import strategies as st

from .base import Claim, Draw, Evidence, How, Origin, Outside, Verdict, incomparable, register

__all__ = [
    "Evidence", "Paper", "Verdict", "certified", "drawn", "fails", "formula", "incomparable", "instance", "proved",
    "reproduced", "where",
]  # fmt: skip

Conclusion = TypeVar("Conclusion", bound=Callable[..., Any])
Word = Callable[[Conclusion], Conclusion]


class Paper:
    """Lists claims under a paper's key: each of its words registers a decorated conclusion as "key.function_name".

    Args:
        key: author and year, "wang_2019".
    """

    def __init__(self, key: str) -> None:
        self.key = key

    def says(self, source: str, origin: Origin = Origin.PAPER, **facts: object) -> Word[Any]:
        """The paper says it: `source` names the place; `facts` are further attributes of the claim."""

        def listed(conclusion: Conclusion) -> Conclusion:
            told = {**vars(conclusion).pop("declared"), **facts}
            told.setdefault("how", How.PROPERTY)
            statement = " ".join((inspect.getdoc(conclusion) or "").split("\n\n")[0].split())
            name = f"{self.key}.{conclusion.__name__}"
            register(Claim(name, statement, source=source, origin=origin, conclusion=conclusion, **told))
            return conclusion

        return listed

    def sharpened(self, source: str, **facts: object) -> Word[Any]:
        """The paper says so in other or weaker words; constants or cases are derived here."""
        return self.says(source, Origin.SHARPENED, **facts)

    def derived(self, source: str, **facts: object) -> Word[Any]:
        """Derived here, beside the paper."""
        return self.says(source, Origin.DERIVED, **facts)

    def remark(self, source: str, **facts: object) -> Word[Any]:
        """False as it stands, and nobody is quoted for it: `source` names what is said beside it."""
        return self.says(source, Origin.NOBODY, verdict=Verdict.REMARK, **facts)


def _noted(**facts: object) -> Word[Any]:
    def note(conclusion: Conclusion) -> Conclusion:
        vars(conclusion).setdefault("declared", {}).update(facts)
        return conclusion

    return note


def formula(latex: str) -> Word[Any]:
    """The formula at the heart of a claim that is tested on draws."""
    return _noted(latex=latex, how=How.PROPERTY)


def proved(latex: str) -> Word[Any]:
    """The formula of a claim that is proved symbolically."""
    return _noted(latex=latex, how=How.PROVED)


def instance(latex: str) -> Word[Any]:
    """The formula of a claim that is checked on one instance in general position."""
    return _noted(latex=latex, how=How.INSTANCE)


def certified(latex: str) -> Word[Any]:
    """The formula of a claim that is certified by ball arithmetic."""
    return _noted(latex=latex, how=How.CERTIFIED)


def reproduced(latex: str) -> Word[Any]:
    """The formula of a claim that a published run is repeated for."""
    return _noted(latex=latex, how=How.REPRODUCED)


def drawn(draws: int, strategy: Any = None, /, **arguments: Any) -> Word[Any]:
    """How many draws are tried, and the strategy of each argument (or one strategy of dicts of arguments)."""
    drawing = st.fixed_dictionaries(arguments) if strategy is None else strategy
    return _noted(draws=draws, hypotheses=lambda: drawing)


def where(condition: Callable[..., bool]) -> Word[Any]:
    """What else a draw must satisfy."""
    return _noted(where=condition)


def fails(why: str, draw: Callable[[], Draw], **restored: object) -> Word[Any]:
    """An example outside the hypotheses where the conclusion fails (`Outside`).

    Args:
        why: which hypothesis it lacks. draw: makes the arguments of the conclusion.
        restored: arguments that restore the hypothesis; a function makes its argument when it is needed.
    """

    def restore() -> Draw:
        return {name: value() if isinstance(value, FunctionType) else value for name, value in restored.items()}

    def note(conclusion: Conclusion) -> Conclusion:
        declared = vars(conclusion).setdefault("declared", {})
        example = Outside(why, draw, restore if restored else None)
        declared["outside"] = (example, *declared.get("outside", ()))
        return conclusion

    return note
