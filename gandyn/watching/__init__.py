"""Watching anyone's training loop: `gd.watch`, measurements that leave no trace, verdicts and a report."""

from .loop_watch import Watch, watch

__all__ = ["Watch", "watch"]
