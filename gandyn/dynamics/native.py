"""The map as fused C: members in SIMD lanes, many steps while a block of them stays in registers or first-level cache.

Steps run in windows from a checkpoint. The end of a window is inspected, w and the rule's state; if a member went wrong
inside it, or is near overflow, the window runs again from the checkpoint, step by step, and that member alone stops.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from ..symbolic.backends import C
from . import native_noise
from .compile import load, on_disk
from .kernels import Kernel
from .program import Program

WINDOW = 1024  # a window runs again at most once, so that a long one costs divergent ensembles little
ROW_BYTES, ROWS = 1 << 15, 8  # of a group of blocks in one row, and rows written before the next block's turn
CALLS = frozenset(
    {"exp", "log", "sin", "cos", "tan", "tanh", "sinh", "cosh", "atan", "erf", "pow", "sigmoid", "softplus"}
)

MATHEMATICS = r"""
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#ifdef GD_STRICT
#include <math.h>
#define gd_exp exp
#else
#include <float.h>
#define INFINITY __builtin_inf()
#define NAN __builtin_nan("")
#ifndef GD_NO_LIBMVEC
#define GD_LIBRARY(f) _Pragma("omp declare simd notinbranch") double f(double);
_Pragma("omp declare simd notinbranch") double pow(double, double);
#else
#define GD_LIBRARY(f) double f(double);
double pow(double, double);
#endif
GD_LIBRARY(log) GD_LIBRARY(log1p) GD_LIBRARY(sin) GD_LIBRARY(cos) GD_LIBRARY(tan) GD_LIBRARY(tanh)
GD_LIBRARY(sinh) GD_LIBRARY(cosh) GD_LIBRARY(atan) GD_LIBRARY(erf)
double sqrt(double); double fabs(double);
/* exp(x) = 2^k exp(r), |r| <= log(2)/2, with a polynomial of degree 11 (relative error 2e-17) and 2^k in two factors,
   so that overflow gives infinity, underflow zero, and a NaN stays one. It vectorises without a library. The limits
   are variables because gcc would turn branches on constants into several copies of the whole function. */
double gd_exp_top = 710.0, gd_exp_bottom = -746.0;
static inline double gd_exp(double x) {
  const double big = 6755399441055744.0; /* 1.5 * 2^52: adding it rounds to an integer */
  x = x > gd_exp_top ? gd_exp_top : x;
  x = x < gd_exp_bottom ? gd_exp_bottom : x;
  const double k = (x * 1.4426950408889634 + big) - big;
  double r = x - k * 0.6931471803691238;
  r = r - k * 1.9082149292705877e-10;
  const double r2 = r * r, r4 = r2 * r2;
  const double p0 = (1.0 + r) + r2 * (0.5000000000000001 + r * 0.16666666666666669);
  const double p4 = (0.04166666666662413 + r * 0.008333333333330062)
                    + r2 * (0.0013888888917213717 + r * 0.00019841269863053618);
  const double p8 = (2.4801521295954376e-05 + r * 2.7557268459997064e-06)
                    + r2 * (2.7620088445409746e-07 + r * 2.510038549551032e-08);
  const double p = p0 + r4 * (p4 + r4 * p8);
  const double half = (k * 0.5 + big) - big;
  const double low = half + (big + 1023.0), high = (k - half) + (big + 1023.0);
  uint64_t a, b;
  memcpy(&a, &low, 8); memcpy(&b, &high, 8);
  a <<= 52; b <<= 52;
  double s, t;
  memcpy(&s, &a, 8); memcpy(&t, &b, 8);
  return p * s * t;
}
#endif
static inline double gd_sigmoid(double x) { return 1.0 / (1.0 + gd_exp(-x)); }
static inline double gd_max(double a, double b) { const double m = a < b ? b : a; return b != b ? b : m; }
static inline double gd_min(double a, double b) { const double m = b < a ? b : a; return b != b ? b : m; }
static inline double gd_softplus(double x) { return gd_max(x, 0.0) + log1p(gd_exp(-fabs(x))); }
static inline double gd_sign(double x) { return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : x; }
#if defined(__AVX512F__)
#define GD_REGISTERS 128
#define GD_VECTOR 8
#elif defined(__AVX__)
#define GD_REGISTERS 48
#define GD_VECTOR 4
#else
#define GD_REGISTERS 24
#define GD_VECTOR 2
#endif
"""

DRIVER = r"""
/* The first `width` numbers of each lane as a row of its member. */
static inline void gd_write(const double *restrict lanes, double *restrict row, int64_t members, int width) {
  if (members == GD_L) /* a loop of known length */
    for (int j = 0; j < GD_L; j++)
      for (int k = 0; k < width; k++) row[j * width + k] = lanes[k * GD_L + j];
  else
    for (int j = 0; j < members; j++)
      for (int k = 0; k < width; k++) row[j * width + k] = lanes[k * GD_L + j];
}

