"""The objects that losses reach besides their arguments, found by reading their code, and how they are put back.

An evaluation that the loop did not ask for may draw from random generators, append to lists and count steps. All of
this is put back. An iterator cannot be put back once it has moved on: losses that read from one are refused by name.
"""

from __future__ import annotations

import collections
import copy
import functools
import inspect
import io
import random
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
import torch

from ..errors import GandynError, ParameterError
from ..types import Array

K = TypeVar("K")
V = TypeVar("V")
Undo = Callable[[], object]  # puts one object back
Reached = tuple[str, object, frozenset[str]]  # name, object, and the names that the code which reaches it uses
LIBRARIES = {"torch", "torchvision", "torchaudio", "numpy", "scipy", "pandas", "sklearn", "gandyn", "tqdm", "wandb"}
STANDARD = {"functools", "itertools", "collections", "random", "math", "logging", "contextlib", "dataclasses", "typing"}
LARGEST_COPY = 2**25  # bytes of tensors and arrays that are copied for every look
MOST_OBJECTS = 5000
STATEFUL = (torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler, torch.amp.GradScaler)
IMPLICIT = ("__call__", "__iter__", "__getitem__", "__len__", "sampler", "generator", "batch_sampler")


class Surroundings:
    """The objects that a function reaches, recorded when this is made; `restore` puts them back.

    A function reaches its closure, its defaults, and the globals and attributes that its code names. So do the
    functions that it calls, and the networks' own `forward` and hooks. Library code is not read; optimisers,
    schedulers and scalers of torch are put back whole.

    Args:
        function: the losses.
        networks: all modules whose parameters and buffers an evaluation sees as copies.

    Attributes:
        modules: modules that the function reaches and that are not part of the networks.

    Raises:
        ParameterError: for a function that reads from an iterator, which an evaluation would advance.
    """

    def __init__(self, function: Callable[..., object], networks: Sequence[torch.nn.Module]) -> None:
        self.modules: list[torch.nn.Module] = []
        self._networks = {id(x) for m in networks for x in (m, *m._parameters.values())}
        self._undo: list[Undo] = []
        self._large: list[tuple[torch.Tensor, tuple[int, str]]] = []
        self._room = LARGEST_COPY
        for name, found in _reached([("losses", function), *_called(networks)], self._undo):
            if isinstance(found, torch.nn.Module):
                if not any(id(m) in self._networks for m in found.modules()):
                    self.modules.append(found)
                    for p in found.parameters():
                        self._keep_numbers(p)
            else:
                self._keep(name, found)

    def _keep(self, name: str, found: object) -> None:
        if _is_iterator(found):
            raise ParameterError(
                f"losses or networks that read from the iterator `{name}`, so that looking would take from your loop",
                "losses that are given their batch",
                "write losses(generator, discriminator, batch) and call watch.step(batch)",
            )
        undo = _restorer(found)
        if undo is not None:
            self._undo.append(undo)
        elif isinstance(found, STATEFUL):
            self._keep_state(found.__dict__)
        elif isinstance(found, (torch.Tensor, np.ndarray)):
            self._keep_numbers(found)

    def _keep_state(self, found: object, depth: int = 4) -> None:
        """Tensors, lists and dicts inside each other, as in an optimiser."""
        if isinstance(found, torch.Tensor) and id(found) not in self._networks:
            self._keep_numbers(found)
        elif isinstance(found, dict | list | tuple | torch.optim.Optimizer) and depth:
            inside = found.__dict__ if isinstance(found, torch.optim.Optimizer) else found
            undo = _restorer(inside)
            self._undo += [] if undo is None else [undo]
            for value in inside.values() if isinstance(inside, dict) else inside:
                self._keep_state(value, depth - 1)

    def _keep_numbers(self, found: Array) -> None:
        if isinstance(found, torch.Tensor) and found.is_leaf and found.is_floating_point():
            self._undo.append(functools.partial(found.requires_grad_, found.requires_grad))
            self._keep_gradient(found)
        if _is_plain(found) and found.nbytes <= self._room:
            self._room -= found.nbytes
            if isinstance(found, np.ndarray):
                values = found.copy()
                self._undo.append(lambda: None if _same(found, values) else np.copyto(found, values))
            else:
                kept = found.detach().clone()
                self._undo.append(lambda: None if torch.equal(found, kept) else _put_back(found, kept))
        elif isinstance(found, torch.Tensor):
            self._large.append((found, _sign_of(found)))

    def _keep_gradient(self, found: torch.Tensor) -> None:
        gradient = found.grad
        if gradient is not None and gradient.nbytes <= self._room:
            self._keep_numbers(gradient)
        self._undo.append(functools.partial(setattr, found, "grad", gradient))

    def restore(self) -> None:
        """Put everything back that was recorded.

        Raises:
            GandynError: where the function wrote into a tensor that was too large to be copied.
        """
        for undo in reversed(self._undo):
            undo()
        for tensor, sign in self._large:
            if _sign_of(tensor) != sign:
                raise GandynError(
                    f"losses that write into a tensor of {tensor.nbytes / 2**20:.0f} MiB that they do not own",
                    f"losses that write into less than {LARGEST_COPY // 2**20} MiB, or into tensors that they make",
                    "pass what changes as an argument: losses(generator, discriminator, batch)",
                )


