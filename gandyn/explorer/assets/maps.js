// Pictures that take long: basins, spectral radius over parameters, bifurcation diagrams, one line of cells at a time.
// A job is plain data, so that a worker can be given it. Values: see each function.
const MAP_CELLS = 100, SETTLED = 1e-3;

/** The game of a job: one of the page's, or the cost that was typed. */
const gameOf = (job) => (job.cost ? ownGame(job.cost, job.language, OWN) : CODE[job.game]);

const between = (axis, s) => (axis.logarithmic ? axis.low * (axis.high / axis.low) ** s : axis.low + (axis.high - axis.low) * s);

/** p and q with a number put where an axis says. */
function placed(job, values) {
  const p = job.p.slice(), q = job.q.slice();
  job.axes.forEach((axis, k) => { (axis.of === "game" ? p : q)[axis.index] = values[k]; });
  return [p, q];
}

/** For each start of a row: the number of the equilibrium that it ends at, -1 if it stays elsewhere, -2 if it leaves. */
function basinRow(job, row) {
  const game = gameOf(job), step = game.steps[job.rule], [left, right, bottom, top] = job.box, far = 1e3 * (1 + Math.abs(right));
  return Array.from({length: job.cells}, (_, i) => {
    const w = [left + (i + 0.5) / job.cells * (right - left), bottom + (row + 0.5) / job.cells * (top - bottom)];
    const run = lastOf(step, game.starts[job.rule](game.project(w, job.p), job.p, job.q), job.counters, job.steps, job.p, job.q, far);
    if (!run) return -2;
    return job.equilibria.findIndex((e) => Math.hypot(run[0] - e[0], run[1] - e[1]) < SETTLED * (1 + Math.hypot(...e)));
  });
}

/** The state after so many steps, or null if it leaves. */
function lastOf(step, z, c, count, p, q, far) {
  const size = z.length;
  for (let t = 0; t < count; t++) {
    const next = step(z, c, p, q, QUIET);
    if (!(Math.abs(next[0]) <= far && Math.abs(next[1]) <= far)) return null;
    z = next.slice(0, size);
    c = next.slice(size);
  }
  return z;
}

/** The spectral radius at the nearest equilibrium for each cell of a row; null where there is none. */
function regionRow(job, row) {
  const game = gameOf(job), rows = job.axes.length > 1 ? job.cells : 1;
  return Array.from({length: job.cells}, (_, i) => {
    const [p, q] = placed(job, [between(job.axes[0], (i + 0.5) / job.cells), rows > 1 ? between(job.axes[1], (row + 0.5) / rows) : 0]);
    const at = nearestEquilibrium(game, p, job.start);
    const part = at && linearPart(game.steps[job.rule], game.starts[job.rule], job.counters, at, p, q);
    return part && !part.why ? part.radius : null;
  });
}

/** For one value of the parameter: where the first coordinate is during the last steps of a long run. */
function bifurcationRow(job, column) {
  const game = gameOf(job), [p, q] = placed(job, [between(job.axes[0], (column + 0.5) / job.cells)]), start = game.project(job.start, p);
  const step = game.steps[job.rule], far = 20 * job.box[1], z = lastOf(step, game.starts[job.rule](start, p, q), job.counters, job.steps, p, q, far);
  if (!z) return [];
  const late = job.counters.map((c) => c + job.steps);
  return runRule(step, z, late, 60, p, q, start.length, far).points.map((w) => w[0]);
}

const MAPS = {basins: basinRow, region: regionRow, bifurcation: bifurcationRow};
const rowsOf = (job) => (job.kind === "region" && job.axes.length < 2 ? 1 : job.cells);
