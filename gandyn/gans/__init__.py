"""Real GANs as games: `GANGame`, data sets, architectures, features and metrics, each of them by name."""

from __future__ import annotations

from ..public_names import face

_HOMES = {
    "GANGame": "gan_game",
    "Token": "gan_game",
    "Ensemble": "ensemble",
    "EMA": "ema",
    "standing_statistics": "standing",
    "Mixture": "datasets.mixtures",
    "ModeReport": "datasets.mixtures",
    "Points": "datasets.points",
    "Shuffled": "datasets.points",
    "ring": "datasets.mixtures",
    "grid": "datasets.mixtures",
    "MLP": "architectures.mlp",
    "mlp_pair": "architectures.mlp",
    "PatchDiscriminator": "architectures.patch",
    "kernels": "latent_space",
    "interpolation": "latent_space",
    "arithmetic": "latent_space",
    "latents_of": "latent_space",
    "table_scores": "metrics.tables",
    "nash_memory": "stored_play",
    "dirac_memory": "stored_play",
    "NashMemory": "stored_play",
    "pyramid_samples": "architectures.laplacian",
    "Rotation": "rotation",
    "Pixel": "similarity",
    "Perceptual": "similarity",
    "KPlusOne": "semi_supervised",
    "SemiSupervised": "semi_supervised",
    "train": "training.start",
    "Run": "training.start",
    "Stepping": "training.options",
    "Watching": "training.options",
    "Saving": "training.options",
    "TrainingRun": "training.run",
    "SeededRuns": "training.seeded_runs",
    "Config": "training.config",
    "Sweep": "training.sweep",
    "DistributedGame": "training.distributed",
    "EarlyStopping": "training.early",
    "gap_metrics": "training.measures",
    "noise_metrics": "training.measures",
    "TensorBoard": "training.log",
    "Monitor": "monitor",
    "Finding": "monitor",
    "diagnose": "monitor",
}
_ROOMS = ("architectures", "datasets", "features", "metrics", "systems")

__all__ = [*_HOMES, *_ROOMS]
__getattr__, __dir__ = face(__name__, _HOMES, _ROOMS)
