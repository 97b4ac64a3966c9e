// The forms: each is made again from the data and the state; what comes from the data is set as text.
const DATA = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
takeCost(DATA, CODE, OWN, costIn(location.hash.slice(1)));
const PLANE_HELP = byId("plane-help").textContent;
const DATA_SPACE_HELP = "Green: points of the data. Orange: points that the generator makes, at the end of the run of the rule " +
  "that is chosen under Also draw. Blue shade and contours: where its discriminator takes points for real; arrows: the way it " +
  "pulls. Lines: how each rule moves the means. Drag a mean's start, or choose it with the keys 1 and 2 and move it with the arrow keys.";
let state = readHash(DATA, location.hash.slice(1)), shown = !DATA.games[state.game].question || location.hash.length > 1;

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
  const many = {low: 1, high: MOST_STARTS, logarithmic: true};
  box.append(slider("starts", "starts around it", many, state.starts, (x) => { state.starts = Math.round(x); redraw(); }));
  const noise = {low: 0, high: 1, logarithmic: false};
  box.append(slider("noise", "noise (deviation)", noise, state.noise, (x) => { state.noise = x; byId("draw-again").hidden = !x; redraw(); }));
  byId("draw-again").hidden = !state.noise;
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
  byId("own").hidden = !game.own;
  byId("plane-help").textContent = game.mixture ? DATA_SPACE_HELP : PLANE_HELP;
  if (game.own && document.activeElement !== byId("cost")) byId("cost").value = game.cost;
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
      buildMap();
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
  made.style.borderTopColor = `var(${toneOf(place)})`;
  made.style.borderTopStyle = ["solid", "dashed", "dotted"][place % 3];
  return made;
}

function buildAll() {
  byId("game").value = String(state.game);
  buildGame();
  buildGeneral();
  buildRules();
  buildRuleSliders();
  buildMap();
  computeMap();
  showAnswer();
  redraw();
}
