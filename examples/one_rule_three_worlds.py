"""One rule object on symbols, on a NumPy ensemble and on torch vectors: the same numbers, and a theorem."""

import numpy as np
import torch

import gandyn as gd

game = gd.games.dirac_gan(loss="wasserstein")
rule = gd.rules.Extragradient(0.3)
start = np.array([[1.0, 0.0], [0.5, -2.0]])

print("on symbols, the update map and its exact spectral radius:")
print(gd.update_map(game, rule))
print("spectral radius", gd.linearize(game, rule).exact.spectral_radius)

numbers = gd.iterate(game, rule, start, 20).w
tensors = gd.iterate(game, rule, torch.tensor(start), 20).w
print("on NumPy and torch, after 20 steps from two starts:")
print(numbers[-1])
print("largest difference between the two:", float(np.abs(numbers - tensors.numpy()).max()))
