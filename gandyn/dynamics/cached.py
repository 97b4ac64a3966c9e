"""Which runs deserve generated code, and the kernels already made for a game.

Kernels live on the game that they are for, one for each rule and backend, and go with it.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from ..errors import DomainError, GandynError
from ..lazy import sympy
from ..types import Counts, Game, Rule, State
from ..worlds import NUMPY, SYMBOLS, world_of
from .kernels import Kernel, build
from .trace import update_map

# Measured on one core: an eager step costs about 30 us and 20 ns for each number; tracing and loading compiled code
# costs 10 to 50 ms, compiling it (once, then it is on disk) 0.3 to 1 s.
EAGER_STEP, EAGER_NUMBER, WORTH_IT = 3e-5, 2e-8, 0.1
LARGEST_GAME, LARGEST_COSTS, LARGEST_PROGRAM = 64, 4000, 3000


@dataclasses.dataclass(frozen=True)
class Compiled:
    """A kernel with what the trace knows: the structure of the rule's state and the oracle calls of a step."""

    kernel: Kernel
    template: State
    counts: Counts


def worthwhile(game: Game, members: int, steps: int) -> bool:
    """Whether a run is long enough for generated code. Sizes alone decide, so a repeated run takes the same way."""
    return steps * (EAGER_STEP + EAGER_NUMBER * members * game.dim) > WORTH_IT


def unsuitable(game: Game) -> str:
    """Why this game cannot be run by generated code; empty if it can."""
    if SYMBOLS not in game.worlds:
        return "the game is not defined by symbols"
    if not game.deterministic:
        return "the game draws batches"
    if type(game).advance is not Game.advance:
        return "the game changes between steps"
    if game.dim > LARGEST_GAME or _operations(game) > LARGEST_COSTS:
        return "the game is too large to be written out coordinate by coordinate"
    return ""


def _operations(game: Game) -> int:
    """How long the game's costs are, as expressions."""
    found = game.__dict__.get("_operations")
    if found is None:
        found = game.__dict__["_operations"] = sum(int(sympy.count_ops(e)) for e in game.exprs)
    return int(found)


def compiled(game: Game, rule: Rule, backend: str, w: Any) -> Compiled:
    """The kernel for this game and rule, traced and built at the first call.

    Args:
        backend: a kernel backend, or "auto": compiled code or NumPy for arrays, torch for tensors.
        w: the start, which says in which world the kernel runs.

    Raises:
        GandynError: with the reason, where there is no kernel.
    """
    reason = unsuitable(game)
    if reason:
        raise DomainError(
            f"a kernel for {game.name}: {reason}", "a deterministic symbolic game of moderate size", 'kernel="eager"'
        )
    tensors = world_of(w) != NUMPY
    if backend == "auto" and tensors:
        backend = "torch"
    if tensors != (backend == "torch"):
        raise DomainError(
            f"the backend {backend!r} on {type(w).__name__}", "'torch' for tensors, another for arrays", 'kernel="auto"'
        )
    kept: dict[Any, Compiled | GandynError] = game.__dict__.setdefault("_kernels", {})
    key = (_key(rule), backend)
    if key not in kept:
        kept[key] = _build(game, rule, backend)
    found = kept[key]
    if isinstance(found, GandynError):
        raise found
    return found


def _key(rule: Rule) -> Any:
    """Rules compare by their parameters; one with a dict among them cannot be hashed but prints them all."""
    try:
        hash(rule)
    except TypeError:
        return repr(rule)
    return rule


def _build(game: Game, rule: Rule, backend: str) -> Compiled | GandynError:
    before = dataclasses.replace(game.counts)
    try:
        traced = update_map(game, rule)
        kernel = build(traced, backend)
    except GandynError as error:
        return error
    except (TypeError, ValueError, ArithmeticError, AttributeError, NotImplementedError) as error:
        # A step that branches on values or calls what symbols do not have, and SymPy's NotImplementedError for
        # comparisons that it cannot decide: someone else's rule still runs step by step.
        return DomainError(
            f"{rule!r} on {game.name} does not trace: {error}",
            "a step made of the oracle and + - * /",
            'kernel="eager"',
        )
    finally:
        vars(game.counts).update(vars(before))  # in place: a view's counts are those of its game
    if len(kernel.program.varying) > LARGEST_PROGRAM:
        return DomainError(
            f"a map of {len(kernel.program.varying)} operations", f"at most {LARGEST_PROGRAM}", 'kernel="eager"'
        )
    return Compiled(kernel, traced.template, traced.counts)
