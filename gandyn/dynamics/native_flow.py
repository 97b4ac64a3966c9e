"""The flow of a symbolic game as fused C: Dormand and Prince's method of order 8, each member with steps of its own.

Members sit in SIMD lanes; a lane whose member has arrived takes the next one. Tableau, error estimate, step control
and dense output are those of SciPy's DOP853 (Hairer, Norsett & Wanner 1993, section II.10), whose coefficients it uses.
"""

from __future__ import annotations

import concurrent.futures
import ctypes

import numpy as np

from ..lazy import sympy
from ..symbolic.backends import C
from ..symbolic.lowering import StraightLine, lower
from ..symbolic.members import members_in
from ..types import Array, Game
from .compile import load
from .kernels import GRAIN, available_threads
from .native import MATHEMATICS
from .stacked import PACE, Ending, Integration, Limits

LANES = 16
LISTEN = 0.1  # seconds between looks at the clock

DRIVER = r"""
#define FOR_LANES _Pragma("omp simd") for (int j = 0; j < GD_L; j++)
typedef double lane[GD_L];

/* First step: Hairer's estimate from the size of the field and its change along an Euler step. */
static void gd_first_step(lane *restrict y, lane *restrict f, lane h, double span, double rtol, double atol) {
  lane p[GD_W], g[GD_W], d0, d1, h0;
  FOR_LANES {
    double a = 0.0, b = 0.0;
    for (int k = 0; k < GD_N; k++) {
      const double scale = atol + fabs(y[k][j]) * rtol;
      a += (y[k][j] / scale) * (y[k][j] / scale);
      b += (f[k][j] / scale) * (f[k][j] / scale);
    }
    a = sqrt(a / GD_N); b = sqrt(b / GD_N);
    d1[j] = b;
    const double guess = (a < 1e-5) | (b < 1e-5) ? 1e-6 : 0.01 * a / b;
    h0[j] = guess < span ? guess : span;
    for (int k = 0; k < GD_W; k++) p[k][j] = y[k][j] + h0[j] * f[k][j];
  }
  gd_field(p, g);
  for (int j = 0; j < GD_L; j++) {
    double c = 0.0;
    for (int k = 0; k < GD_N; k++) {
      const double scale = atol + fabs(y[k][j]) * rtol, change = (g[k][j] - f[k][j]) / scale;
      c += change * change;
    }
    c = sqrt(c / GD_N) / h0[j];
    const double largest = d1[j] > c ? d1[j] : c;
    const double small = h0[j] * 1e-3 > 1e-6 ? h0[j] * 1e-3 : 1e-6;
    double h1 = (d1[j] <= 1e-15) & (c <= 1e-15) ? small : pow(0.01 / largest, 0.125);
    h1 = 100.0 * h0[j] < h1 ? 100.0 * h0[j] : h1;
    h[j] = h1 < span ? h1 : span;
  }
}

/* n members from y0 (n x d); rows (count x N x d, the members' own part) at the given times. */
int gd_flow(const double *restrict y0, int64_t n, const double *restrict times, int64_t count, double rtol,
            double atol, double bound, double *restrict rows, int64_t row_length, double *restrict ends,
            int64_t *restrict steps, int64_t *restrict evaluations, int32_t *restrict endings, double most_steps,
            volatile int32_t *stop) {
  lane y[GD_W], p[GD_W], new_y[GD_W], new_f[GD_W], t, h, hs, error, k[GD_STAGES][GD_W];
  int64_t member[GD_L], row[GD_L], taken[GD_L], spent[GD_L], rejected[GD_L], fresh[GD_L], tries[GD_L];
  double mark[GD_L];
  int64_t next = 0, busy = 0;
  const double end = times[count - 1], span = end - times[0];
  for (int j = 0; j < GD_L; j++) {
    member[j] = -1; t[j] = times[0]; h[j] = span; rejected[j] = 0; fresh[j] = 0;
    for (int i = 0; i < GD_W; i++) y[i][j] = y0[i];
  }
  for (int s = 0; s < GD_STAGES; s++) for (int i = 0; i < GD_W; i++) for (int j = 0; j < GD_L; j++) k[s][i][j] = 0.0;
  for (;;) {
    int arrivals = 0;
    for (int j = 0; j < GD_L; j++)
      if (member[j] < 0 && next < n) {
        member[j] = next++; busy++; arrivals = 1; fresh[j] = 1;
        t[j] = mark[j] = times[0]; row[j] = 1; taken[j] = 0; spent[j] = 2; rejected[j] = 0; tries[j] = 0;
        for (int i = 0; i < GD_W; i++) y[i][j] = y0[member[j] * GD_W + i];
      }
    if (!busy) break;
    if (*stop) { /* those under way end where they are, the others at their start */
      for (int j = 0; j < GD_L; j++)
        if (member[j] >= 0) {
          for (; row[j] < count; row[j]++)
            for (int i = 0; i < GD_W; i++) rows[row[j] * row_length + member[j] * GD_W + i] = y[i][j];
          ends[member[j]] = t[j]; steps[member[j]] = taken[j]; evaluations[member[j]] = spent[j];
          endings[member[j]] = GD_STOPPED;
        }
      for (; next < n; next++) {
        for (int64_t r = 1; r < count; r++)
          for (int i = 0; i < GD_W; i++) rows[r * row_length + next * GD_W + i] = y0[next * GD_W + i];
        ends[next] = times[0]; steps[next] = 0; evaluations[next] = 0; endings[next] = GD_STOPPED;
      }
      break;
    }
    if (arrivals) {
      lane first, f[GD_W];
      gd_field(y, f);
      gd_first_step(y, f, first, span, rtol, atol);
      for (int j = 0; j < GD_L; j++)
        if (fresh[j]) {
          h[j] = first[j]; fresh[j] = 0;
          for (int i = 0; i < GD_W; i++) k[0][i][j] = f[i][j];
        }
    }
    FOR_LANES hs[j] = t[j] + h[j] > end ? end - t[j] : h[j];
    gd_stages(y, p, new_y, new_f, hs, k);
    FOR_LANES {
      double fifth = 0.0, third = 0.0;
      for (int i = 0; i < GD_N; i++) {
        const double a = fabs(y[i][j]), b = fabs(new_y[i][j]), scale = atol + (a > b ? a : b) * rtol;
        const double e5 = gd_e5(k, i, j) / scale, e3 = gd_e3(k, i, j) / scale;
        fifth += e5 * e5; third += e3 * e3;
      }
      const double total = fifth + 0.01 * third;
      error[j] = total == 0.0 ? 0.0 : fabs(hs[j]) * fifth / sqrt(total * GD_N);
    }
    int dense = 0;
    for (int j = 0; j < GD_L; j++)
      if (member[j] >= 0 && error[j] < 1.0) {
        const double reached = hs[j] == end - t[j] ? end : t[j] + hs[j];
        dense |= row[j] < count && times[row[j]] < reached;
      }
    if (dense) gd_extra(y, p, hs, k);
    for (int j = 0; j < GD_L; j++) {
      if (member[j] < 0) continue;
      int lost = 0; /* how it ended, if it did */
      spent[j] += 12;
      const double factor = error[j] == 0.0 ? 10.0 : 0.9 / sqrt(sqrt(sqrt(error[j])));
      if (error[j] < 1.0) {
        for (int i = 0; i < GD_N; i++) lost |= !(fabs(new_y[i][j]) <= bound) ? GD_BEYOND : 0;
      }
      if (error[j] < 1.0 && !lost) {
        const double before = t[j], reached = hs[j] == end - t[j] ? end : t[j] + hs[j];
        while (row[j] < count && times[row[j]] <= reached) {
          double *point = rows + row[j] * row_length + member[j] * GD_W;
          for (int i = 0; i < GD_W; i++)
            point[i] = times[row[j]] == reached ? new_y[i][j]
                       : gd_between(y, new_y, new_f, k, hs[j], (times[row[j]] - before) / hs[j], i, j);
          row[j]++;
        }
        for (int i = 0; i < GD_W; i++) { y[i][j] = new_y[i][j]; k[0][i][j] = new_f[i][j]; }
        t[j] = reached; taken[j]++;
        double grow = factor < 10.0 ? factor : 10.0;
        if (rejected[j] && grow > 1.0) grow = 1.0;
        h[j] = hs[j] * grow; rejected[j] = 0;
        spent[j] += dense ? 3 : 0;
      } else if (!lost) {
        h[j] = hs[j] * (factor > 0.2 ? factor : 0.2);
        rejected[j] = 1;
        const double size = fabs(t[j]) > 1e-300 ? fabs(t[j]) : 1e-300;
        lost = h[j] < 10.0 * 2.220446049250313e-16 * size ? GD_UNDERFLOW : 0;
      }
      if (++tries[j] >= GD_PACE && !lost) {
        lost = (end - t[j]) * tries[j] > most_steps * (t[j] - mark[j]) ? GD_SLOW : 0;
        tries[j] = 0; mark[j] = t[j];
      }
      if (lost || t[j] >= end) {
        for (; row[j] < count; row[j]++)
          for (int i = 0; i < GD_W; i++) rows[row[j] * row_length + member[j] * GD_W + i] = y[i][j];
        ends[member[j]] = lost ? t[j] : end;
        steps[member[j]] = taken[j];
        evaluations[member[j]] = spent[j];
        endings[member[j]] = lost;
        member[j] = -1; busy--;
        h[j] = 0.0;
      }
    }
  }
  return 0;
}
"""


