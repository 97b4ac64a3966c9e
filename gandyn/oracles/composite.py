"""Layers written out in elementary operations, for derivatives that torch's own kernels get wrong or do not have.

Torch's kernels for normalisations have backward passes of their own. Where those are differentiated again, they hold
what the forward pass saved (means, variances, norms) constant: the second derivative of `weight_norm` is wrong, and the
third one of `batch_norm`, `layer_norm` and `instance_norm`. Third derivatives are those of products with J under a
penalty on input gradients (R1, R2, WGAN-GP, DRAGAN, 0-GP). The kernels of attention, `hardsigmoid`, distances and
`embedding_bag` have no second derivative at all. Written out, each operation's derivative is itself differentiable.
`tests/soundness/test_torch_derivatives.py` holds the smallest reproductions, and fails when torch is mended.
"""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

from ..lazy import torch
from ..types import Array


def composite_formulas() -> contextlib.AbstractContextManager[object]:
    """A context in which the functions of `formulas` run on elementary operations: the same values to rounding.

    Calls are seen at torch's Python interface, so scripted modules and compiled ones keep their kernels.
    """
    table = formulas()
    return calls_through(lambda func, args, kwargs: table.get(func, func)(*args, **kwargs))


def calls_through(handle: Callable[[Any, Any, Any], Any]) -> contextlib.AbstractContextManager[object]:
    """A context in which every call of a torch function is `handle(function, args, kwargs)`."""
    from torch.overrides import TorchFunctionMode

    class Calls(TorchFunctionMode):
        def __torch_function__(self, func: object, types: object, args: object = (), kwargs: object = None) -> Any:
            return handle(func, args, kwargs or {})

    return Calls()


def _wide(x: Array) -> Array:
    """Half precisions are normalised in single precision, as the kernels do."""
    return x.float() if x.dtype.itemsize == 2 else x


def _along_channels(value: Array, like: Array) -> Array:
    return value.reshape(1, -1, *(1,) * (like.ndim - 2))


def _standardised(x: Array, dims: Sequence[int], eps: float) -> tuple[Array, Array, Array]:
    """((x - mean) / sqrt(var + eps), mean, var) over some axes, variances without correction."""
    mean = x.mean(dims, keepdim=True)
    var = (x - mean).square().mean(dims, keepdim=True)
    return (x - mean) * (var + eps).rsqrt(), mean, var


def _affine(x: Array, weight: Array, bias: Array) -> Array:
    x = x if weight is None else x * weight
    return x if bias is None else x + bias


def _follow(running: Array, value: Array, momentum: float) -> None:
    if running is not None:
        with torch.no_grad():
            running.copy_((1 - momentum) * running + momentum * value.detach().reshape(running.shape))


