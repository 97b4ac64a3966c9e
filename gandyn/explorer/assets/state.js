// What the reader has chosen, its form in the link, and the Python that gives the same picture. No page is touched here.
const MOST_STEPS = 2000, MOST_SHOWN = 8, MOST_STARTS = 200;

const clamp = (x, low, high) => Math.min(high, Math.max(low, x));
const isStep = (name) => name === "lr" || name.endsWith("_lr");

/** What the page opens with on a game. */
function openingState(data, game) {
  const entry = data.games[game], offered = entry.rules.map((rule, k) => k).filter((k) => !entry.rules[k].why);
  return {
    game, rules: offered.slice(0, data.open), start: entry.start.slice(), steps: entry.steps, equal: false, zoom: 1, starts: 1, noise: 0, draw: 0,
    map: {kind: "", rule: offered[0], x: "", y: ""},
    p: entry.sliders.map((s) => s.value), q: data.rules.map((rule) => rule.sliders.map((s) => s.value)),
  };
}

/** How many steps a rule takes: the same for all, or as many as the same number of gradients buys. */
function stepsOf(data, state, rule) {
  if (!state.equal) return state.steps;
  const costs = data.games[state.game].rules, dearest = Math.max(...state.rules.map((k) => costs[k].cost));
  return Math.round(state.steps * dearest / costs[rule].cost);
}

/** The state as the part of a link after #: names and numbers only. */
function writeHash(data, state) {
  const game = data.games[state.game], parts = new URLSearchParams();
  parts.set("game", game.id);
  parts.set("rules", state.rules.map((k) => data.rules[k].id).join("|"));
  parts.set("start", state.start.join(","));
  parts.set("steps", state.steps);
  if (state.equal) parts.set("equal", 1);
  if (state.zoom !== 1) parts.set("zoom", state.zoom);
  if (state.starts !== 1) parts.set("starts", state.starts);
  if (state.noise) parts.set("noise", state.noise);
  if (state.draw) parts.set("draw", state.draw);
  if (state.map.kind) parts.set("map", [state.map.kind, data.rules[state.map.rule].id, state.map.x, state.map.y].join("|"));
  if (game.own) parts.set("cost", game.cost);
  game.sliders.forEach((s, k) => { if (state.p[k] !== s.value) parts.set(`game.${s.name}`, state.p[k]); });
  for (const k of state.rules) data.rules[k].sliders.forEach((s, j) => {
    if (state.q[k][j] !== s.value) parts.set(`${data.rules[k].id}.${s.name}`, state.q[k][j]);
  });
  return parts.toString();
}

/** The state that a link says. Names that are not on the page and values that are no numbers are passed over. */
function readHash(data, text) {
  const parts = new URLSearchParams(text), found = data.games.findIndex((game) => game.id === parts.get("game"));
  const state = openingState(data, Math.max(0, found)), game = data.games[state.game];
  const number = (name, low, high, otherwise) => {
    const written = parts.get(name), x = written === null || written.trim() === "" ? NaN : Number(written);
    return Number.isFinite(x) ? clamp(x, low, high) : otherwise;
  };
  const ids = (parts.get("rules") || "").split("|");
  const rules = data.rules.map((rule, k) => k).filter((k) => ids.includes(data.rules[k].id) && !game.rules[k].why);
  if (rules.length) state.rules = rules.slice(0, MOST_SHOWN);
  const start = (parts.get("start") || "").split(",").map((x) => (x.trim() === "" ? NaN : Number(x)));
  if (start.length === game.coordinates.length && start.every((x) => Number.isFinite(x) && Math.abs(x) <= 1e6)) state.start = start;
  state.steps = Math.round(number("steps", 1, MOST_STEPS, state.steps));
  state.zoom = number("zoom", 0.01, 100, state.zoom);
  state.starts = Math.round(number("starts", 1, MOST_STARTS, 1));
  state.noise = number("noise", 0, 1, 0);
  state.draw = Math.round(number("draw", 0, 1e6, 0));
  state.equal = parts.get("equal") === "1";
  const [kind, ruled, x, y] = (parts.get("map") || "").split("|"), mapped = data.rules.findIndex((r) => r.id === ruled);
  if (["basins", "region", "bifurcation"].includes(kind) && state.rules.includes(mapped)) state.map = {kind, rule: mapped, x: x || "", y: y || ""};
  game.sliders.forEach((s, k) => { state.p[k] = number(`game.${s.name}`, s.low, s.high, s.value); });
  data.rules.forEach((rule, k) => rule.sliders.forEach((s, j) => {
    state.q[k][j] = number(`${rule.id}.${s.name}`, s.low, s.high, s.value);
  }));
  return state;
}

/** The cost that a link brings, if it does. */
const costIn = (text) => new URLSearchParams(text).get("cost");

/** Make a typed cost the page's last game; "" or what is wrong with it. The text is read by the grammar, never run. */
function takeCost(data, code, traced, text) {
  const place = data.games.findIndex((game) => game.own);
  if (place < 0) return "";
  const game = data.games[place];
  try {
    const cost = text === null ? game.cost : text, made = ownGame(cost, data.own.language, traced);
    const sliders = made.sliders.map((name) => ({name, value: 1, low: -3, high: 3, logarithmic: false}));
    code[place] = made;
    const given = made.sliders.map((name) => `"${name}": ${name}`).join(", "), names = JSON.stringify(data.own.language.names);
    const python = `gd.games.from_sympy(${JSON.stringify(cost)}, ${names}${given ? `, parameters={${given}}` : ""})`;
    data.games[place] = {...game, cost, sliders, formula: `f = ${cost}`, python};
    return "";
  } catch (error) {
    return error.message;
  }
}

/** Starts on a spiral around the first one, for a cloud of so many in all; in a plane only. */
function aroundOf(start, count, reach) {
  if (start.length !== 2) return [];
  return Array.from({length: count - 1}, (_, k) => {
    const r = 0.3 * reach * Math.sqrt((k + 1) / count), angle = 2.399963 * (k + 1);
    return [start[0] + r * Math.cos(angle), start[1] + r * Math.sin(angle)];
  });
}

/** Python lines that run the same rules from the same start and draw them. */
function pythonLines(data, state) {
  const game = data.games[state.game], lines = ["import gandyn as gd", ""];
  game.sliders.forEach((s, k) => lines.push(`${s.name} = ${state.p[k]}`));
  lines.push(`game = ${game.python}`, "", "rules = []");
  for (const k of state.rules) {
    data.rules[k].sliders.forEach((s, j) => lines.push(`${s.name} = ${state.q[k][j]}`));
    lines.push(`rules.append(${data.rules[k].python})`);
  }
  lines.push("", `start, steps = [${state.start.join(", ")}], [${state.rules.map((k) => stepsOf(data, state, k)).join(", ")}]`);
  if (state.noise) lines.push(`noise = gd.noise.Additive(${state.noise} ** 2)  # the same law; the page's draws are its own`);
  lines.push(`runs = [gd.iterate(game, rule, start, count${state.noise ? ", noise=noise" : ""}) for rule, count in zip(rules, steps)]`);
  lines.push(`gd.plots.${game.mixture ? "data_space(game, runs[0].w)" : "phase_portrait(game, trajectories=runs, nullclines=True)"}.save("explorer.png")`);
  return lines.join("\n") + "\n";
}
