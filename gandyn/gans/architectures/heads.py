"""The ends of generators and discriminators: labels on the way in, a logit (and classes) on the way out, noise."""

from __future__ import annotations

import math

import torch
from torch import nn

from ...errors import ParameterError
from ...types import Array
from .spectral import normalise

CONDITIONS = ("concatenation", "projection", "auxiliary")
CLASSIFYING = ("auxiliary", "k_plus_one")


def check_condition(condition: str | None, classes: int) -> str | None:
    """How labels are used, "projection" by default. Raises ParameterError for an unknown way, or without classes."""
    condition = "projection" if condition is None and classes else condition
    if condition not in (None, *CONDITIONS, *CLASSIFYING) or bool(classes) != (condition is not None):
        needed = f"classes >= 1 and one of {', '.join(CONDITIONS)}, k_plus_one, or neither"
        raise ParameterError(
            f"condition={condition!r} with {classes} classes", needed, 'classes=10, condition="projection"'
        )
    return condition


class Conditioned(nn.Module):
    """A generator of (latent, label): the label enters beside the latent as a one-hot vector (Mirza & Osindero 2014).

    `body`: a module that takes latent + classes numbers; `latent`, `classes`: sizes of the two.
    """

    conditional = True

    def __init__(self, body: nn.Module, latent: int, classes: int) -> None:
        super().__init__()
        self.body, self.latent, self.classes = body, latent, classes

    def forward(self, latent: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Samples of the labels, (n, ...)."""
        hot: torch.Tensor = nn.functional.one_hot(labels, self.classes).to(latent.dtype)
        made: torch.Tensor = self.body(torch.cat([latent, hot], 1))
        return made


class SamplingDropout(nn.Dropout):
    """Dropout that also acts in evaluation mode, so that it is the generator's noise (Isola et al. 2017, section 3.1).

    A game fixes what it draws by the batch token, or by the seed of `sample`.

    `p`: share of the activations that are set to zero.
    """

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        """Zeros, and 1 / (1 - p) times the rest."""
        return nn.functional.dropout(points, self.p, True)


class OutputNoise(nn.Module):
    """A generator with Gaussian noise on its output: samples then have a density everywhere (Goodfellow 2016, 3.2.5).

    The noise is part of the model, in training and in sampling, and is fixed by the game's batch token.

    The standard deviation is in units of the data.
    """

    def __init__(self, generator: nn.Module, std: float) -> None:
        super().__init__()
        if not std > 0:
            raise ParameterError(f"output noise of standard deviation {std}", "a positive number", "output_noise=0.05")
        self.generator, self.std = generator, float(std)
        self.latent = getattr(generator, "latent", None)
        self.conditional = bool(getattr(generator, "conditional", False))

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """G(z) + std * normal."""
        made: torch.Tensor = self.generator(*inputs)
        return made + self.std * torch.randn_like(made)


class Discriminator(nn.Module):
    """A trunk that turns a point into `size` features, then a linear logit; with classes, in one of four ways.

    "concatenation" (Mirza & Osindero 2014): the one-hot label joins the input, as numbers or as constant planes; the
    trunk must expect them. "projection" (Miyato & Koyama 2018, eq. 3): s = l(phi) + <v_y, phi>, one vector v_y for each
    class. "auxiliary" (Odena et al. 2017): labels are not an input; a second linear layer answers with class logits.
    "k_plus_one" (Salimans et al. 2016): class logits l alone, and the logit is log sum_k exp l_k, as in `KPlusOne`.

    The trunk maps points (n, ...) to features (n, size). With `spectral` the head is normalised as well; `per_sample`
    says that the trunk treats every point by itself. Initial weights are normal with variance 1 / size.
    """

    def __init__(
        self,
        trunk: nn.Module,
        size: int,
        classes: int = 0,
        condition: str | None = None,
        spectral: bool = False,
        per_sample: bool = True,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.condition, self.classes, self.per_sample = check_condition(condition, classes), classes, per_sample
        self.conditional = self.condition in ("concatenation", "projection")
        self.class_outputs = classes if self.condition in CLASSIFYING else 0
        self.trunk = trunk
        if self.condition != "k_plus_one":
            self.logit = _linear(size, 1, spectral, generator)
        if self.condition == "projection":
            self.vectors = _linear(size, classes, spectral, generator, bias=False)
        if self.condition in CLASSIFYING:
            self.names = _linear(size, classes, spectral, generator)

    def forward(self, points: torch.Tensor, labels: torch.Tensor | None = None) -> Array | tuple[Array, ...]:
        """Logits (n, 1); with `class_outputs`, (logits, class logits (n, K))."""
        if self.condition == "concatenation":
            points = with_label_planes(points, labels, self.classes)
        features = self.trunk(points)
        if self.condition == "k_plus_one":
            names: torch.Tensor = self.names(features)
            return names.logsumexp(1, keepdim=True), names
        logit = self.logit(features)
        if self.condition == "projection":
            return logit + self.vectors(features).gather(1, _given(labels)[:, None])
        return (logit, self.names(features)) if self.condition == "auxiliary" else logit


def with_label_planes(points: torch.Tensor, labels: torch.Tensor | None, classes: int) -> torch.Tensor:
    """The points with one-hot labels as further channels, constant over the plane: (n, c + classes, ...)."""
    hot = nn.functional.one_hot(_given(labels), classes).to(points.dtype)
    planes = hot.reshape(*hot.shape, *(1,) * (points.ndim - 2)).expand(-1, -1, *points.shape[2:])
    return torch.cat([points, planes], 1)


def _given(labels: torch.Tensor | None) -> torch.Tensor:
    if labels is None:
        raise ParameterError(
            "a conditional network without labels", "labels of shape (n,)", "discriminator(points, labels)"
        )
    return labels


def _linear(
    inputs: int, outputs: int, spectral: bool, generator: torch.Generator | None, bias: bool = True
) -> nn.Module:
    layer = nn.Linear(inputs, outputs, bias=bias)
    with torch.no_grad():
        layer.weight.normal_(0.0, 1 / math.sqrt(inputs), generator=generator)
        if bias:
            layer.bias.zero_()
    return normalise(layer, generator) if spectral else layer
