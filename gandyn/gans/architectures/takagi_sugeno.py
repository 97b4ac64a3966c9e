"""Takagi-Sugeno layers: fuzzy rules whose consequents are affine, in generators and discriminators."""

from __future__ import annotations

import itertools
import math

import torch
from torch import nn

from ...doors import door
from ..registries import architectures as registry
from .heads import Conditioned, Discriminator, OutputNoise, check_condition
from .mlp import LEAK


class TakagiSugeno(nn.Module):
    """y = sum_r h_r(x) (W_r x + b_r), h = softmax_r(-1/2 |(x - c_r) / width|^2 / n): as many rules as there are c_r.

    The rule "if x is near c_r then y = W_r x + b_r" holds to the degree h_r (Takagi & Sugeno 1985); the squared
    distance is divided by the number n of inputs, so that rules overlap in any dimension. Centers, widths and
    consequents are trained. With one rule it is a linear layer.

    The variance of a weight is gain / inputs. Centers start standard normal, widths at one, biases at zero.
    """

    def __init__(
        self, inputs: int, outputs: int, rules: int = 3, gain: float = 1.0, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        weight = torch.randn(rules, outputs, inputs, generator=generator) * math.sqrt(gain / inputs)
        self.weight, self.bias = nn.Parameter(weight), nn.Parameter(torch.zeros(rules, outputs))
        self.centers = nn.Parameter(torch.randn(rules, inputs, generator=generator))
        self.log_width = nn.Parameter(torch.zeros(rules, inputs))

    def memberships(self, points: torch.Tensor) -> torch.Tensor:
        """h_r(x), of sum one over the rules, (n, rules)."""
        apart = (points[:, None] - self.centers) * (-self.log_width).exp()
        return (-apart.square().mean(2) / 2).softmax(1)

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        """The consequents weighted by the memberships, (n, outputs)."""
        each = torch.einsum("roi,ni->nro", self.weight, points) + self.bias
        return (self.memberships(points)[:, :, None] * each).sum(1)


def _layers(sizes: tuple[int, ...], rules: int, leak: float, rng: torch.Generator) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for k, (n, m) in enumerate(itertools.pairwise(sizes)):
        last = k == len(sizes) - 2
        layers += [TakagiSugeno(n, m, rules, 1.0 if last else 2 / (1 + leak**2), rng), nn.LeakyReLU(leak)]
    return layers[:-1]


@registry.register("takagi_sugeno_generator", examples=())
@door
def takagi_sugeno_generator(
    shape: tuple[int, ...] = (2,),
    latent: int = 2,
    hidden: tuple[int, ...] = (64, 64),
    fuzzy_rules: int = 3,
    classes: int = 0,
    output_noise: float = 0.0,
    seed: int = 0,
) -> nn.Module:
    """As `mlp_generator`, of Takagi-Sugeno layers of so many rules."""
    rng = torch.Generator().manual_seed(seed)
    layers: list[nn.Module] = _layers((latent + classes, *hidden, math.prod(shape)), fuzzy_rules, 0.0, rng)
    network: nn.Module = nn.Sequential(*layers, *([nn.Unflatten(1, tuple(shape))] if len(shape) > 1 else []))
    network.latent = latent  # type: ignore[assignment]
    network = Conditioned(network, latent, classes) if classes else network
    return OutputNoise(network, output_noise) if output_noise else network


@registry.register("takagi_sugeno_discriminator", examples=())
@door
def takagi_sugeno_discriminator(
    shape: tuple[int, ...] = (2,),
    hidden: tuple[int, ...] = (64, 64),
    fuzzy_rules: int = 3,
    classes: int = 0,
    condition: str | None = None,
    seed: int = 0,
) -> nn.Module:
    """As `mlp_discriminator`, of Takagi-Sugeno layers of so many rules and a linear head."""
    rng, condition = torch.Generator().manual_seed(seed), check_condition(condition, classes)
    planes = math.prod(shape[1:]) * classes if condition == "concatenation" else 0
    layers = _layers((math.prod(shape) + planes, *hidden), fuzzy_rules, LEAK, rng)
    trunk = nn.Sequential(nn.Flatten(), *layers, nn.LeakyReLU(LEAK))
    return Discriminator(trunk, hidden[-1], classes, condition, generator=rng)
