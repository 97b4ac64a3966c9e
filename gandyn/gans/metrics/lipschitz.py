"""Between which bounds the discriminator's Lipschitz constant lies: slopes at points, and products of layers' norms."""

from __future__ import annotations

import math

import torch
from torch import nn

from ...errors import DomainError
from ...types import Array
from ..architectures.heads import Discriminator
from ..architectures.residual import Block, SumPool
from ..registries import metrics as registry
from .discriminator import evaluating, slopes
from .score import Score, both

ONE: tuple[type[nn.Module], ...] = (
    nn.ReLU,
    nn.LeakyReLU,
    nn.Tanh,
    nn.Sigmoid,
    nn.Flatten,
    nn.Unflatten,
    nn.Dropout,
    nn.Dropout2d,
    nn.Identity,
)


@registry.register("lipschitz", examples=())
def lipschitz(
    discriminator: torch.nn.Module, real: Array, fake: Array, labels: torch.Tensor | None = None, seed: int = 0
) -> Score:
    """The largest |ds/dx| found at data, samples and points between them: a *lower* bound of the Lipschitz constant.

    `parts` hold the largest slope of each kind, and `upper`, an upper bound: the product of the layers' norms, None
    where a layer has none that is known (`upper_bound`). The truth lies between the two.

    Args:
        discriminator: a module. real, fake: equally many points. labels: for conditional discriminators.
        seed: of the points between.
    """
    both(real, fake, "coordinates", 1)
    x, y = torch.as_tensor(real).detach(), torch.as_tensor(fake).detach()
    source = torch.Generator().manual_seed(seed)
    u = torch.rand(len(x), generator=source, dtype=torch.float64, device="cpu").to(x).reshape(-1, *(1,) * (x.ndim - 1))
    kinds = {"data": x, "samples": y, "between": x + u * (y - x)}
    with evaluating(discriminator):
        largest = {k: float(slopes(discriminator, p, labels).flatten(1).norm(dim=1).max()) for k, p in kinds.items()}
        try:
            upper: float | None = upper_bound(discriminator, x[:1], None if labels is None else labels[:1])
        except DomainError:
            upper = None
    parts = {**{f"at_{kind}": slope for kind, slope in largest.items()}, "upper": upper}
    value = max(largest.values())
    return Score("lipschitz_lower_bound", value, None, len(y), len(x), "logit", None, 0, "", parts)


def upper_bound(network: nn.Module, point: torch.Tensor, labels: Array = None) -> float:
    """A number that no slope of the network's logit exceeds, in evaluation mode and the Euclidean norm.

    Linear layers count with their largest singular value, convolutions with that of the weight as (outputs x rest)
    times ceil(kernel / stride), since a pixel enters at most that squared number of patches; activations with 1; sums
    of branches with the sum. With projection, the logit's and the largest class vector's norms are added;
    with K + 1 classes the largest class logit's norm counts.

    Sizes of maps are found with one `point`, (1, ...). Raises DomainError for a layer whose norm is not known here.
    """
    sides: dict[int, int] = {}
    hooks = [
        module.register_forward_hook(lambda m, inputs, _: sides.__setitem__(id(m), math.prod(inputs[0].shape[2:])))
        for module in network.modules()
        if isinstance(module, SumPool)
    ]
    try:
        with torch.no_grad():
            network(*((point,) if labels is None else (point, labels)))
    finally:
        for hook in hooks:
            hook.remove()
    return _bound(network, sides)


def _bound(module: nn.Module, pixels: dict[int, int]) -> float:
    if isinstance(module, ONE):
        return 1.0
    if isinstance(module, nn.Sequential):
        return math.prod(_bound(part, pixels) for part in module)
    if isinstance(module, nn.Linear):
        return _norm(module.weight)
    if isinstance(module, nn.Conv2d) and module.dilation == (1, 1) and module.groups == 1:
        enters = [math.ceil(k / s) for k, s in zip(module.kernel_size, module.stride, strict=True)]
        return _norm(module.weight) * math.sqrt(math.prod(enters))
    if isinstance(module, nn.BatchNorm2d) and module.running_var is not None:
        return float((module.weight.detach().abs() / (module.running_var + module.eps).sqrt()).max())
    if isinstance(module, nn.AvgPool2d) and module.kernel_size == module.stride:
        return 1.0 / float(module.kernel_size)  # type: ignore[arg-type]
    if isinstance(module, Block):
        return _bound(module.residual, pixels) + _bound(module.shortcut, pixels)
    if isinstance(module, SumPool):
        return math.sqrt(pixels[id(module)])
    if isinstance(module, Discriminator):
        if module.condition == "k_plus_one":  # the slope of log sum exp is a mean of the class logits' slopes
            head = float(module.names.weight.detach().norm(dim=1).max())  # type: ignore[operator]
        else:
            head = _bound(module.logit, pixels)
        if module.condition == "projection":
            head += float(module.vectors.weight.detach().norm(dim=1).max())  # type: ignore[operator]
        return _bound(module.trunk, pixels) * head
    raise DomainError(f"a bound on the slope of {type(module).__name__}", "layers whose norms are known", "`lipschitz`")


def _norm(weight: Array) -> float:
    return float(torch.linalg.matrix_norm(weight.detach().double().flatten(1), 2))