class NativeFlow:
    """The compiled flow dw/dt = -v(w) of one symbolic game.

    Parameters of which each member has its own are further coordinates that stand still, outside all norms.
    """

    def __init__(self, game: Game) -> None:
        members = members_in(game)
        code = lower([*game.symbols, *members], [*(-e for e in game.field_exprs), *[sympy.Integer(0)] * len(members)])
        self.dim = game.dim
        self.operations = len(code.instructions)
        self.source = flow_source(code, game.dim)
        self._flow = load(self.source).gd_flow
        pointer, whole, real = ctypes.c_void_p, ctypes.c_int64, ctypes.c_double
        self._flow.argtypes = [
            pointer, whole, pointer, whole, real, real, real, pointer, whole, pointer, pointer, pointer, pointer, real,
            pointer,
        ]  # fmt: skip

    def integrate(
        self, start: np.ndarray, times: np.ndarray, limits: Limits, bound: float, threads: int | None = None
    ) -> Integration:
        """Points of all members at all times; `start` has shape (N, d). Ctrl-C and `limits.stop` end all threads."""
        n, d = start.shape
        start, times = np.ascontiguousarray(start, dtype=float), np.ascontiguousarray(times, dtype=float)
        rows = np.empty((len(times), n, d))
        rows[0] = start
        ends, steps, evaluations = np.empty(n), np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
        result = Integration(rows, ends, steps, 0, np.zeros(n, dtype=np.int32))
        stop = ctypes.c_int32(0)
        workers = available_threads() if threads is None else threads
        piece = max(LANES, min(GRAIN, -(-n // workers)))

        def part(first: int) -> None:
            self._flow(
                start.ctypes.data + 8 * first * d, min(piece, n - first), times.ctypes.data, len(times), limits.rtol,
                limits.atol, bound, rows.ctypes.data + 8 * first * d, n * d, ends.ctypes.data + 8 * first,
                steps.ctypes.data + 8 * first, evaluations.ctypes.data + 8 * first,
                result.endings.ctypes.data + 4 * first, limits.most_steps, ctypes.addressof(stop),
            )  # fmt: skip

        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            waiting = {pool.submit(part, first) for first in range(0, n, piece)}
            while waiting:
                try:
                    waiting = concurrent.futures.wait(waiting, timeout=LISTEN).not_done
                    stop.value |= limits.stop()
                except KeyboardInterrupt:
                    stop.value, result.interrupted = 1, True
        result.evaluations = int(evaluations.max(initial=0))
        return result


def flow_source(code: StraightLine, dim: int) -> str:
    """One C file for the flow."""
    from scipy.integrate import DOP853

    inputs = [f"const double {name} = y[{k}][j];" for k, name in enumerate(code.inputs)]
    outputs = [f"out[{k}][j] = {C.operand(value)};" for k, value in enumerate(code.outputs)]
    lane = "\n".join(f"    {line}" for line in [*inputs, *C.lines(code), *outputs])
    stages = [_stage(s, DOP853.A[s, :s], "h", f"k[{s}]") for s in range(1, 12)]
    stages.append(_stage(12, DOP853.B, "h", "new_f", "new_y"))
    stages.append(
        "  for (int i = 0; i < GD_W; i++)\n    #pragma omp simd\n    for (int j = 0; j < GD_L; j++)"
        " k[12][i][j] = new_f[i][j];"
    )
    extra = [_stage(13 + s, weights[: 13 + s], "h", f"k[{13 + s}]") for s, weights in enumerate(DOP853.A_EXTRA)]
    return "\n".join([
        MATHEMATICS,
        f"#define GD_W {len(code.inputs)}\n#define GD_N {dim}",
        f"#define GD_L {LANES}\n#define GD_STAGES 16\n#define GD_PACE {PACE}",
        *(f"#define GD_{ending.name} {ending.value}" for ending in Ending),
        "static void gd_field(double (*restrict y)[GD_L], double (*restrict out)[GD_L]) {",
        "  #pragma omp simd\n  for (int j = 0; j < GD_L; j++) {",
        lane,
        "  }\n}",
        "#define LANES_OF(x) double (*restrict x)[GD_L]",
        "static void gd_stages(LANES_OF(y), LANES_OF(p), LANES_OF(new_y), LANES_OF(new_f), double *restrict h,",
        "                      double (*restrict k)[GD_W][GD_L]) {",
        *stages,
        "}",
        "static void gd_extra(LANES_OF(y), LANES_OF(p), double *restrict h, double (*restrict k)[GD_W][GD_L]) {",
        *extra,
        "}",
        _combination("gd_e5", DOP853.E5[:12]),
        _combination("gd_e3", DOP853.E3[:12]),
        *(_combination(f"gd_d{r}", weights) for r, weights in enumerate(DOP853.D)),
        BETWEEN,
        DRIVER,
    ])  # fmt: skip


BETWEEN = """
/* Coordinate i at the fraction x of the step: Hairer's dense output of order 7. */
static double gd_between(LANES_OF(y), LANES_OF(new_y), LANES_OF(new_f), double (*restrict k)[GD_W][GD_L], double h,
                         double x, int i, int j) {
  const double change = new_y[i][j] - y[i][j], u = 1.0 - x, f = h * k[0][i][j], g = h * new_f[i][j];
  const double tail = gd_d0(k, i, j) + x * (gd_d1(k, i, j) + u * (gd_d2(k, i, j) + x * gd_d3(k, i, j)));
  return y[i][j] + x * (change + u * (f - change + x * (2.0 * change - g - f + u * h * tail)));
}
"""


def _stage(number: int, weights: Array, h: str, target: str, point: str = "p") -> str:
    """A point from the stages so far, and the field there."""
    total = " + ".join(f"({float(w)!r}) * k[{s}][i][j]" for s, w in enumerate(weights) if w)
    return (
        f"  /* stage {number} */\n  for (int i = 0; i < GD_W; i++)\n    #pragma omp simd\n"
        f"    for (int j = 0; j < GD_L; j++) {point}[i][j] = y[i][j] + {h}[j] * ({total});\n"
        f"  gd_field({point}, {target});"
    )


def _combination(name: str, weights: Array) -> str:
    total = " + ".join(f"({float(w)!r}) * k[{s}][i][j]" for s, w in enumerate(weights) if w)
    return f"static inline double {name}(double (*restrict k)[GD_W][GD_L], int i, int j) {{\n  return {total};\n}}"
