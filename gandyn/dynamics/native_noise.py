"""Noise in compiled code: the generator of `gandyn.noise.counter_based`, one member in each SIMD lane."""

from __future__ import annotations

from ..noise.counter_based import MANTISSA, ONE, PARITY, ROTATIONS, ROUNDS
from .program import STEP_COUNT, Program

GENERATOR = f"""
static _Thread_local const uint64_t *gd_keys; /* of all draws of the run */
static _Thread_local uint64_t gd_member;      /* the number of a block's first member */
static inline double gd_fraction(uint64_t word) {{
  double found;
  word = word >> {MANTISSA} | {ONE}ull;
  memcpy(&found, &word, 8);
  return found - 1.0;
}}
"""
# A cosine as a sine: compilers join sin(a) and cos(a) in one call that they do not vectorise.
PAIRS = {
    "gaussian": (
        "const double gr{k} = sqrt(-2.0 * log(1.0 - gu{k})), ga{k} = 6.283185307179586 * gv{k};",
        "const double {first} = gr{k} * sin(ga{k} + 1.5707963267948966), {second} = gr{k} * sin(ga{k});",
    ),
    "uniform": (
        "const double {first} = 1.7320508075688772 * (2.0 * gu{k} - 1.0);",
        "const double {second} = 1.7320508075688772 * (2.0 * gv{k} - 1.0);",
    ),
}


def once(program: Program) -> list[str]:
    """C code that runs once a step: the words of the keys of its draws."""
    lines = [f"const uint64_t *keys = gd_keys + (int64_t){STEP_COUNT} * {len(program.draws)};"] if program.draws else []
    for k in range(len(program.draws)):
        lines.append(f"const uint64_t key{k} = keys[{k}], parity{k} = key{k} ^ {PARITY}ull;")
    return [*lines, "const uint64_t base = gd_member;"] if lines else []


def lane(program: Program) -> list[str]:
    """C code for one member: every coordinate of every draw, in pairs."""
    pairs = [
        (draw, place // 2, [*names[place : place + 2], f"gspare{draw}"])
        for draw, names in enumerate(program.draws)
        for place in range(0, len(names), 2)
    ]
    return [line for k, (draw, place, names) in enumerate(pairs) for line in _pair(k, draw, place, names, program.law)]


def _pair(k: int, draw: int, place: int, names: list[str], law: str) -> list[str]:
    """Threefry with the key (key, 0) on the counter (member, place), and what the law makes of its two words.

    Its names begin with g: those of a program are i, t, v, n and o with a number.
    """
    keys = (f"key{draw}", "0", f"parity{draw}")
    lines = [f"uint64_t gx{k} = base + (uint64_t)j + {keys[0]}, gy{k} = {place};"]
    for r in range(ROUNDS):
        turn = ROTATIONS[r % len(ROTATIONS)]
        lines.append(f"gx{k} += gy{k}; gy{k} = (gy{k} << {turn} | gy{k} >> {64 - turn}) ^ gx{k};")
        if r % 4 == 3:
            times = r // 4 + 1
            lines.append(f"gx{k} += {keys[times % 3]}; gy{k} += {keys[(times + 1) % 3]} + {times}u;")
    lines.append(f"const double gu{k} = gd_fraction(gx{k}), gv{k} = gd_fraction(gy{k});")
    return [*lines, *(line.format(k=k, first=names[0], second=names[1]) for line in PAIRS[law])]