def _sign_of(tensor: torch.Tensor) -> tuple[int, str]:
    """What changes where a tensor is written to: torch's count, or its sum where it was written to through `.data`."""
    numbers = _is_plain(tensor) and not tensor.is_complex()
    return tensor._version, repr(float(tensor.detach().sum(dtype=torch.float64))) if numbers else ""


def _is_plain(tensor: torch.Tensor | np.ndarray) -> bool:
    return isinstance(tensor, np.ndarray) or (tensor.layout == torch.strided and tensor.device.type != "meta")


def _put_back(tensor: Array, values: torch.Tensor) -> None:
    tensor.data.copy_(values)  # through .data, which leaves the version that autograd compares


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and bool(np.array_equal(a, b, equal_nan=a.dtype.kind == "f"))


def _is_iterator(found: object) -> bool:
    if isinstance(found, (io.IOBase, torch.Tensor)) or type(found).__module__.split(".")[0] in ("tempfile", "logging"):
        return False
    return hasattr(type(found), "__next__")


def _restorer(found: object) -> Undo | None:
    """How to put a generator, a container or an object back to what it is now; None for what does not change."""
    if isinstance(found, torch.Generator):
        state = found.get_state()
        return functools.partial(found.set_state, state)
    if isinstance(found, np.random.Generator):
        before = copy.deepcopy(found.bit_generator.state)
        return functools.partial(setattr, found.bit_generator, "state", before)
    if isinstance(found, np.random.RandomState):
        return functools.partial(found.set_state, found.get_state())
    if isinstance(found, random.Random):
        return functools.partial(found.setstate, found.getstate())
    if isinstance(found, list | collections.deque):
        items = list(found)
        return lambda: None if list(map(id, found)) == list(map(id, items)) else _refill(found, items)
    if isinstance(found, dict):
        return functools.partial(restore_dict, found, dict(found))
    if isinstance(found, set):
        members = set(found)
        return functools.partial(_refill, found, members)
    if isinstance(found, type):
        plain = {k: v for k, v in vars(found).items() if not k.startswith("__") and not hasattr(v, "__get__")}
        return functools.partial(_reset, found, plain)
    if _is_users_object(found) and hasattr(found, "__dict__"):
        return functools.partial(restore_dict, found.__dict__, dict(found.__dict__))
    return None


def _reset(found: type, before: dict[str, object]) -> None:
    """A class's own values, as they were."""
    for key, value in before.items():
        if found.__dict__.get(key) is not value:
            setattr(found, key, value)


def _refill(found: Any, items: Any) -> None:
    found.clear()
    (found.update if isinstance(found, set) else found.extend)(items)


def restore_dict(held: dict[K, V], before: dict[K, V]) -> None:
    """Make the dictionary `held` equal to its earlier copy `before`: the same objects in the same order."""
    if list(held) == list(before) and all(held[key] is value for key, value in before.items()):
        return
    held.clear()
    held.update(before)


def _called(networks: Sequence[torch.nn.Module]) -> Iterator[tuple[str, object]]:
    """(name, function) for what an evaluation of the networks calls beside libraries: own forwards, and hooks."""
    for module in networks:
        if _is_users_object(module) or "forward" in module.__dict__:
            yield "forward", module.forward
        held = [value for key, value in module.__dict__.items() if key.endswith("_hooks") and isinstance(value, dict)]
        held += [p._backward_hooks for p in module._parameters.values() if p is not None and p._backward_hooks]
        yield from (("a hook", hook) for hooks in held for hook in hooks.values())


