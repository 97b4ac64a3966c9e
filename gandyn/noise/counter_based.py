"""Random numbers that are a function of (key, member, place): the same for any number of threads and any order.

Threefry-2x64 with 13 rounds (Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"):
additions, rotations and exclusive ors of 64-bit words. Generated code does the same on the members of an ensemble, so
that a compiled run and a run step by step see the same noise, to rounding.
"""

from __future__ import annotations

import numpy as np

ROTATIONS = (16, 42, 12, 31, 16, 32, 24, 21)
ROUNDS = 13
PARITY = 0x1BD11BDAA9FC1A22
ONE, MANTISSA = 0x3FF0000000000000, 12  # 1.0 as bits, and the bits of a word beyond those of a fraction


def words(key: tuple[object, object], counter: tuple[object, object], rounds: int = ROUNDS) -> tuple[np.ndarray, ...]:
    """Two 64-bit words for each key and counter, themselves pairs of words or of arrays of words."""
    k0, k1, x0, x1 = (np.asarray(part, dtype=np.uint64) for part in (*key, *counter))
    keys = (k0, k1, k0 ^ k1 ^ np.uint64(PARITY))
    with np.errstate(over="ignore"):
        x0, x1 = x0 + k0, x1 + k1
        for r in range(rounds):
            turn = ROTATIONS[r % len(ROTATIONS)]
            x0 = x0 + x1
            x1 = (x1 << np.uint64(turn) | x1 >> np.uint64(64 - turn)) ^ x0
            if r % 4 == 3:
                j = r // 4 + 1
                x0, x1 = x0 + keys[j % 3], x1 + keys[(j + 1) % 3] + np.uint64(j)
    return x0, x1


def fractions(word: np.ndarray) -> np.ndarray:
    """Uniform in [0, 1), multiples of 2^-52: the upper bits of a word as those of a number in [1, 2), less 1."""
    found: np.ndarray = ((word >> np.uint64(MANTISSA)) | np.uint64(ONE)).view(np.float64) - 1.0
    return found


def standard(law: str, key: int, shape: tuple[int, ...], size: int) -> np.ndarray:
    """Independent numbers of mean 0 and variance 1, shape (*shape, size): a vector for each member of an ensemble.

    Args:
        law: "gaussian" (Box & Muller's pairs), or "uniform" on (-sqrt 3, sqrt 3). key: of the draw, 64 bits.
        shape: of the ensemble, whose members are numbered in order. size: of each vector.
    """
    members = np.arange(int(np.prod(shape)), dtype=np.uint64)[:, None]
    first, second = (fractions(w) for w in words((key, 0), (members, np.arange((size + 1) // 2, dtype=np.uint64))))
    if law == "gaussian":
        radius, angle = np.sqrt(-2 * np.log(1 - first)), 2 * np.pi * second
        first, second = radius * np.cos(angle), radius * np.sin(angle)
    else:
        first, second = np.sqrt(3) * (2 * first - 1), np.sqrt(3) * (2 * second - 1)
    pairs = np.stack([first, second], axis=-1).reshape(len(members), -1)
    return pairs[:, :size].reshape(*shape, size)
