// The page: what is chosen is read, computed, drawn and said. Everything that comes from the data is set as text.
const DATA = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const plane = byId("plane");
let state = readHash(DATA, location.hash.slice(1)), shown = !DATA.games[state.game].question || location.hash.length > 1;
let view = null, waiting = false;

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** A slider with a number beside it; both hold the same value. */
function slider(id, name, entry, value, change) {
  const {low, high, logarithmic} = entry, place = (x) => (logarithmic ? Math.log(x / low) / Math.log(high / low) : (x - low) / (high - low));
  const value_at = (s) => Number((logarithmic ? low * (high / low) ** s : low + (high - low) * s).toPrecision(3));
  const range = element("input", {type: "range", id, min: 0, max: 1000, step: 1});
  const number = element("input", {type: "number", step: "any", min: low, max: high, value});
  number.setAttribute("aria-label", `${name}, as a number`);
  const show = (x) => { range.value = 1000 * place(x); range.setAttribute("aria-valuetext", String(x)); };
  show(value);
  range.addEventListener("input", () => {
    const x = clamp(value_at(range.value / 1000), low, high);
    number.value = x;
    range.setAttribute("aria-valuetext", String(x));
    change(x);
  });
  number.addEventListener("change", () => {
    const x = number.value.trim() === "" ? NaN : Number(number.value);
    if (Number.isFinite(x)) { number.value = clamp(x, low, high); show(clamp(x, low, high)); change(clamp(x, low, high)); }
  });
  return element("div", {className: "slider"}, element("label", {htmlFor: id, textContent: name}), range, number);
}

function buildGeneral() {
  const box = byId("general"), steps = {low: 1, high: MOST_STEPS, logarithmic: true};
  box.replaceChildren(element("legend", {textContent: "Run"}));
  box.append(slider("steps", "steps", steps, state.steps, (x) => { state.steps = Math.round(x); redraw(); }));
  const all = {low: 1e-3, high: 2, logarithmic: true};
  box.append(slider("all-steps", "step size of all", all, firstStep(), (x) => { setAllSteps(x); buildRuleSliders(); redraw(); }));
  const equal = element("input", {type: "checkbox", id: "equal", checked: state.equal});
  equal.addEventListener("change", () => { state.equal = equal.checked; redraw(); });
  box.append(element("label", {}, equal, " equal cost: as many steps as the same number of gradients buys"));
}

const firstStep = () => {
  const k = state.rules.find((r) => DATA.rules[r].sliders.some((s) => s.name === "lr"));
  return k === undefined ? 0.2 : state.q[k][DATA.rules[k].sliders.findIndex((s) => s.name === "lr")];
};

function setAllSteps(x) {
  for (const k of state.rules) DATA.rules[k].sliders.forEach((s, j) => { if (s.name === "lr") state.q[k][j] = clamp(x, s.low, s.high); });
}

function buildGame() {
  const game = DATA.games[state.game], box = byId("game-sliders");
  byId("formula").textContent = game.formula;
  byId("question").textContent = game.question;
  byId("answer").textContent = game.answer;
  byId("predict").hidden = !game.question;
  box.replaceChildren(element("legend", {textContent: "Game"}));
  game.sliders.forEach((s, k) => box.append(slider(`p${k}`, s.name, s, state.p[k], (x) => { state.p[k] = x; redraw(); })));
  box.hidden = !game.sliders.length;
}

function buildRules() {
  const box = byId("rule-choice"), offered = DATA.games[state.game].rules;
  box.replaceChildren(element("legend", {textContent: "Rules"}));
  DATA.rules.forEach((rule, k) => {
    const tick = element("input", {type: "checkbox", checked: state.rules.includes(k), disabled: Boolean(offered[k].why)});
    tick.addEventListener("change", () => {
      const chosen = state.rules.filter((r) => r !== k);
      if (tick.checked && chosen.length < MOST_SHOWN) chosen.push(k);
      if (chosen.length) state.rules = chosen.sort((a, b) => a - b);
      tick.checked = state.rules.includes(k);
      buildRuleSliders();
      redraw();
    });
    box.append(element("label", {title: offered[k].why || ""}, tick, rule.id));
  });
}

function buildRuleSliders() {
  const box = byId("rule-sliders");
  box.replaceChildren();
  state.rules.forEach((k, place) => {
    const rule = DATA.rules[k], legend = element("legend", {}, swatch(place), rule.id), inside = element("fieldset", {}, legend);
    rule.sliders.forEach((s, j) => inside.append(slider(`q${k}-${j}`, s.name, s, state.q[k][j], (x) => { state.q[k][j] = x; redraw(); })));
    box.append(inside);
  });
}

function swatch(place) {
  const made = element("span", {className: "swatch"});
  made.style.borderTopColor = `var(--c${place % 8})`;
  made.style.borderTopStyle = ["solid", "dashed", "dotted"][place % 3];
  return made;
}

function buildAll() {
  byId("game").value = String(state.game);
  buildGame();
  buildGeneral();
  buildRules();
  buildRuleSliders();
  showAnswer();
  redraw();
}

