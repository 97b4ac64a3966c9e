"""What draws the batches of a GAN: data and latents on the networks' device and in their precision."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch

from ..errors import ParameterError, ShapeError, made, shown
from .datasets import Points
from .given import refuse_not_finite
from .registries import datasets


def sampler(
    data: Any, device: torch.device, dtype: torch.dtype, labelled: bool
) -> tuple[Any, Callable[[int, torch.Generator], Any]]:
    """What the user gave as data, on the device, and a function (n, torch generator) -> points, or (points, labels).

    Raises:
        ParameterError: for what is no data, by the usual fix. ShapeError: for a tensor that is not (N, ...).
    """
    if isinstance(data, type) or any(entry.build is data for entry in datasets):
        raise ParameterError(f"data={shown(data)}", "data", made(data, ""))
    if isinstance(data, torch.Tensor):
        data = _points(data)
    if hasattr(data, "to"):
        data = data.to(device=device, dtype=dtype)
    refuse_not_finite(getattr(data, "_kept", data), "the data")
    if isinstance(data, torch.Tensor):
        points = data

        def choose(n: int, source: torch.Generator) -> torch.Tensor:
            return points[torch.randint(len(points), (n,), generator=source, device=device)]

        return data, choose
    draw = getattr(data, "sample_labelled" if labelled and hasattr(data, "sample_labelled") else "sample", data)
    if callable(draw) and not hasattr(data, "to_numpy"):  # a data frame has a `sample` of its own
        own = type(data).__module__.startswith("gandyn.")
        return data, draw if own else watched(draw, "the data", device, dtype)
    fix = "data=gd.gans.ring()"
    if isinstance(data, (list, tuple)):
        pair = len(data) == 2 and all(isinstance(part, torch.Tensor) for part in data)
        fix = 'data=gd.gans.Points("mine", points, labels)' if pair else "data=torch.tensor(data)"
    fix = "data=frame.to_numpy()" if hasattr(data, "to_numpy") else fix
    raise ParameterError(
        f"data={shown(data)}", "a sampler, a tensor of points, or a function (n, torch generator)", fix
    )


def _points(data: torch.Tensor) -> Any:
    """A tensor as data: of real numbers, (N, ...); bytes stand for pictures and become [-1, 1]."""
    if data.is_complex() or data.device.type == "meta":
        given = f"data of {data.dtype} on {data.device}"
        raise ParameterError(given, "real numbers on a device", "torch.view_as_real(data), or data with values in them")
    if data.ndim < 2:
        fix = "points[:, None]" if data.ndim else "points[None, None]"
        raise ShapeError(f"data of shape {tuple(data.shape)}", "(N, ...), one row a point", fix)
    return Points("data", data) if data.dtype == torch.uint8 else data


def watched(
    draw: Callable[[int, torch.Generator], Any], what: str, device: torch.device, dtype: torch.dtype
) -> Callable[[int, torch.Generator], Any]:
    """A user's own function (n, torch generator) -> points, or (points, labels), whose points are looked at.

    Points come onto the device and in the precision of the networks. Every batch is looked at on a CPU; on a device,
    which would have to wait for each answer, the first.

    Raises:
        ParameterError: for a function of other arguments, points that are no tensor, or have entries that are not
            finite, by the function's name.
    """
    name = f"a batch of {what} from {getattr(draw, '__qualname__', None) or type(draw).__name__}"
    looked = False
    try:
        inspect.signature(draw).bind(2, None)
    except TypeError as error:
        fix = "lambda n, source: torch.randn(n, 2, generator=source)"
        raise ParameterError(f"{name}: {error}", "a function (n, torch generator) -> points", fix) from None
    except ValueError:  # a signature that Python does not know
        pass

    def drawn(n: int, source: torch.Generator) -> Any:
        nonlocal looked
        answer = draw(n, source)
        points, *labels = answer if isinstance(answer, tuple) else (answer,)
        for part in (points, *labels):
            if not isinstance(part, torch.Tensor) or not part.ndim:
                raise ParameterError(
                    f"{name}, a {type(part).__name__}", "a torch tensor (n, ...)", "torch.as_tensor(...)"
                )
        points, labels = points.to(device, dtype), [part.to(device) for part in labels]
        if points.device.type == "cpu" or not looked:
            refuse_not_finite(points, name)
            looked = True
        return (points, *labels) if labels else points

    return drawn
