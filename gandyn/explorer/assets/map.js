// The picture on demand: what it is of, its computation in the background, its drawing and its cursor.
const MAP_NAMES = {"": "nothing", basins: "basins of attraction", region: "stability region", bifurcation: "bifurcation diagram"};
const mapCanvas = byId("map");
let mapRun = null; // {job, rows, stop}

/** Numbers of game and rule that an axis may run over. */
function axisChoices() {
  const own = (sliders, of) => sliders.map((s, index) => ({key: `${of}.${s.name}`, name: s.name, of, index, low: s.low, high: s.high, logarithmic: s.logarithmic}));
  return [...own(DATA.rules[state.map.rule].sliders, "rule"), ...own(DATA.games[state.game].sliders, "game")].filter((a) => a.high > a.low);
}

const valueOn = (axis) => (axis.of === "game" ? state.p[axis.index] : state.q[state.map.rule][axis.index]);
const chosenAxes = () => {
  const choices = axisChoices(), wanted = state.map.kind === "basins" ? [] : state.map.kind === "bifurcation" ? [state.map.x] : [state.map.x, state.map.y];
  return wanted.map((key) => choices.find((a) => a.key === key)).filter(Boolean);
};

function options(id, entries, value) {
  byId(id).replaceChildren(...entries.map(([key, text]) => element("option", {value: key, textContent: text})));
  byId(id).value = value;
}

function buildMap() {
  const map = state.map, axes = axisChoices();
  if (!state.rules.includes(map.rule)) map.rule = state.rules[0];
  if (!axes.some((a) => a.key === map.x)) map.x = (axes[0] || {key: ""}).key;
  if (map.y && !axes.some((a) => a.key === map.y) || map.y === map.x) map.y = "";
  const inPlane = DATA.games[state.game].coordinates.length === 2;
  if (!inPlane && map.kind === "basins") map.kind = "";
  options("map-kind", Object.entries(MAP_NAMES).filter(([kind]) => inPlane || kind !== "basins"), map.kind);
  options("map-rule", state.rules.map((k) => [k, DATA.rules[k].id]), map.rule);
  options("map-x", axes.map((a) => [a.key, a.key]), map.x);
  options("map-y", [["", "none"], ...axes.filter((a) => a.key !== map.x).map((a) => [a.key, a.key])], map.y);
  byId("map-x").parentElement.hidden = !map.kind || map.kind === "basins";
  byId("map-y").parentElement.hidden = map.kind !== "region";
  byId("map-figure").hidden = !map.kind;
  byId("map-rule").parentElement.hidden = !map.kind && inPlane;
}

function mapJob() {
  const map = state.map, game = CODE[state.game], about = DATA.games[state.game], start = game.project(state.start, state.p);
  const known = game.equilibria(state.p), places = [];
  for (let k = 0; k + 1 < known.length; k += 2) places.push([known[k], known[k + 1]]);
  const near = nearestEquilibrium(game, state.p, start), reach = about.reach / state.zoom;
  if (!places.length && near) places.push(near);
  return {
    kind: map.kind, game: state.game, cost: about.cost || "", language: about.cost ? DATA.own.language : null, rule: map.rule,
    counters: about.rules[map.rule].counters, p: state.p, q: state.q[map.rule], axes: chosenAxes(), start: state.start.slice(),
    box: [-reach, reach, -reach, reach], cells: MAP_CELLS, steps: 1000, equilibria: places,
  };
}

function computeMap() {
  if (mapRun) mapRun.stop();
  mapRun = null;
  if (!state.map.kind) return;
  const job = mapJob(), rows = [];
  if (job.kind !== "basins" && !job.axes.length) { byId("map-status").textContent = "No number of this rule or game can be varied."; return; }
  const began = performance.now();
  mapCanvas.dataset.rows = "";
  byId("map-status").textContent = "Computing ...";
  mapRun = {job, rows, stop: () => {}};
  mapRun.stop = runInBackground(job, (row, values) => { rows[row] = values; requestAnimationFrame(drawMap); }, () => {
    byId("map-status").textContent = `${MAP_NAMES[job.kind]} of ${DATA.rules[job.rule].id}, computed in ${((performance.now() - began) / 1000).toFixed(1)} s. ${mapCaption(job)}`;
    mapCanvas.dataset.rows = String(rows.filter(Boolean).length);
    drawMap();
  });
}