def _reached(roots: Sequence[tuple[str, object]], undo: list[Undo]) -> Iterator[tuple[str, object]]:
    """(name, object) for everything that functions reach; restorers of their variables go to `undo`."""
    queue: collections.deque[Reached] = collections.deque((name, root, frozenset()) for name, root in roots)
    seen: set[tuple[int, frozenset[str]]] = set()
    met: set[int] = set()
    kept: list[object] = []  # objects made on the way, such as bound methods, stay alive while their ids are compared
    while queue and len(seen) < MOST_OBJECTS:
        name, found, names = queue.popleft()
        kept.append(found)
        if (id(found), names) in seen or found is None or isinstance(found, types.ModuleType):
            continue
        if isinstance(found, type) and _root(found.__module__) in LIBRARIES | STANDARD | {"builtins"}:
            continue
        seen.add((id(found), names))
        if id(found) not in met:
            met.add(id(found))
            yield name, found
        queue.extend(_next(found, names, undo))


def _next(found: object, names: frozenset[str], undo: list[Undo]) -> list[Reached]:
    """What one object leads to, and the names that the code which reaches it knows."""
    if isinstance(found, functools.partial):
        return [("losses", part, names) for part in (found.func, *found.args, *found.keywords.values())]
    if isinstance(found, types.MethodType):
        own = _names(found.__func__)
        return [("losses", found.__func__, own), (type(found.__self__).__name__, found.__self__, own)]
    if isinstance(found, types.FunctionType):
        return _variables(found, undo) if _is_users_code(found) else []
    if isinstance(found, types.BuiltinMethodType | types.MethodWrapperType):
        return [("the iterator of a method", found.__self__, names)]
    if isinstance(found, list | tuple | set | collections.deque):
        return [("an item", item, names) for item in list(found)[:200]]
    if isinstance(found, dict):
        return [(str(key), value, names) for key, value in list(found.items())[:200]]
    if isinstance(found, torch.nn.Module) and not names:
        return []
    if isinstance(found, torch.Tensor | np.ndarray | str | bytes | int | float):
        return []
    return _attributes(found, names)


def _variables(function: types.FunctionType, undo: list[Undo]) -> list[Reached]:
    names = _names(function)
    found = [(name, value, names) for name, value in function.__globals__.items() if name in names]
    undo += [functools.partial(function.__globals__.__setitem__, name, value) for name, value, _ in found]
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found.append((name, cell.cell_contents, names))
        except ValueError:  # a variable that is not assigned yet
            continue
        undo.append(functools.partial(setattr, cell, "cell_contents", cell.cell_contents))
    if function.__dict__:
        undo.append(functools.partial(restore_dict, function.__dict__, dict(function.__dict__)))
        found += [(name, value, names) for name, value in function.__dict__.items()]
    defaults = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    return [*found, *(("a default", value, names) for value in defaults)]


def _attributes(found: object, names: frozenset[str]) -> list[Reached]:
    """The attributes of an object that the code names, and the methods of a user's class, bound."""
    if not hasattr(found, "__dict__"):
        return []
    users = _is_users_object(found)
    result: list[Reached] = []
    if users and not isinstance(found, type):
        result.append((type(found).__name__, type(found), names))
    for name in (*names, *IMPLICIT):
        held = found.__dict__.get(name)
        if held is not None and not (isinstance(found, type) and callable(held)):
            result.append((name, held, names))
            continue
        method = inspect.getattr_static(type(found), name, None) if users else None
        method = method.fget if isinstance(method, property) else method
        if isinstance(method, types.FunctionType):
            result.append((name, types.MethodType(method, found), names))
    return result


def _names(function: Any) -> frozenset[str]:
    """All names that a function's code uses, those of functions written inside it included."""
    codes, names = [function.__code__], set()
    while codes:
        code = codes.pop()
        names |= {*code.co_names, *code.co_freevars}
        codes += [c for c in code.co_consts if isinstance(c, types.CodeType)]
    return frozenset(names)


def _is_users_code(function: types.FunctionType) -> bool:
    return _root(function.__globals__.get("__name__", "")) not in LIBRARIES | STANDARD


def _is_users_object(found: object) -> bool:
    return _root(type(found).__module__) not in LIBRARIES | STANDARD | {"builtins"}


def _root(module: object) -> str:
    return str(module).split(".")[0]
