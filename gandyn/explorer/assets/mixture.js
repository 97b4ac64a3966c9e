// The mixture game where its data are: clouds of real and generated points, and the discriminator's contours.
const CLOUD = 120, SHADES = 48, LEVELS = [-0.75, -0.5, -0.25, 0.25, 0.5, 0.75];
let grasped = 0; // which of the means at the start is moved

/** s(x) of the joint vector w at a point: bumps of the heights that follow the means. */
const logitOf = (about, w) => ([x, y]) => about.mixture.centers.reduce((sum, [a, b], k) =>
  sum + w[w.length - about.mixture.centers.length + k] * Math.exp(-((x - a) ** 2 + (y - b) ** 2) / (2 * about.mixture.width ** 2)), 0);

/** -grad s, so that arrows drawn along minus it point to where samples are pulled. */
const pullOf = (about, w) => ([x, y]) => about.mixture.centers.reduce((sum, [a, b], k) => {
  const h2 = about.mixture.width ** 2, bump = w[w.length - about.mixture.centers.length + k] * Math.exp(-((x - a) ** 2 + (y - b) ** 2) / (2 * h2));
  return [sum[0] + bump * (x - a) / h2, sum[1] + bump * (y - b) / h2];
}, [0, 0]);

const meansOf = (about, w) => about.mixture.modes.map((_, k) => [w[2 * k], w[2 * k + 1]]);

function cloudAround(paint, view, about, means, tone, seed) {
  const z = normals(seed, 2 * CLOUD), s = about.mixture.std;
  paint.fillStyle = tone;
  paint.globalAlpha = 0.55;
  discs(paint, view, Array.from({length: CLOUD}, (_, i) => [means[i % means.length][0] + s * z[2 * i], means[i % means.length][1] + s * z[2 * i + 1]]), 2);
  paint.globalAlpha = 1;
}

/** Blue where the discriminator finds points real, orange where generated, stronger the surer; contours between. */
function drawLogit(paint, view, width, height, about, w) {
  const s = logitOf(about, w), cell = Math.max(width, height) / SHADES, values = [];
  for (let i = 0; i * cell < width; i++) for (let j = 0; j * cell < height; j++) values.push([i, j, s(view.back((i + 0.5) * cell, (j + 0.5) * cell))]);
  const most = Math.max(...values.map(([, , v]) => Math.abs(v)));
  if (!(most > 1e-9 && Number.isFinite(most))) return;
  for (const [i, j, v] of values) {
    paint.fillStyle = color(v > 0 ? "--c0" : "--c1");
    paint.globalAlpha = 0.35 * Math.abs(v) / most;
    paint.fillRect(i * cell, j * cell, cell + 0.5, cell + 0.5);
  }
  paint.globalAlpha = 1;
  paint.lineWidth = 0.8;
  for (const level of [0, ...LEVELS]) {
    paint.strokeStyle = color(level ? "--line" : "--ink");
    pieces(paint, view, zeroCurves((x) => s(x) - level * most, view.box, 40));
  }
}

function drawMixture(canvas, scene, about) {
  const {paint, width, height} = prepared(canvas), view = viewOf(width, height, scene.centre, scene.reach);
  const place = Math.max(0, state.rules.indexOf(state.map.rule)), run = scene.runs[place];
  const w = scene.shown && run ? run.points[run.points.length - 1] : scene.start;
  drawLogit(paint, view, width, height, about, w);
  drawAxes(paint, view, width, height, ["x1", "x2"]);
  const pull = pullOf(about, w);
  drawField(paint, view, width, height, (x) => pull(x), scene.p);
  cloudAround(paint, view, about, about.mixture.modes, color("--c2"), 1);
  cloudAround(paint, view, about, meansOf(about, w), color("--c1"), 2);
  if (scene.shown) scene.runs.forEach(({points}, k) => {
    paint.strokeStyle = paint.fillStyle = colorOf(k);
    paint.lineWidth = 2;
    paint.setLineDash(DASHES[k % DASHES.length]);
    lines(paint, view, about.mixture.modes.map((_, m) => points.map((at) => [at[2 * m], at[2 * m + 1]])));
    paint.setLineDash([]);
    for (const [x, y] of meansOf(about, points[points.length - 1])) { disc(paint, view.x(x), view.y(y), 5); paint.fill(); }
  });
  paint.strokeStyle = color("--ink");
  paint.lineWidth = 2;
  for (const mode of about.mixture.modes) line(paint, view, [[mode[0] - 0.09, mode[1]], [mode[0] + 0.09, mode[1]]]), line(paint, view, [[mode[0], mode[1] - 0.09], [mode[0], mode[1] + 0.09]]);
  meansOf(about, scene.start).forEach(([x, y], k) => {
    paint.fillStyle = color("--ink");
    disc(paint, view.x(x), view.y(y), k === grasped ? 9 : 7);
    paint.fill();
    paint.fillStyle = color("--paper");
    disc(paint, view.x(x), view.y(y), 3.5);
    paint.fill();
  });
  return view;
}
