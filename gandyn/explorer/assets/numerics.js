// Numbers without a page: runs, Jacobians, eigenvalues, zeros, contours. Functions come from the traced maps.
const EPSILON = 2 ** -52;
const FAR = 1e8; // a run that is beyond this has left
const QUIET = new Array(64).fill(0); // what noise adds to a field where there is none

/** Independent standard normal numbers, the same for the same seed: mulberry32, then Box and Muller's transform. */
function normals(seed, count) {
  let state = seed | 0;
  const uniform = () => {
    state = state + 0x6D2B79F5 | 0;
    let t = Math.imul(state ^ state >>> 15, 1 | state);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 2 ** 32;
  };
  return Array.from({length: count}, () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()));
}

/** Noise for a run of so many steps, one draw a step, shared by all that the rule evaluates in it; null without noise. */
function noiseOf(deviation, seed, count, dim) {
  if (!deviation) return null;
  const all = normals(Math.imul(seed + 1, 0x9E3779B1), count * dim);
  return Array.from({length: count}, (_, t) => all.slice(t * dim, (t + 1) * dim).map((x) => deviation * x));
}

/** Points w_0, w_1, ... of a run: step is (z, c, p, q, e) => [z+, c+] in one array. Ends before the first w beyond `far`. */
function runRule(step, z, counters, count, p, q, dim, far = FAR, noise = null) {
  const points = [z.slice(0, dim)], size = z.length, counting = counters.length > 0;
  let c = counters;
  for (let t = 0; t < count; t++) {
    const next = step(z, c, p, q, noise ? noise[t] : QUIET);
    for (let k = 0; k < next.length; k++) if (!(Math.abs(next[k]) <= (k < dim ? far : Number.MAX_VALUE))) return {points, left: true, z};
    z = next.length === size ? next : next.slice(0, size);
    if (counting) c = next.slice(size);
    points.push(dim === size ? z : z.slice(0, dim));
  }
  return {points, left: false, z};
}

/** The flow w' = -v(w), classical Runge-Kutta with fixed steps; constrained games are projected after each. */
function runFlow(field, project, w, time, count, p) {
  const points = [w], h = time / count;
  const along = (a, d, s) => a.map((x, k) => x - s * d[k]);
  for (let t = 0; t < count; t++) {
    const k1 = field(w, p), k2 = field(along(w, k1, h / 2), p), k3 = field(along(w, k2, h / 2), p), k4 = field(along(w, k3, h), p);
    w = project(w.map((x, k) => x - h * (k1[k] + 2 * k2[k] + 2 * k3[k] + k4[k]) / 6), p);
    if (!w.every((x) => Number.isFinite(x) && Math.abs(x) <= FAR)) break;
    points.push(w);
  }
  return points;
}

/** Df(x) by central differences of fourth order; null where it is not a number, or two step sizes disagree (a kink). */
function jacobian(f, x) {
  const n = x.length, columns = [];
  for (let k = 0; k < n; k++) {
    const h = 1e-3 * (1 + Math.abs(x[k]));
    const at = (s) => f(x.map((y, j) => (j === k ? y + s : y))).slice(0, n);
    const near = at(h), minus = at(-h), wide = at(2 * h), wideMinus = at(-2 * h), middle = at(0);
    const column = near.map((y, i) => (8 * (y - minus[i]) - (wide[i] - wideMinus[i])) / (12 * h));
    const size = 1 + Math.max(...column.map(Math.abs));
    const smooth = near.every((y, i) => {
      const simple = (y - minus[i]) / (2 * h), forward = (y - middle[i]) / h, backward = (middle[i] - minus[i]) / h;
      return Math.abs(simple - column[i]) < 1e-2 * size && Math.abs(forward - backward) < 0.1 * size;
    });
    if (!smooth || !column.every(Number.isFinite)) return null;
    columns.push(column);
  }
  return columns[0].map((_, i) => columns.map((column) => column[i]));
}

