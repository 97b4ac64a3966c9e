// The page: what is chosen is read, computed, drawn and said. Everything that comes from the data is set as text.
const plane = byId("plane"), PLAYED_SECONDS = 5, FRAME_MILLISECONDS = 8;
let view = null, waiting = false, progress = 1; // which part of the run is shown: less than 1 while it is played

function showAnswer() {
  byId("answer").hidden = !shown;
  byId("reveal").textContent = shown ? "Hide the answer" : "Run";
  byId("reveal").setAttribute("aria-expanded", String(shown));
}

let cloudSoFar = {key: "", members: []};
/** The other starts' runs, one list a rule: as many as there is time for until `end`, the rest in the frames after. */
function grown(key, count, runs, end) {
  if (cloudSoFar.key !== key) cloudSoFar = {key, members: []};
  const members = cloudSoFar.members;
  while (members.length < count) {
    members.push(runs(members.length));
    if (performance.now() > end) break;
  }
  if (members.length < count) redraw();
  return state.rules.map((_, place) => members.map((member) => member[place]));
}

/** What is drawn: runs, flow, equilibrium and linear parts for the present choice. */
function computed() {
  const end = performance.now() + FRAME_MILLISECONDS;
  const game = CODE[state.game], about = DATA.games[state.game], p = state.p, start = game.project(state.start, p);
  const taken = (k) => Math.round(progress * stepsOf(DATA, state, k)), most = Math.max(...state.rules.map(taken));
  const noise = (member) => noiseOf(state.noise, state.draw * MOST_STARTS + member, most, start.length); // the same for every rule
  const first = noise(0);
  const runs = state.rules.map((k) => {
    const counters = about.rules[k].counters, z = game.starts[k](start, p, state.q[k]);
    return runRule(game.steps[k], z, counters, taken(k), p, state.q[k], start.length, FAR, first);
  });
  const time = progress * state.steps * firstStep(), equilibrium = nearestEquilibrium(game, p, start);
  const others = aroundOf(start, state.starts, about.reach / state.zoom);
  const flow = runFlow(game.field, game.project, start, time, Math.min(4000, Math.max(200, Math.ceil(20 * time))), p);
  const parts = state.rules.map((k) => (equilibrium
    ? linearPart(game.steps[k], game.starts[k], about.rules[k].counters, equilibrium, p, state.q[k])
    : {why: "no equilibrium found"}));
  const cloud = grown(JSON.stringify([state, progress, about.cost]), others.length, (member) => {
    const w = game.project(others[member], p), law = noise(member + 1);
    return state.rules.map((k) => runRule(game.steps[k], game.starts[k](w, p, state.q[k]), about.rules[k].counters, taken(k), p, state.q[k], 2, FAR, law).points);
  }, end);
  return {id: about.id, formula: about.formula, game, p, start, runs, cloud, conserved: levels(game, about), flow, equilibrium, parts, shown, dirac: about.dirac, names: about.coordinates, centre: [0, 0], reach: about.reach / state.zoom};
}

/** Conserved quantities: of the flow, and of each rule that is shown and has one, as functions of a point. */
function levels(game, about) {
  if (!game.conserved) return [];
  const found = game.conserved.flow ? [{place: -1, of: (w) => game.conserved.flow(w, state.p)[0]}] : [];
  state.rules.forEach((k, place) => { const f = game.conserved.rules[k]; if (f) found.push({place, of: (w) => f(w, state.p, state.q[k])[0]}); });
  return found;
}

const said = (part) => (part.why ? part.why : Math.abs(part.radius - 1) < 1e-7 ? "does not decide" : part.radius < 1 ? "attracts" : "repels");

function ending(run, equilibrium) {
  if (run.left) return `left after ${run.points.length - 1} steps`;
  if (!equilibrium) return "";
  const last = run.points[run.points.length - 1];
  return `distance ${Math.hypot(...last.map((x, k) => x - equilibrium[k])).toPrecision(3)}`;
}

function fillTable(scene) {
  const body = byId("radii").tBodies[0];
  const rows = state.rules.map((k, place) => {
    const part = scene.parts[place], radius = part.why ? "–" : part.radius.toFixed(6);
    return [DATA.rules[k].id, ...(shown ? [radius, said(part), ending(scene.runs[place], scene.equilibrium)] : ["?", "?", "?"])];
  });
  const names = rows.map(([name]) => name).join("|");
  if (body.dataset.names !== names) {
    body.dataset.names = names;
    body.replaceChildren(...rows.map(([name], place) => element("tr", {}, element("th", {scope: "row"}, swatch(place), name), ...[1, 2, 3].map(() => element("td")))));
  }
  rows.forEach(([, ...cells], i) => cells.forEach((text, j) => { const cell = body.rows[i].cells[j + 1]; if (cell.textContent !== text) cell.textContent = text; }));
  const e = scene.equilibrium;
  byId("equilibrium").textContent = e ? `Equilibrium (${e.map((x) => (Math.abs(x) < 1e-9 ? 0 : Number(x.toPrecision(5)))).join(", ")}).` : "No equilibrium found nearby.";
}

