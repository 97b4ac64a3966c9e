"""Which runs deserve generated code, and the kernels already made for a game.

There is one for each structure of a rule and each backend. Games with the same expressions share them; those of another
game live on it and go with it. A kernel that is on disk is taken from there without a trace.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from ..errors import DomainError, GandynError
from ..lazy import sympy
from ..noise import NoisyGame
from ..symbolic.members import members_in
from ..types import Array, Counts, Game, Rule
from ..worlds import NUMPY, SYMBOLS, world_of
from . import recorded
from .kernels import Kernel, kernel_class, usual_backend
from .program import program
from .structure import Structure, structure_of

# Measured on one core: an eager step costs about 30 us and 20 ns for each number; tracing and loading compiled code
# costs 10 to 50 ms, compiling it (once, then it is on disk) 0.3 to 1 s.
EAGER_STEP, EAGER_NUMBER, WORTH_IT = 3e-5, 2e-8, 0.1
FEW_STEPS, MOST_GAMES = 10, 200
FUSED_LAWS = ("gaussian", "uniform")
LARGEST_GAME, LARGEST_COSTS, LARGEST_PROGRAM = 64, 4000, 3000


@dataclasses.dataclass(frozen=True)
class Compiled:
    """A kernel with the oracle calls of a step and the data of a rule.

    Attributes:
        data: numbers that all members share, behind the rule's counts. columns: those of which each member has its
            own, behind its state.
    """

    kernel: Kernel
    counts: Counts
    data: tuple[float, ...] = ()
    columns: tuple[sympy.Symbol, ...] = ()


@dataclasses.dataclass(frozen=True)
class Kept:
    """A kernel without its data; `members` are the game's own parameters with one value for each member."""

    kernel: Kernel
    counts: Counts
    members: tuple[Any, ...]

    def filled(self, structure: Structure) -> Compiled:
        """With the data of a rule of this structure."""
        data = tuple(v for v in structure.values if isinstance(v, float))
        columns = (*(v for v in structure.values if not isinstance(v, float)), *self.members)
        return Compiled(self.kernel, self.counts, data, columns)


MISSING = "neither in memory nor on disk"
_SHELVES: dict[Any, dict[Any, Any]] = {}


def worthwhile(game: Game, members: int, steps: int) -> bool:
    """Whether a run is long enough for code to be generated for it. One that is in memory is used from ten steps up."""
    return steps * (EAGER_STEP + EAGER_NUMBER * members * game.dim) > WORTH_IT


def unsuitable(game: Game) -> str:
    """Why this game cannot be run by generated code; empty if it can."""
    if isinstance(game, NoisyGame):
        heavy = "heavy-tailed noise is drawn step by step" if getattr(game.noise, "law", "") not in FUSED_LAWS else ""
        return heavy or unsuitable(game.game)
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


def compiled(game: Game, rule: Rule, backend: str, w: Array, build_missing: bool = True) -> Compiled:
    """The kernel for this game and the structure of this rule, traced and built at the first call, with its data.

    Args:
        backend: a kernel backend, or "auto": compiled code or NumPy for arrays, torch for tensors.
        w: the start, which says in which world the kernel runs.
        build_missing: if false, only a kernel that is in memory or on disk will do.

    Raises:
        GandynError: with the reason, where there is no kernel. KeyError: where it is not there and not to be built.
    """
    reason = unsuitable(game)
    if reason:
        raise DomainError(
            f"a kernel for {game.name}: {reason}", "a deterministic symbolic game of moderate size", 'kernel="eager"'
        )
    tensors = world_of(w) != NUMPY
    if backend == "auto":
        backend = "torch" if tensors else usual_backend()
    if tensors != (backend == "torch"):
        raise DomainError(
            f"the backend {backend!r} on {type(w).__name__}", "'torch' for tensors, another for arrays", 'kernel="auto"'
        )
    if not game.deterministic and backend != "c":
        raise DomainError(f"noise in the backend {backend!r}", "compiled code", 'kernel="eager"')
    return _found(game, rule, backend, build_missing)