/* Whether all numbers of all living lanes are within the limit. */
static int gd_within(const double *restrict z, const int64_t *restrict alive, double limit) {
  int64_t bad = 0;
  for (int k = 0; k < GD_D; k++) {
    #pragma omp simd reduction(|:bad)
    for (int j = 0; j < GD_L; j++) bad |= (fabs(z[k * GD_L + j]) <= limit ? 0 : alive[j]);
  }
  return !bad;
}

/* One window: fast, then inspected; again step by step if a living lane is no longer trusted. With `row`, the points of
   each step go there; a block that is not full or has lost a lane is then taken step by step from the beginning. */
static void gd_window(double *restrict z, double *restrict c, int64_t steps, double bound, double ceiling,
                      double trusted, int64_t *restrict alive, int64_t *restrict done, double *restrict row,
                      int64_t row_length, int64_t members) {
  double keep[GD_D * GD_L], counters[GD_C + 1];
  int64_t dead = 0;
  for (int j = 0; j < GD_L; j++) dead |= !alive[j];
  if (GD_ABSORBING && trusted > 0 && !(row && dead) && gd_within(z, alive, trusted)) {
    memcpy(keep, z, sizeof keep);
    memcpy(counters, c, GD_C * sizeof(double));
    if (row) gd_rows(z, c, steps, row, row_length);
    else gd_steps(z, c, steps);
    if (gd_within(z, alive, trusted)) {
      for (int j = 0; j < GD_L; j++) done[j] += steps * alive[j];
      if (dead)
        for (int k = 0; k < GD_D; k++)
          for (int j = 0; j < GD_L; j++) z[k * GD_L + j] = alive[j] ? z[k * GD_L + j] : keep[k * GD_L + j];
      return;
    }
    memcpy(z, keep, sizeof keep);
    memcpy(c, counters, GD_C * sizeof(double));
  }
  if (!row) gd_exact(z, c, steps, bound, ceiling, alive, done);
  for (int64_t t = 0; row && t < steps; t++) {
    gd_exact(z, c, 1, bound, ceiling, alive, done);
    gd_write(z, row + t * row_length, members, GD_W);
  }
}

/* A block of members into lanes; one that is not full repeats its last member, and nobody is alive there. */
static void gd_load(const double *restrict z, const uint8_t *restrict alive, double *restrict lanes,
                    int64_t *restrict living, int64_t *restrict counted, int64_t own) {
  memset(counted, 0, GD_L * sizeof(int64_t));
  for (int j = 0; own == GD_L && j < GD_L; j++) { /* a loop of known length */
    living[j] = alive[j];
    for (int k = 0; k < GD_D; k++) lanes[k * GD_L + j] = z[j * GD_D + k];
  }
  for (int j = 0; own < GD_L && j < GD_L; j++) {
    living[j] = j < own ? alive[j] : 0;
    for (int k = 0; k < GD_D; k++) lanes[k * GD_L + j] = z[(j < own ? j : own - 1) * GD_D + k];
  }
}

/* n members from z (n x D, in place). Rows of w go to `rows`, `row_length` doubles apart, one every `stride` steps of
   which `phase` have passed, the members' own chunk contiguous. A group of blocks moves together, so that each
   chunk is long. */
