"""Training a GAN with any rule: the loop, checkpoints, logs, failure monitors, configs and several processes."""

from __future__ import annotations