function mapCaption(job) {
  if (job.kind === "basins") return `Colours: which equilibrium a start ends at (${job.equilibria.map((e) => `(${e.map((x) => Number(x.toPrecision(3))).join(", ")})`).join(", ") || "none known"}); grey: it stays elsewhere; blank: it leaves.`;
  if (job.kind === "bifurcation") return "The first coordinate during the last 60 steps of a run, for each value.";
  if (job.axes.length < 2) return "Below the dashed line, at 1, the equilibrium attracts. The upright line is where the slider stands; click to move it.";
  return "Blue: the spectral radius is below 1, the darker the smaller; orange: above. The cross is where the sliders stand; click to move it.";
}

/** Where the values lie on the canvas: margins for the axes. */
const mapFrame = (width, height) => ({left: 44, top: 8, width: width - 52, height: height - 36});

function drawMap() {
  if (!mapRun) return;
  const {paint, width, height} = prepared(mapCanvas), frame = mapFrame(width, height), {job, rows} = mapRun;
  const range = {basins: basinCells, region: job.axes.length > 1 ? regionCells : radiusCurve, bifurcation: bifurcationDots}[job.kind](paint, frame, job, rows);
  paint.strokeStyle = color("--soft");
  paint.lineWidth = 1;
  paint.setLineDash([]);
  paint.strokeRect(frame.left, frame.top, frame.width, frame.height);
  mapAxes(paint, frame, job, range);
}

function cells(paint, frame, job, rows, shade) {
  const x = (i) => Math.round(frame.left + i / job.cells * frame.width), y = (j) => Math.round(frame.top + (1 - j / job.cells) * frame.height);
  rows.forEach((row, j) => row && row.forEach((value, i) => {
    const fill = shade(value);
    if (fill) { paint.fillStyle = fill; paint.fillRect(x(i), y(j + 1), x(i + 1) - x(i), y(j) - y(j + 1)); }
  }));
}

function basinCells(paint, frame, job, rows) {
  const tones = Array.from({length: 8}, (_, k) => colorOf(k)), grey = color("--line");
  cells(paint, frame, job, rows, (v) => (v === -2 ? "" : v === -1 ? grey : tones[v % 8]));
  return [job.box[2], job.box[3]];
}

function regionCells(paint, frame, job, rows) {
  const blue = color("--c0"), orange = color("--c1"), bands = [0.5, 0.8, 0.9, 0.97, 1];
  paint.save();
  for (const stable of [true, false]) for (let k = 0; k < bands.length; k++) {
    paint.globalAlpha = stable ? 0.9 - 0.16 * k : 0.2 + 0.12 * k;
    const low = stable ? bands[k - 1] || 0 : [1, 1.03, 1.1, 1.3, 2][k], high = stable ? bands[k] : [1.03, 1.1, 1.3, 2, Infinity][k];
    cells(paint, frame, job, rows, (v) => (v !== null && v >= low && v < high ? (stable ? blue : orange) : ""));
  }
  paint.restore();
  return [job.axes[1].low, job.axes[1].high];
}

function radiusCurve(paint, frame, job, rows) {
  const values = (rows[0] || []).map((v) => (v === null ? NaN : v)), top = Math.min(3, Math.max(1.2, ...values.filter(Number.isFinite)));
  const y = (v) => frame.top + frame.height * (1 - v / top);
  paint.strokeStyle = color("--soft");
  paint.setLineDash([4, 3]);
  paint.beginPath(); paint.moveTo(frame.left, y(1)); paint.lineTo(frame.left + frame.width, y(1)); paint.stroke();
  paint.setLineDash([]);
  paint.strokeStyle = color("--c0");
  paint.lineWidth = 2;
  paint.beginPath();
  let drawing = false;
  values.forEach((v, i) => {
    const inside = v <= top, x = frame.left + (i + 0.5) / job.cells * frame.width;
    if (inside) { if (drawing) paint.lineTo(x, y(v)); else paint.moveTo(x, y(v)); }
    drawing = inside;
  });
  paint.stroke();
  return [0, top];
}

