// A cost as text, read as the library reads it, and its value, gradient and second derivatives at a point.
// A jet is [f, fx, fy, fxx, fxy, fyy]. A parsed text is a function of (names to jets) that returns a jet or a boolean.
const TOKEN = /\s+|([^\W\d]\w*)|((?:\d+(?:_\d+)*(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+)?(?![\w.]))|(\*\*|<=|>=|[-+*\/(),<>])/y;

function tokens(text, language) {
  const found = [];
  if (text.length > language.longest) throw new Error(`longer than ${language.longest} letters`);
  for (TOKEN.lastIndex = 0; TOKEN.lastIndex < text.length;) {
    const place = TOKEN.lastIndex, match = TOKEN.exec(text);
    if (!match) throw new Error(text[place] === "^" ? "a power is written **" : `"${text[place]}" at position ${place + 1}`);
    const [, word, number, sign] = match;
    if (number && number.length > language.longest_number) throw new Error(`a number of ${number.length} digits`);
    if (word || number || sign) found.push({kind: word ? "word" : number ? "number" : "sign", text: match[0], place: place + 1});
  }
  return [...found, {kind: "end", text: "the end", place: text.length + 1}];
}

/** The text as {value: (names to jets) => jet, names}. Throws an Error that says what is wrong. */
function readCost(text, language) {
  const list = tokens(text, language), names = new Set();
  let at = 0, depth = 0;
  const take = (...signs) => (list[at].kind === "sign" && signs.includes(list[at].text) ? list[at++].text : "");
  const wrong = (needed) => { throw new Error(`${list[at].text} at position ${list[at].place}; needed: ${needed}`); };
  const demand = (sign) => take(sign) || wrong(sign);
  const deeper = (parse) => {
    if (++depth > language.deepest) throw new Error(`nested deeper than ${language.deepest}`);
    const found = parse();
    depth--;
    return found;
  };
  const numeric = (node) => { if (node.boolean || node.pair) wrong("a number or an expression"); return node.run; };
  const node = (run, more = {}) => ({run, ...more});
  const several = (next, join, ...signs) => {
    let left = next();
    for (let sign = take(...signs); sign; sign = take(...signs)) left = join(sign, numeric(left), numeric(next()));
    return left;
  };
  const sum = () => several(product, (sign, a, b) => node((v) => jetSum(a(v), b(v), sign === "+" ? 1 : -1)), "+", "-");
  const product = () => several(signed, (sign, a, b) => node(sign === "*" ? (v) => jetProduct(a(v), b(v)) : (v) => jetProduct(a(v), jetOf("reciprocal", b(v)))), "*", "/");
  const comparison = () => {
    const left = sum(), sign = take("<", "<=", ">", ">=");
    if (!sign) return left;
    const a = numeric(left), b = numeric(sum());
    return node((v) => COMPARED[sign](a(v)[0], b(v)[0]), {boolean: true});
  };
  const signed = () => {
    const sign = take("+", "-");
    if (!sign) return power();
    const inner = numeric(deeper(signed));
    return sign === "-" ? node((v) => inner(v).map((x) => -x)) : node(inner);
  };
  const power = () => {
    const base = single();
    if (!take("**")) return base;
    const a = numeric(base), b = numeric(deeper(signed)), constant = b(new Map([...names].map((n) => [n, jetConstant(NaN)])))[0];
    if (Math.abs(constant) > language.power) throw new Error(`a power of ${constant}; powers go up to ${language.power}`);
    return node((v) => jetPower(a(v), b(v)));
  };
  const single = () => {
    const token = list[at++];
    if (token.kind === "number") return node(((jet) => () => jet)(jetConstant(finite(Number(token.text.replaceAll("_", "")), token.text))));
    if (token.kind === "word") return take("(") ? deeper(() => call(token.text.toLowerCase())) : word(token.text);
    if (token.kind === "sign" && token.text === "(") return deeper(() => {
      const inner = comparison();
      if (!take(",")) { demand(")"); return inner; }
      const condition = comparison();
      demand(")");
      if (!condition.boolean) wrong("a condition such as x > 0");
      return node(null, {pair: [numeric(inner), condition.run]});
    });
    at--;
    return wrong("a number, a name or a call");
  };
  const word = (name) => {
    const key = name.toLowerCase();
    if (key === "pi") return node(((jet) => () => jet)(jetConstant(Math.PI)));
    if (key in language.words) {
      const value = language.words[key];
      if (value === null) throw new Error(`${name} is no finite number`);
      return node(() => value, {boolean: true});
    }
    if (key in language.functions) throw new Error(`${name} alone; write what to take it of: ${name}(0.5)`);
    names.add(name);
    return node((v) => v.get(name));
  };
  const call = (name) => {
    if (!(name in language.functions)) throw new Error(`a call of ${name}; there are ${Object.keys(language.functions).join(", ")}`);
    const given = [], [least, most] = language.functions[name];
    while (!take(")")) {
      given.push(comparison());
      if (!take(",")) { demand(")"); break; }
    }
    if (given.length < least || given.length > most) throw new Error(`${given.length} arguments of ${name}; needed: ${least}${most > least ? ` to ${most}` : ""}`);
    if (name === "piecewise") {
      const pieces = given.map((g) => g.pair || wrong("pairs (value, condition)"));
      return node((v) => (pieces.find(([, holds]) => holds(v)) || [() => jetConstant(NaN)])[0](v));
    }
    const runs = given.map(numeric);
    if (name === "max" || name === "min") return node((v) => runs.map((run) => run(v)).reduce((a, b) => ((name === "max" ? a[0] >= b[0] : a[0] <= b[0]) ? a : b)));
    if (name === "root") return node((v) => jetPower(runs[0](v), jetOf("reciprocal", runs[1](v))));
    return node((v) => jetOf(name, runs[0](v)));
  };
  const whole = numeric(comparison());
  if (list[at].kind !== "end") wrong("the end");
  return {value: whole, names: [...names]};
}

const finite = (x, text) => { if (!Number.isFinite(x)) throw new Error(`${text} is no number that a float holds`); return x; };
const COMPARED = {"<": (a, b) => a < b, "<=": (a, b) => a <= b, ">": (a, b) => a > b, ">=": (a, b) => a >= b};
const jetConstant = (x) => [x, 0, 0, 0, 0, 0];
const jetSum = (a, b, s) => [a[0] + s * b[0], a[1] + s * b[1], a[2] + s * b[2], a[3] + s * b[3], a[4] + s * b[4], a[5] + s * b[5]];
const jetProduct = (a, b) => [
  a[0] * b[0], a[1] * b[0] + a[0] * b[1], a[2] * b[0] + a[0] * b[2],
  a[3] * b[0] + 2 * a[1] * b[1] + a[0] * b[3],
  a[4] * b[0] + a[1] * b[2] + a[2] * b[1] + a[0] * b[4],
  a[5] * b[0] + 2 * a[2] * b[2] + a[0] * b[5],
];
/** g(a) for a function g with value, first and second derivative [g0, g1, g2] at a. */
const jetChain = (a, [g0, g1, g2]) => [
  g0, g1 * a[1], g1 * a[2], g2 * a[1] * a[1] + g1 * a[3], g2 * a[1] * a[2] + g1 * a[4], g2 * a[2] * a[2] + g1 * a[5],
];
const jetIsConstant = (a) => a[1] === 0 && a[2] === 0 && a[3] === 0 && a[4] === 0 && a[5] === 0;
const jetOf = (name, a) => (jetIsConstant(a) ? jetConstant(DERIVATIVES[name](a[0])[0]) : jetChain(a, DERIVATIVES[name](a[0])));

function jetPower(a, b) {
  if (!jetIsConstant(b)) return jetOf("exp", jetProduct(b, jetOf("log", a)));
  const n = b[0], x = a[0];
  if (n === 0) return jetConstant(1);
  if (jetIsConstant(a)) return jetConstant(x ** n);
  if (n === 2) return jetChain(a, [x * x, 2 * x, 2]);
  return jetChain(a, [x ** n, n * x ** (n - 1), n === 1 ? 0 : n * (n - 1) * x ** (n - 2)]);
}

const DERIVATIVES = {
  reciprocal: (x) => [1 / x, -1 / x ** 2, 2 / x ** 3],
  sqrt: (x) => [Math.sqrt(x), 0.5 / Math.sqrt(x), -0.25 / x ** 1.5],
  cbrt: (x) => (x < 0 ? [NaN, NaN, NaN] : [Math.cbrt(x), x ** (-2 / 3) / 3, -2 * x ** (-5 / 3) / 9]),
  exp: (x) => [Math.exp(x), Math.exp(x), Math.exp(x)],
  log: (x) => [Math.log(x), 1 / x, -1 / x ** 2],
  sin: (x) => [Math.sin(x), Math.cos(x), -Math.sin(x)],
  cos: (x) => [Math.cos(x), -Math.sin(x), -Math.cos(x)],
  tan: (x) => { const t = Math.tan(x); return [t, 1 + t * t, 2 * t * (1 + t * t)]; },
  sinh: (x) => [Math.sinh(x), Math.cosh(x), Math.sinh(x)],
  cosh: (x) => [Math.cosh(x), Math.sinh(x), Math.cosh(x)],
  tanh: (x) => { const t = Math.tanh(x); return [t, 1 - t * t, -2 * t * (1 - t * t)]; },
  atan: (x) => [Math.atan(x), 1 / (1 + x * x), -2 * x / (1 + x * x) ** 2],
  erf: (x) => { const g = 2 / Math.sqrt(Math.PI) * Math.exp(-x * x); return [erf(x), g, -2 * x * g]; },
  sign: (x) => [Math.sign(x), 0, 0],
  abs: (x) => [Math.abs(x), Math.sign(x), 0],
  heaviside: (x) => [(1 + Math.sign(x)) / 2, 0, 0],
  sigmoid: (x) => { const s = sigmoid(x); return [s, s * sigmoid(-x), s * sigmoid(-x) * (1 - 2 * s)]; },
  softplus: (x) => [softplus(x), sigmoid(x), sigmoid(x) * sigmoid(-x)],
  log_sigmoid: (x) => [-softplus(-x), sigmoid(-x), -sigmoid(x) * sigmoid(-x)],
};

// The cost that `partial` asks, on which the rules of OWN are traced: set before they run.
const CHOSEN = {of: null, jet: () => jetConstant(NaN), at: null, last: null};

/** d^(i+j) f / dx^i dy^j of the chosen cost, i + j at most 2. */
function partial(i, j, x, y) {
  if (!CHOSEN.at || CHOSEN.at[0] !== x || CHOSEN.at[1] !== y) { CHOSEN.last = CHOSEN.jet(x, y); CHOSEN.at = [x, y]; }
  return CHOSEN.last[i + j === 0 ? 0 : i + j === 1 ? 1 + j : 3 + j];
}

/** The game of a typed cost in the form of CODE's, its sliders' names in the order of p. Throws as readCost. */
function ownGame(text, language, traced) {
  const {value, names} = readCost(text, language), [first, second] = language.names;
  for (const name of [first, second]) if (!names.includes(name)) throw new Error(`the cost does not depend on ${name}`);
  const sliders = names.filter((name) => name !== first && name !== second);
  const known = new Map();
  const choose = (p) => {
    if (CHOSEN.of === known && sliders.every((name, k) => known.get(name)[0] === p[k])) return;
    sliders.forEach((name, k) => known.set(name, jetConstant(p[k])));
    CHOSEN.of = known;
    CHOSEN.at = null;
    CHOSEN.jet = (x, y) => value(known.set(first, [x, 1, 0, 0, 0, 0]).set(second, [y, 0, 1, 0, 0, 0]));
  };
  return {
    sliders,
    field: (w, p) => { choose(p); const j = CHOSEN.jet(...w); return [j[1], -j[2]]; },
    costs: (w, p) => { choose(p); const f = CHOSEN.jet(...w)[0]; return [f, -f]; },
    project: (w) => w, equilibria: () => [], conserved: null,
    steps: traced.steps.map((step) => step && ((z, c, p, q, e) => { choose(p); return step(z, c, [], q, e); })),
    starts: traced.starts.map((start) => start && ((w, p, q) => { choose(p); return start(w, [], q); })),
  };
}
