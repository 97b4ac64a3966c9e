"""The catalogues that GANs are put together from, filled by the files of the room of the same name."""

from __future__ import annotations

from ..registry import Registry

metrics: Registry = Registry("metric")
features: Registry = Registry("set of features")
datasets: Registry = Registry("data set")
architectures: Registry = Registry("architecture")
systems: Registry = Registry("system of networks")
terms: Registry = Registry("term of a GAN")