function bifurcationDots(paint, frame, job, rows) {
  const all = rows.flat().filter(Number.isFinite), [low, high] = all.length ? [Math.min(...all), Math.max(...all)] : [-1, 1], room = (high - low) * 0.05 || 1;
  paint.fillStyle = color("--c0");
  rows.forEach((values, i) => values && values.forEach((v) => paint.fillRect(frame.left + (i + 0.5) / job.cells * frame.width - 0.75, frame.top + frame.height * (1 - (v - low + room) / (high - low + 2 * room)) - 0.75, 1.5, 1.5)));
  return [low - room, high + room];
}

function mapAxes(paint, frame, job, [bottom, top]) {
  const names = job.kind === "basins" ? DATA.games[job.game].coordinates : [job.axes[0].name, job.kind === "bifurcation" ? DATA.games[job.game].coordinates[0] : job.axes[1] ? job.axes[1].name : "radius"];
  const across = job.kind === "basins" ? {low: job.box[0], high: job.box[1]} : job.axes[0], up = job.kind === "region" && job.axes[1] ? job.axes[1] : {low: bottom, high: top};
  const short = (x) => (Math.abs(x) < 1e-9 ? "0" : Math.abs(x) < 1e4 ? String(Number(x.toPrecision(2))) : x.toExponential(0));
  paint.fillStyle = color("--ink");
  paint.textAlign = "center";
  for (const s of [0, 0.25, 0.75, 1]) paint.fillText(short(between(across, s)), frame.left + s * frame.width + (s === 1 ? -8 : s === 0 ? 8 : 0), frame.top + frame.height + 14);
  paint.fillText(names[0], frame.left + frame.width / 2, frame.top + frame.height + 25);
  paint.textAlign = "right";
  for (const s of [0, 1]) paint.fillText(short(between(up, s)), frame.left - 4, frame.top + frame.height * (1 - s) + (s ? 10 : 0));
  paint.fillText(names[1], frame.left - 4, frame.top + frame.height / 2);
  if (job.kind !== "region") return;
  const x = frame.left + frame.width * along(job.axes[0]), y = frame.top + frame.height * (1 - (job.axes[1] ? along(job.axes[1]) : 0));
  paint.strokeStyle = color("--ink");
  paint.lineWidth = 1.5;
  paint.beginPath();
  paint.moveTo(x, job.axes[1] ? y - 9 : frame.top); paint.lineTo(x, job.axes[1] ? y + 9 : frame.top + frame.height);
  if (job.axes[1]) { paint.moveTo(x - 9, y); paint.lineTo(x + 9, y); }
  paint.stroke();
}

/** Where the present value lies on an axis, from 0 to 1. */
const along = (axis) => { const x = valueOn(axis); return clamp(axis.logarithmic ? Math.log(x / axis.low) / Math.log(axis.high / axis.low) : (x - axis.low) / (axis.high - axis.low), 0, 1); };

function moveCursor(event) {
  if (!mapRun || mapRun.job.kind !== "region") return;
  const place = mapCanvas.getBoundingClientRect(), frame = mapFrame(mapCanvas.clientWidth, mapCanvas.clientHeight);
  const s = [(event.clientX - place.left - frame.left) / frame.width, 1 - (event.clientY - place.top - frame.top) / frame.height];
  mapRun.job.axes.forEach((axis, k) => setOn(axis, Number(between(axis, clamp(s[k], 0, 1)).toPrecision(3))));
  buildRuleSliders();
  buildGame();
  redraw();
}

function setOn(axis, x) { if (axis.of === "game") state.p[axis.index] = x; else state.q[state.map.rule][axis.index] = x; }

mapCanvas.addEventListener("pointerdown", (event) => { mapCanvas.setPointerCapture(event.pointerId); moveCursor(event); });
mapCanvas.addEventListener("pointermove", (event) => { if (mapCanvas.hasPointerCapture(event.pointerId)) moveCursor(event); });
for (const [id, key] of [["map-kind", "kind"], ["map-rule", "rule"], ["map-x", "x"], ["map-y", "y"]]) {
  byId(id).addEventListener("change", (event) => { state.map[key] = key === "rule" ? Number(event.target.value) : event.target.value; buildMap(); computeMap(); redraw(); });
}
byId("map-again").addEventListener("click", computeMap);
new ResizeObserver(() => requestAnimationFrame(drawMap)).observe(mapCanvas);