/** Eigenvalues [re, im] of a real matrix: Hessenberg form, then QR steps with Wilkinson's shift. Null if they do not end. */
function eigenvalues(matrix) {
  const n = matrix.length, re = hessenberg(matrix), im = re.map((row) => row.map(() => 0)), found = new Array(n);
  const size = re.flat().reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  for (let high = n - 1, tries = 0; high >= 0;) {
    let low = high;
    for (; low > 0; low--) {
      const beside = Math.hypot(re[low - 1][low - 1], im[low - 1][low - 1]) + Math.hypot(re[low][low], im[low][low]);
      if (Math.hypot(re[low][low - 1], im[low][low - 1]) <= EPSILON * (beside || size)) break;
    }
    if (low === high) {
      found[high] = [re[high][high], im[high][high]];
      high--;
      tries = 0;
    } else {
      if (++tries > 200) return null;
      qrStep(re, im, low, high, tries % 10 ? wilkinson(re, im, high) : [Math.abs(re[high][high - 1]) + Math.abs(re[high][high]), 0]);
    }
  }
  return found;
}

function hessenberg(matrix) {
  const a = matrix.map((row) => row.slice()), n = a.length;
  for (let m = 1; m < n - 1; m++) {
    let pivot = m;
    for (let i = m; i < n; i++) if (Math.abs(a[i][m - 1]) > Math.abs(a[pivot][m - 1])) pivot = i;
    if (a[pivot][m - 1] === 0) continue;
    [a[pivot], a[m]] = [a[m], a[pivot]];
    for (const row of a) [row[pivot], row[m]] = [row[m], row[pivot]];
    for (let i = m + 1; i < n; i++) {
      const factor = a[i][m - 1] / a[m][m - 1];
      for (let j = 0; j < n; j++) a[i][j] -= factor * a[m][j];
      for (let j = 0; j < n; j++) a[j][m] += factor * a[j][i];
      a[i][m - 1] = 0;
    }
  }
  return a;
}

const times = (a, b) => [a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]];
function root(a) {
  const r = Math.hypot(a[0], a[1]), x = Math.sqrt(Math.max(0, (r + a[0]) / 2)), y = Math.sqrt(Math.max(0, (r - a[0]) / 2));
  return [x, a[1] < 0 ? -y : y];
}

/** The eigenvalue of the last 2 x 2 block that is nearer to its last entry. */
function wilkinson(re, im, k) {
  const at = (i, j) => [re[i][j], im[i][j]], a = at(k - 1, k - 1), d = at(k, k), bc = times(at(k - 1, k), at(k, k - 1));
  const half = [(a[0] - d[0]) / 2, (a[1] - d[1]) / 2], square = times(half, half);
  const r = root([square[0] + bc[0], square[1] + bc[1]]);
  const sign = half[0] * r[0] + half[1] * r[1] > 0 ? -1 : 1;
  return [d[0] + half[0] + sign * r[0], d[1] + half[1] + sign * r[1]];
}

/** One step H - s = QR, H <- RQ + s on rows and columns low..high, by complex Givens rotations. */
function qrStep(re, im, low, high, shift) {
  const rotations = [];
  for (let k = low; k <= high; k++) { re[k][k] -= shift[0]; im[k][k] -= shift[1]; }
  for (let k = low; k < high; k++) {
    const a = [re[k][k], im[k][k]], b = [re[k + 1][k], im[k + 1][k]], r = Math.hypot(...a, ...b) || 1;
    const c = [a[0] / r, a[1] / r], s = [b[0] / r, b[1] / r];
    rotations.push([c, s]);
    for (let j = k; j <= high; j++) {
      const x = [re[k][j], im[k][j]], y = [re[k + 1][j], im[k + 1][j]];
      const top = times([c[0], -c[1]], x), top2 = times([s[0], -s[1]], y), below = times(s, x), below2 = times(c, y);
      re[k][j] = top[0] + top2[0]; im[k][j] = top[1] + top2[1];
      re[k + 1][j] = below2[0] - below[0]; im[k + 1][j] = below2[1] - below[1];
    }
  }
  rotations.forEach(([c, s], step) => {
    const k = low + step;
    for (let i = low; i <= Math.min(k + 2, high); i++) {
      const x = [re[i][k], im[i][k]], y = [re[i][k + 1], im[i][k + 1]];
      const left = times(x, c), left2 = times(y, s), right = times(x, [-s[0], s[1]]), right2 = times(y, [c[0], -c[1]]);
      re[i][k] = left[0] + left2[0]; im[i][k] = left[1] + left2[1];
      re[i][k + 1] = right[0] + right2[0]; im[i][k + 1] = right[1] + right2[1];
    }
  });
  for (let k = low; k <= high; k++) { re[k][k] += shift[0]; im[k][k] += shift[1]; }
}