function draw() {
  waiting = false;
  const scene = computed(), about = DATA.games[state.game];
  view = about.mixture ? drawMixture(plane, scene, about) : drawPlane(plane, scene);
  drawSpectrum(byId("spectrum"), shown ? scene.parts : []);
  fillTable(scene);
  byId("python").textContent = pythonLines(DATA, state);
  drawMap();
  drawData(byId("data-space"), scene);
  plane.setAttribute("aria-label", `${DATA.games[state.game].id}: start at ${state.start.map((x) => Number(x.toPrecision(3))).join(", ")}`);
  byId("spectrum").setAttribute("aria-label", "Eigenvalues beside the unit circle; the table below has their radius");
  clearTimeout(draw.later);
  draw.later = setTimeout(() => settle(scene), 400);
}

/** Once nothing moves: the link, and one sentence for who does not see the picture. */
function settle(scene) {
  try { history.replaceState(null, "", `#${writeHash(DATA, state)}`); } catch { /* a frame without an address of its own */ }
  if (!shown) return;
  const words = state.rules.map((k, i) => `${DATA.rules[k].id}: ${said(scene.parts[i])}${scene.parts[i].why ? "" : `, radius ${scene.parts[i].radius.toFixed(4)}`}`);
  byId("announcement").textContent = words.join("; ");
}

function redraw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(draw);
}

/** Two coordinates of the start: all of them in a plane, those of the grasped mean in data space. */
function moveStart(x, y) {
  state.start.splice(2 * grasped, 2, ...[x, y].map((s) => Number(s.toPrecision(4))));
  redraw();
}

/** In data space, the mean at the start that is nearest to a point is the one to be moved. */
function grasp(x, y) {
  const about = DATA.games[state.game], away = about.mixture ? meansOf(about, state.start).map(([a, b]) => Math.hypot(a - x, b - y)) : [0];
  grasped = away.indexOf(Math.min(...away));
}

/** Show the run from its first step to its last one. */
function play() {
  const began = performance.now();
  shown = true;
  showAnswer();
  const frame = (now) => { progress = clamp((now - began) / 1000 / PLAYED_SECONDS, 0, 1); draw(); if (progress < 1) requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
}

function dragged(event) {
  const place = plane.getBoundingClientRect(), x = event.clientX - place.left - plane.clientLeft, y = event.clientY - place.top - plane.clientTop;
  if (!view) return;
  if (event.type === "pointerdown") grasp(...view.back(x, y));
  moveStart(...view.back(x, y));
}

plane.addEventListener("pointerdown", (event) => { plane.setPointerCapture(event.pointerId); dragged(event); });
plane.addEventListener("pointermove", (event) => { if (plane.hasPointerCapture(event.pointerId)) dragged(event); });
plane.addEventListener("keydown", (event) => {
  const reach = DATA.games[state.game].reach / state.zoom, size = reach * (event.shiftKey ? 0.005 : 0.05);
  const moves = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]};
  const about = DATA.games[state.game];
  if (moves[event.key]) moveStart(state.start[2 * grasped] + size * moves[event.key][0], state.start[2 * grasped + 1] + size * moves[event.key][1]);
  else if (about.mixture && Number(event.key) >= 1 && Number(event.key) <= about.mixture.modes.length) { grasped = Number(event.key) - 1; redraw(); }
  else if (event.key === "+" || event.key === "=") { state.zoom = clamp(state.zoom * 1.25, 0.01, 100); redraw(); }
  else if (event.key === "-") { state.zoom = clamp(state.zoom / 1.25, 0.01, 100); redraw(); }
  else return;
  event.preventDefault();
});
byId("game").append(...DATA.games.map((game, k) => element("option", {value: k, textContent: game.id})));
byId("game").addEventListener("change", (event) => {
  state = openingState(DATA, Number(event.target.value));
  grasped = 0;
  shown = !DATA.games[state.game].question;
  buildAll();
});
byId("reveal").addEventListener("click", () => { shown = !shown; showAnswer(); redraw(); });
byId("play").addEventListener("click", play);
byId("draw-again").addEventListener("click", () => { state.draw += 1; redraw(); });
byId("reset").addEventListener("click", () => { state = openingState(DATA, state.game); buildAll(); });
byId("own").addEventListener("submit", (event) => {
  event.preventDefault();
  const why = takeCost(DATA, CODE, OWN, byId("cost").value);
  byId("cost-error").textContent = why;
  byId("cost").setAttribute("aria-invalid", String(Boolean(why)));
  if (!why) { state = {...openingState(DATA, state.game), rules: state.rules, q: state.q}; buildAll(); }
});
async function copy(text, said_then) {
  try { await navigator.clipboard.writeText(text); byId("copied").textContent = said_then; } catch { byId("copied").textContent = "The browser does not allow copying here; the code stands below."; byId("python").closest("details").open = true; }
}
byId("copy-python").addEventListener("click", () => copy(pythonLines(DATA, state), "Copied the Python lines."));
byId("copy-link").addEventListener("click", () => copy(`${location.href.split("#")[0]}#${writeHash(DATA, state)}`, "Copied the link."));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
new ResizeObserver(redraw).observe(plane);
window.addEventListener("hashchange", () => { takeCost(DATA, CODE, OWN, costIn(location.hash.slice(1))); state = readHash(DATA, location.hash.slice(1)); shown = true; buildAll(); });
buildAll();