def batch_norm(
    input: Array,
    running_mean: Array,
    running_var: Array,
    weight: Array = None,
    bias: Array = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Array:
    """`torch.nn.functional.batch_norm`: per channel, over batch and space; running statistics where not training."""
    x = _wide(input)
    if training or running_mean is None:
        dims = [k for k in range(x.ndim) if k != 1]
        count = x.numel() // x.shape[1]
        out, mean, var = _standardised(x, dims, eps)
        if training:
            _follow(running_mean, mean, momentum)
            _follow(running_var, var * (count / max(count - 1, 1)), momentum)
    else:
        out = (x - _along_channels(running_mean, x)) * (_along_channels(running_var, x) + eps).rsqrt()
    scale, shift = (None if p is None else _along_channels(p, x) for p in (weight, bias))
    return _affine(out, scale, shift).to(input.dtype)


def instance_norm(
    input: Array,
    running_mean: Array = None,
    running_var: Array = None,
    weight: Array = None,
    bias: Array = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Array:
    """`torch.nn.functional.instance_norm`: per point and channel, over space; running statistics are batch means."""
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    x = _wide(input)
    out, mean, var = _standardised(x, list(range(2, x.ndim)), eps)
    count = math.prod(x.shape[2:])
    _follow(running_mean, mean.mean(0), momentum)
    _follow(running_var, var.mean(0) * (count / max(count - 1, 1)), momentum)
    scale, shift = (None if p is None else _along_channels(p, x) for p in (weight, bias))
    return _affine(out, scale, shift).to(input.dtype)


def _kernel(norm: Callable[..., Array]) -> Callable[..., Array]:
    """`torch.batch_norm` or `torch.instance_norm`, whose arguments come in another order than the function's."""

    def kernel(
        input: Array,
        weight: Array,
        bias: Array,
        running_mean: Array,
        running_var: Array,
        *rest: object,
        cudnn_enabled: bool = True,
        **named: object,
    ) -> Array:
        return norm(input, running_mean, running_var, weight, bias, *rest[:3], **named)

    return kernel


def layer_norm(
    input: Array,
    normalized_shape: Sequence[int],
    weight: Array = None,
    bias: Array = None,
    eps: float = 1e-5,
    cudnn_enable: bool = True,
) -> Array:
    """`torch.nn.functional.layer_norm`: per point, over the last axes."""
    out, _, _ = _standardised(_wide(input), list(range(-len(normalized_shape), 0)), eps)
    return _affine(out, weight, bias).to(input.dtype)


def group_norm(
    input: Array,
    num_groups: int,
    weight: Array = None,
    bias: Array = None,
    eps: float = 1e-5,
    cudnn_enabled: bool = True,
) -> Array:
    """`torch.nn.functional.group_norm`: per point and group of channels, over the group and space."""
    x = _wide(input)
    grouped = x.reshape(x.shape[0], num_groups, -1)
    out = _standardised(grouped, [-1], eps)[0].reshape(x.shape)
    scale, shift = (None if p is None else _along_channels(p, x) for p in (weight, bias))
    return _affine(out, scale, shift).to(input.dtype)


def weight_norm(v: Array, g: Array, dim: int = 0) -> Array:
    """`torch._weight_norm`: g v / |v|, the norm over all axes but `dim`, or over all where it is -1."""
    axes = [k for k in range(v.ndim) if dim == -1 or k != dim % v.ndim]
    return v * (g / v.square().sum(axes, keepdim=True).sqrt() if axes else g / v.abs())


def attention(
    query: Array,
    key: Array,
    value: Array,
    attn_mask: Array = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Array:
    """`scaled_dot_product_attention` by two products of matrices and a softmax; it draws as torch's own form does."""
    own = torch._scaled_dot_product_attention_math
    return own(query, key, value, attn_mask, dropout_p, is_causal, scale=scale, enable_gqa=enable_gqa)[0]


def multi_head_attention(*args: Any, **kwargs: Any) -> tuple[Array, Array | None]:
    """`multi_head_attention_forward` with its attention written out, as it is where the weights are asked for."""
    from torch.nn import functional

    out, weights = functional.multi_head_attention_forward(*args, **{**kwargs, "need_weights": True})
    return out, weights if kwargs.get("need_weights", True) else None


def hardsigmoid(input: Array, inplace: bool = False) -> Array:
    """`torch.nn.functional.hardsigmoid`: x / 6 + 1/2, kept between 0 and 1."""
    return (input + 3).clamp(0, 6) / 6


def _length(differences: Array, p: float) -> Array:
    """The p-norm over the last axis, with slope 0 at 0."""
    size = differences.abs()
    if math.isinf(p):
        return size.amax(-1)
    if p == 0:
        return (size != 0).to(size.dtype).sum(-1)
    total = (size * size if p == 2 else size.where(size > 0, 1) ** p * (size > 0)).sum(-1)
    return total.where(total > 0, 1) ** (1 / p) * (total > 0)


def cdist(x1: Array, x2: Array, p: float = 2.0, compute_mode: object = None) -> Array:
    """`torch.cdist`: distances between all pairs of rows."""
    return _length(x1.unsqueeze(-2) - x2.unsqueeze(-3), p)


def pdist(input: Array, p: float = 2.0) -> Array:
    """`torch.pdist`: distances between the rows of one matrix, each pair once."""
    first, second = torch.triu_indices(len(input), len(input), 1, device=input.device)
    return _length(input[first] - input[second], p)


def embedding_bag(
    input: Array,
    weight: Array,
    offsets: Array = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Array = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Array:
    """`torch.nn.functional.embedding_bag` for sums and means; the kernel for what is left."""
    if mode == "max" or max_norm is not None or scale_grad_by_freq or sparse:
        given = (max_norm, norm_type, scale_grad_by_freq, mode, sparse, per_sample_weights, include_last_offset)
        return torch.nn.functional.embedding_bag(input, weight, offsets, *given, padding_idx)
    rows = input.reshape(-1)
    if input.ndim == 2:
        bags, count = torch.arange(len(input), device=input.device).repeat_interleave(input.shape[1]), len(input)
    else:
        starts = offsets[:-1] if include_last_offset else offsets
        bags, count = (
            torch.searchsorted(starts, torch.arange(len(rows), device=input.device), right=True) - 1,
            len(starts),
        )
    kept = torch.ones_like(rows, dtype=weight.dtype)
    if padding_idx is not None:
        kept = (rows != padding_idx % len(weight)).to(weight.dtype)
    scale = kept if per_sample_weights is None else kept * per_sample_weights.reshape(-1)
    total = weight.new_zeros(count, weight.shape[1]).index_add(0, bags, weight[rows] * scale[:, None])
    if mode == "sum":
        return total
    return total / weight.new_zeros(count).index_add(0, bags, kept).clamp(min=1)[:, None]


def embedding(
    input: Any,
    weight: Any,
    padding_idx: Any = None,
    max_norm: Any = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """`torch.nn.functional.embedding`, whose slopes are dense."""
    given = (padding_idx, max_norm, norm_type, scale_grad_by_freq)
    return torch.nn.functional.embedding(input, weight, *given, sparse=False)


def _without_cudnn(function: Callable[..., Any]) -> Callable[..., Any]:
    """cuDNN's recurrent layers have no second derivative; torch's own have."""

    def run(*args: object, **kwargs: object) -> Any:
        with torch.backends.cudnn.flags(enabled=False):
            return function(*args, **kwargs)

    return run


@functools.cache
def formulas() -> dict[Any, Callable[..., Any]]:
    """By torch function, what stands for it: where `torch.` and `torch.nn.functional` have one each, both."""
    from torch.nn import functional

    recurrent = [getattr(torch._VF, name) for name in ("lstm", "gru", "rnn_tanh", "rnn_relu")]
    return {
        functional.batch_norm: batch_norm,
        torch.batch_norm: _kernel(batch_norm),
        functional.instance_norm: instance_norm,
        torch.instance_norm: _kernel(instance_norm),
        functional.layer_norm: layer_norm,
        torch.layer_norm: layer_norm,
        functional.group_norm: group_norm,
        torch.group_norm: group_norm,
        torch._weight_norm: weight_norm,
        functional.scaled_dot_product_attention: attention,
        functional.multi_head_attention_forward: multi_head_attention,
        functional.hardsigmoid: hardsigmoid,
        torch.cdist: cdist,
        torch.pdist: pdist,
        functional.embedding: embedding,
        functional.embedding_bag: embedding_bag,
        **{function: _without_cudnn(function) for function in recurrent},
    }