/** The zero of a field that Newton's method finds from w, or null; beyond the plane, w itself where it is one. */
function newton(field, w, p) {
  if (w.length !== 2) return Math.hypot(...field(w, p)) < 1e-9 ? w : null;
  for (let tries = 0; tries < 60; tries++) {
    const v = field(w, p), size = Math.hypot(...v);
    if (!Number.isFinite(size)) return null;
    if (size < 1e-13) return w;
    const j = jacobian((x) => field(x, p), w);
    if (!j) return null;
    const det = j[0][0] * j[1][1] - j[0][1] * j[1][0];
    if (Math.abs(det) < 1e-12) return size < 1e-9 ? w : null;
    const step = [(j[1][1] * v[0] - j[0][1] * v[1]) / det, (j[0][0] * v[1] - j[1][0] * v[0]) / det];
    w = [w[0] - step[0], w[1] - step[1]];
    if (Math.hypot(...step) < 1e-15 * (1 + Math.hypot(...w)) && size < 1e-9) return w;
  }
  return Math.hypot(...field(w, p)) < 1e-9 ? w : null;
}

/** The equilibrium nearest to a point: among the known ones, each refined, and what is found from the point itself. */
function nearestEquilibrium(game, p, w) {
  const known = game.equilibria(p), candidates = [];
  for (let k = 0; k + w.length <= known.length; k += w.length) candidates.push(known.slice(k, k + w.length));
  if (!candidates.length && w.length === 2) candidates.push(w, [0, 0], [1, 0], [0, 1], [-1, 0], [0, -1]);
  const found = candidates.map((x) => newton(game.field, x, p)).filter((x) => x && x.every((y) => Math.abs(y) < FAR));
  const inside = found.filter((x) => game.project(x, p).every((y, k) => Math.abs(y - x[k]) < 1e-9));
  const distance = (x) => Math.hypot(...x.map((y, k) => y - w[k]));
  return inside.sort((a, b) => distance(a) - distance(b))[0] || null;
}

/** Eigenvalues and radius of a rule's map at an equilibrium, step counts at infinity; {why} where there are none. */
function linearPart(step, start, counters, w, p, q) {
  const late = counters.map(() => 1e15), z = start(w, p, q);
  const map = (x) => step(x, late, p, q, QUIET).slice(0, z.length);
  const moved = map(z).reduce((most, x, k) => Math.max(most, Math.abs(x - z[k])), 0);
  if (!(moved < 1e-7)) return {why: "not at rest there"};
  const j = jacobian(map, z);
  if (!j) return {why: "no derivative"};
  const values = eigenvalues(j);
  return values ? {values, radius: Math.max(...values.map((x) => Math.hypot(...x)))} : {why: "not found"};
}

/** Line pieces [x1, y1, x2, y2] on which a function of the plane is zero, by marching squares. */
function zeroCurves(f, box, cells) {
  const [left, right, bottom, top] = box, dx = (right - left) / cells, dy = (top - bottom) / cells, pieces = [], rows = [];
  for (let j = 0; j <= cells; j++) {
    rows.push(new Float64Array(cells + 1));
    for (let i = 0; i <= cells; i++) rows[j][i] = f([left + i * dx, bottom + j * dy]);
  }
  for (let j = 0; j < cells; j++) for (let i = 0; i < cells; i++) {
    const below = rows[j][i] < 0;
    if (below === rows[j][i + 1] < 0 && below === rows[j + 1][i + 1] < 0 && below === rows[j + 1][i] < 0) continue;
    const corner = [rows[j][i], rows[j][i + 1], rows[j + 1][i + 1], rows[j + 1][i]];
    const at = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]], cut = [];
    for (let k = 0; k < 4; k++) {
      const a = corner[k], b = corner[(k + 1) % 4], s = a / (a - b), m = (k + 1) % 4;
      if (a < 0 !== b < 0 && Number.isFinite(s)) {
        cut.push([left + dx * (at[k][0] + s * (at[m][0] - at[k][0])), bottom + dy * (at[k][1] + s * (at[m][1] - at[k][1]))]);
      }
    }
    for (let k = 0; k + 1 < cut.length; k += 2) pieces.push([...cut[k], ...cut[k + 1]]);
  }
  return pieces;
}