def _attempts(rule: Rule) -> Iterator[Structure]:
    """With all numbers as data, then with those alone of which each member has its own: a step may need the values."""
    first = structure_of(rule)
    yield first
    if first.values:
        yield structure_of(rule, scalars=False)


def _found(game: Game, rule: Rule, backend: str, build_missing: bool) -> Compiled:
    """The kernel that is kept, or is built, for the structure of a rule, with this rule's data."""
    kept = _shelf(game)
    for structure in _attempts(rule):
        key = structure.key, structure.scalars and bool(structure.values), backend
        found = kept.get(key)
        if found is None:
            found = kept[key] = _on_disk(game, structure, backend)
        if found is MISSING and build_missing:
            found = kept[key] = _build(game, structure, backend)
        if found is MISSING:
            raise KeyError(key)
        if isinstance(found, Kept):
            return found.filled(structure)
    assert isinstance(found, GandynError)
    raise found


def _shelf(game: Game) -> dict[Any, Any]:
    """Where the kernels of a game are kept: games with the same expressions share theirs."""
    content = getattr(game, "content", None)
    if content is None:
        shelf: dict[Any, Any] = game.__dict__.setdefault("_kernels", {})
        return shelf
    shelf = _SHELVES.setdefault(content, {})
    if len(_SHELVES) > MOST_GAMES:
        del _SHELVES[next(iter(_SHELVES))]
    return shelf


def _record(game: Game, structure: Structure, backend: str) -> str | None:
    """The name under which a map is filed on disk; None for one that is not."""
    if backend != "c" or members_in(game):
        return None
    return recorded.name_of(getattr(game, "content", None), (structure.key, structure.scalars))


def _on_disk(game: Game, structure: Structure, backend: str) -> Any:
    """The kernel of an earlier process, or `MISSING`."""
    name = _record(game, structure, backend)
    found = None if name is None else recorded.find(name)
    if found is None:
        return MISSING
    program, counts = found
    kernel = kernel_class(backend)
    ready = kernel.ready(program)
    return Kept(kernel(_title(game, structure), program), counts, ()) if ready else MISSING


def _title(game: Game, structure: Structure) -> str:
    return f"{structure.rule!r} on {game.name}"


def _build(game: Game, structure: Structure, backend: str) -> Kept | GandynError:
    from .trace import traced

    before = dataclasses.replace(game.counts)
    try:
        rule, symbols = structure.symbolic
        own = [isinstance(value, float) for value in structure.values]
        data = [s for s, shared in zip(symbols, own, strict=True) if shared]
        columns = [*(s for s, shared in zip(symbols, own, strict=True) if not shared), *members_in(game)]
        update_map = traced(game, rule, data, columns, in_units=True)
        lowered = program(update_map, data, columns)
        kernel = kernel_class(backend)(_title(game, structure), lowered)
    except GandynError as error:
        return error
    except (TypeError, ValueError, ArithmeticError, AttributeError, NotImplementedError) as error:
        # A step that branches on values or calls what symbols do not have, and SymPy's NotImplementedError for
        # comparisons that it cannot decide: someone else's rule still runs step by step.
        return DomainError(
            f"{structure.rule!r} on {game.name} does not trace: {error}",
            "a step made of the oracle and + - * /",
            'kernel="eager"',
        )
    finally:
        vars(game.counts).update(vars(before))  # in place: a view's counts are those of its game
    if len(kernel.program.varying) > LARGEST_PROGRAM:
        return DomainError(
            f"a map of {len(kernel.program.varying)} operations", f"at most {LARGEST_PROGRAM}", 'kernel="eager"'
        )
    name = _record(game, structure, backend)
    if name is not None:
        recorded.keep(name, lowered, update_map.counts)
    return Kept(kernel, update_map.counts, members_in(game))