function showAnswer() {
  byId("answer").hidden = !shown;
  byId("reveal").textContent = shown ? "Hide the answer" : "Run";
  byId("reveal").setAttribute("aria-expanded", String(shown));
}

/** What is drawn: runs, flow, equilibrium and linear parts for the present choice. */
function computed() {
  const game = CODE[state.game], about = DATA.games[state.game], p = state.p, start = game.project(state.start, p);
  const runs = state.rules.map((k) => {
    const counters = about.rules[k].counters, z = game.starts[k](start, p, state.q[k]);
    return runRule(game.steps[k], z, counters, stepsOf(DATA, state, k), p, state.q[k], 2);
  });
  const time = state.steps * firstStep(), equilibrium = nearestEquilibrium(game, p, start);
  const flow = runFlow(game.field, game.project, start, time, Math.min(4000, Math.max(200, Math.ceil(20 * time))), p);
  const parts = state.rules.map((k) => (equilibrium
    ? linearPart(game.steps[k], game.starts[k], about.rules[k].counters, equilibrium, p, state.q[k])
    : {why: "no equilibrium found"}));
  return {game, p, start, runs, flow, equilibrium, parts, shown, names: about.coordinates, centre: [0, 0], reach: about.reach / state.zoom};
}

const said = (part) => (part.why ? part.why : Math.abs(part.radius - 1) < 1e-7 ? "does not decide" : part.radius < 1 ? "attracts" : "repels");

function ending(run, equilibrium) {
  if (run.left) return `left after ${run.points.length - 1} steps`;
  if (!equilibrium) return "";
  const last = run.points[run.points.length - 1];
  return `distance ${Math.hypot(last[0] - equilibrium[0], last[1] - equilibrium[1]).toPrecision(3)}`;
}

function fillTable(scene) {
  const rows = state.rules.map((k, place) => {
    const part = scene.parts[place], radius = part.why ? "–" : part.radius.toFixed(6);
    const cells = shown ? [radius, said(part), ending(scene.runs[place], scene.equilibrium)] : ["?", "?", "?"];
    return element("tr", {}, element("th", {scope: "row"}, swatch(place), DATA.rules[k].id), ...cells.map((t) => element("td", {textContent: t})));
  });
  byId("radii").tBodies[0].replaceChildren(...rows);
  const e = scene.equilibrium;
  byId("equilibrium").textContent = e ? `Equilibrium (${e.map((x) => Number(x.toPrecision(5)) + 0).join(", ")}).` : "No equilibrium found nearby.";
}

function draw() {
  waiting = false;
  const scene = computed();
  view = drawPlane(plane, scene);
  drawSpectrum(byId("spectrum"), shown ? scene.parts : []);
  fillTable(scene);
  byId("python").textContent = pythonLines(DATA, state);
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

function moveStart(x, y) {
  state.start = [x, y].map((s) => Number(s.toPrecision(4)));
  redraw();
}

function dragged(event) {
  const place = plane.getBoundingClientRect(), x = event.clientX - place.left - plane.clientLeft, y = event.clientY - place.top - plane.clientTop;
  if (view) moveStart(...view.back(x, y));
}

plane.addEventListener("pointerdown", (event) => { plane.setPointerCapture(event.pointerId); dragged(event); });
plane.addEventListener("pointermove", (event) => { if (plane.hasPointerCapture(event.pointerId)) dragged(event); });
plane.addEventListener("keydown", (event) => {
  const reach = DATA.games[state.game].reach / state.zoom, size = reach * (event.shiftKey ? 0.005 : 0.05);
  const moves = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]};
  if (moves[event.key]) moveStart(state.start[0] + size * moves[event.key][0], state.start[1] + size * moves[event.key][1]);
  else if (event.key === "+" || event.key === "=") { state.zoom = clamp(state.zoom * 1.25, 0.01, 100); redraw(); }
  else if (event.key === "-") { state.zoom = clamp(state.zoom / 1.25, 0.01, 100); redraw(); }
  else return;
  event.preventDefault();
});
byId("game").append(...DATA.games.map((game, k) => element("option", {value: k, textContent: game.id})));
byId("game").addEventListener("change", (event) => {
  state = openingState(DATA, Number(event.target.value));
  shown = !DATA.games[state.game].question;
  buildAll();
});
byId("reveal").addEventListener("click", () => { shown = !shown; showAnswer(); redraw(); });
byId("reset").addEventListener("click", () => { state = openingState(DATA, state.game); buildAll(); });
async function copy(text, said_then) {
  try { await navigator.clipboard.writeText(text); byId("copied").textContent = said_then; } catch { byId("copied").textContent = "The browser does not allow copying here; the code stands below."; byId("python").closest("details").open = true; }
}
byId("copy-python").addEventListener("click", () => copy(pythonLines(DATA, state), "Copied the Python lines."));
byId("copy-link").addEventListener("click", () => copy(`${location.href.split("#")[0]}#${writeHash(DATA, state)}`, "Copied the link."));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
new ResizeObserver(redraw).observe(plane);
window.addEventListener("hashchange", () => { state = readHash(DATA, location.hash.slice(1)); shown = true; buildAll(); });
buildAll();
