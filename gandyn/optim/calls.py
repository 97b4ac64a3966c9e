"""How a loop's losses are called: with the networks, and with what else their code has places for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Sequence
from types import FunctionType
from typing import Any

from ..errors import ParameterError

Losses = Callable[..., Sequence[Any]]
CALL = "optimizer.step(lambda generator, discriminator: (generator_loss, discriminator_loss))"


def takes_more(losses: Losses, networks: Sequence[object]) -> bool:
    """Whether losses have a place for one more argument, without a default, after the networks."""
    required, _ = _places(losses)
    return required == len(networks) + 1


def takes_only(losses: Losses) -> bool:
    """Whether losses have a keyword `only`, and so need not compute what is not wanted."""
    return "only" in _places(losses)[1]


def _places(losses: Losses) -> tuple[int, Collection[str]]:
    """How many arguments losses must be given by place, and what they take by keyword alone.

    Plain functions are read off their code: a loop that makes its losses anew at each step asks at each step.
    """
    code = losses.__code__ if type(losses) is FunctionType and not hasattr(losses, "__wrapped__") else None
    if code is not None:
        places = code.co_argcount
        return places - len(losses.__defaults__ or ()), code.co_varnames[places : places + code.co_kwonlyargcount]
    try:
        parameters = inspect.signature(losses).parameters.values()
    except (TypeError, ValueError):
        return -1, ()
    by_place = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return sum(p.default is p.empty for p in by_place), [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]


def refuse_places(losses: Any, networks: int, data: object) -> None:
    """Raises ParameterError for what cannot be called with the networks, as the closure of a torch optimiser, or with
    one argument more at most, or has no place for data.
    """
    needed, fix = "a function of the networks that returns a loss for each", CALL
    code = losses.__code__ if type(losses) is FunctionType else None
    if not callable(losses):
        given = f"a step without losses, but {losses!r:.80}"
    elif code is None or code.co_flags & inspect.CO_VARARGS:
        return
    elif code.co_argcount < networks or _places(losses)[0] > networks + 1:
        given = f"losses that take {code.co_argcount} arguments, for {networks} networks"
    elif data is not None and code.co_argcount == networks:
        given = f"losses that take {networks} arguments, and data, which they have no place for"
        needed, fix = "a place behind the networks", "def losses(generator, discriminator, item): ..."
    else:
        return
    raise ParameterError(given, needed, fix)