int gd_run(double *restrict z, int64_t n, int64_t steps, double *counters, uint8_t *restrict alive,
           int64_t *restrict done, double bound, double ceiling, double trusted, double *restrict rows,
           int64_t row_length, int64_t stride, int64_t phase, const uint64_t *keys, int64_t member) {
  gd_keys = keys;
  const int64_t group = rows ? (GD_ROW_BYTES / (8 * GD_W * GD_L) > 0 ? GD_ROW_BYTES / (8 * GD_W * GD_L) : 1) : 1;
  double *block = malloc(group * GD_D * GD_L * sizeof(double));
  int64_t *living = malloc(2 * group * GD_L * sizeof(int64_t)), *counted = living + group * GD_L;
  double start[GD_C + 1], c[GD_C + 1];
  if (!block || !living) { free(block); free(living); return 1; }
  memcpy(start, counters, GD_C * sizeof(double));
  for (int64_t first = 0; first < n; first += group * GD_L) {
    const int64_t members = n - first < group * GD_L ? n - first : group * GD_L;
    const int64_t blocks = (members + GD_L - 1) / GD_L;
    for (int64_t b = 0; b < blocks; b++) {
      const int64_t at = b * GD_L, own = members - at < GD_L ? members - at : GD_L;
      gd_load(z + (first + at) * GD_D, alive + first + at, block + at * GD_D, living + at, counted + at, own);
    }
    memcpy(counters, start, GD_C * sizeof(double));
    double *row = rows + first * GD_W;
    for (int64_t t = 0, since = phase; t < steps;) {
      const int each = rows && stride == 1;
      const int64_t most = each ? GD_ROWS : stride - since, stretch = steps - t < most ? steps - t : most;
      const int due = rows && !each && since + stretch == stride;
      int64_t ran = 0;
      for (int64_t b = 0; b < blocks; b++) {
        int64_t any = 0;
        for (int j = 0; j < GD_L; j++) any |= living[b * GD_L + j];
        if (any) memcpy(c, counters, GD_C * sizeof(double));
        ran |= any;
        const int64_t own = members - b * GD_L < GD_L ? members - b * GD_L : GD_L;
        double *place = row + b * GD_L * GD_W, *lanes = block + b * GD_D * GD_L;
        gd_member = member + first + b * GD_L;
        for (int64_t s = 0; any && s < stretch; s += GD_WINDOW)
          gd_window(lanes, c, stretch - s < GD_WINDOW ? stretch - s : GD_WINDOW, bound, ceiling, trusted,
                    living + b * GD_L, counted + b * GD_L, each ? place : 0, row_length, own);
        if (due) gd_write(lanes, place, own, GD_W);
        for (int64_t s = 0; each && !any && s < stretch; s++) gd_write(lanes, place + s * row_length, own, GD_W);
      }
      if (ran) memcpy(counters, c, GD_C * sizeof(double));
      else gd_count(counters, stretch);
      t += stretch;
      since = (since + stretch) % stride;
      row += each ? stretch * row_length : due ? row_length : 0;
    }
    for (int64_t b = 0; b < blocks; b++) {
      const int64_t at = b * GD_L, own = members - at < GD_L ? members - at : GD_L;
      gd_write(block + at * GD_D, z + (first + at) * GD_D, own, GD_D);
      for (int64_t i = at; i < at + own; i++) {
        alive[first + i] = (uint8_t)living[i];
        done[first + i] += counted[i];
      }
    }
  }
  free(block); free(living);
  return 0;
}
"""


class CKernel(Kernel):
    """Compiled code. Python threads share the members out (the library holds no lock), so a fork stays safe."""

    backend = "c"
    threaded = True
    price = 5e-10

    def __init__(self, title: str, program: Program, strict: bool = False) -> None:
        super().__init__(title, program)
        self.strict = strict
        named, self.constants = program.with_constants()
        self.source = c_source(named)
        self._run = load(self.source, strict).gd_run
        pointer, whole = ctypes.c_void_p, ctypes.c_int64
        self._run.argtypes = [
            pointer,
            whole,
            whole,
            pointer,
            pointer,
            pointer,
            *[ctypes.c_double] * 3,
            pointer,
            whole,
            whole,
            whole,
            pointer,
            whole,
        ]

    @classmethod
    def ready(cls, program: Program) -> bool:
        """Whether the library of a program is on disk."""
        return on_disk(c_source(program.with_constants()[0]))

    def _advance(self, chunk: Any) -> None:
        """One chunk of steps for all members, on the threads of the run."""
        size, width, n = self.program.size, self.program.dim, len(chunk.z)
        counts = np.array([*chunk.counters, *self.constants], dtype=float)

        def part(first: int, last: int) -> np.ndarray:
            counters = counts.copy()
            rows = None if chunk.rows is None else chunk.rows.ctypes.data + 8 * first * width
            failed = self._run(
                chunk.z.ctypes.data + 8 * first * size, last - first, chunk.steps, counters.ctypes.data,
                chunk.alive.ctypes.data + first, chunk.done.ctypes.data + 8 * first, chunk.limit,
                chunk.ceiling, chunk.trusted, rows, n * width, chunk.stride, chunk.phase,
                None if chunk.keys is None else chunk.keys.ctypes.data, first,
            )  # fmt: skip
            if failed:
                raise MemoryError("no memory for the kernel's blocks")
            return counters

        chunk.counters[:] = chunk.share(part).tolist()[: len(chunk.counters)]


def c_source(program: Program) -> str:
    """One C file for the map."""
    uniform = C.lines(program.line(program.uniform))
    body = C.lines(program.line(program.varying))
    results = [C.operand(o) for o in program.outputs]
    size, counters = program.size, len(program.counters)
    read_counters = [f"const double {name} = c[{k}];" for k, name in enumerate(program.counters)]
    next_counters = [f"const double n{k} = {C.operand(o)};" for k, o in enumerate(program.counter_outputs)]
    next_counters += [f"c[{k}] = n{k};" for k in range(counters)]
    once = [*read_counters, *uniform, *native_noise.once(program)]
    write = ["for (int j = 0; j < GD_L; j++)", "  for (int k = 0; k < GD_W; k++) row[j * GD_W + k] = s[k * GD_L + j];"]
    write.append("row += row_length;")
    load_lane = [f"const double {name} = s[{k} * GD_L + j];" for k, name in enumerate(program.inputs)]
    load_lane += native_noise.lane(program)
    store_lane = [f"s[{k} * GD_L + j] = {value};" for k, value in enumerate(results)]
    names = [f"const double o{k} = {value};" for k, value in enumerate(results)]
    limits = ["bound" if k < program.dim else "ceiling" for k in range(size)]
    good = " & ".join(["(alive[j] != 0)", *(f"(fabs(o{k}) <= {limit})" for k, limit in enumerate(limits))])
    keep = [f"s[{k} * GD_L + j] = good ? o{k} : {name};" for k, name in enumerate(program.inputs)]
    exact = [*names, f"const int good = {good};", *keep, "alive[j] = good;", "done[j] += good;"]
    return "\n".join([
        MATHEMATICS,
        native_noise.GENERATOR,
        f"#define GD_D {size}\n#define GD_W {program.dim}\n#define GD_C {counters}\n#define GD_WINDOW {WINDOW}",
        f"#define GD_ABSORBING {int(program.absorbing)}\n#define GD_ROW_BYTES {ROW_BYTES}\n#define GD_ROWS {ROWS}",
        _lanes(program),
        _function("gd_steps", "", once, [*load_lane, *body, *store_lane], next_counters),
        _function("gd_rows", ", double *restrict row, int64_t row_length", once, [*load_lane, *body, *store_lane],
                  [*next_counters, *write]),
        _function("gd_exact", ", double bound, double ceiling, int64_t *restrict alive, int64_t *restrict done",
                  once, [*load_lane, *body, *exact], next_counters),
        "static void gd_count(double *restrict c, int64_t steps) {\n  for (int64_t step = 0; step < steps; step++) {",
        *(f"    {line}" for line in (*once, *next_counters)),
        "  }\n}",
        DRIVER,
    ])  # fmt: skip


def _lanes(program: Program) -> str:
    """How many members a block holds: as many as stay in registers where nothing but arithmetic is done, else 64."""
    if any(line.op in CALLS for line in program.varying) or program.size > 6 or program.draws:
        return "#define GD_L 64"
    return (
        f"#define GD_FIT (GD_REGISTERS / {program.size} / GD_VECTOR * GD_VECTOR)\n"
        "#define GD_L (GD_FIT < 2 * GD_VECTOR ? 2 * GD_VECTOR : GD_FIT)"
    )


def _function(name: str, extra: str, once: list[str], lane: list[str], after: list[str]) -> str:
    return "\n".join([
        f"static void {name}(double *restrict z, double *restrict c, int64_t steps{extra}) {{",
        "  double s[GD_D * GD_L];",
        "  memcpy(s, z, sizeof s);",
        "  for (int64_t step = 0; step < steps; step++) {",
        *(f"    {line}" for line in once),
        "    #pragma omp simd",
        "    for (int j = 0; j < GD_L; j++) {",
        *(f"      {line}" for line in lane),
        "    }",
        *(f"    {line}" for line in after),
        "  }",
        "  memcpy(z, s, sizeof s);",
        "}",
    ])  # fmt: skip
