// The two pictures on plain canvas: the plane of the game, and the eigenvalues beside the unit circle.
const DASHES = [[], [8, 3], [2, 3], [10, 3, 2, 3], [5, 2], [12, 4], [3, 2, 8, 2], [6, 6]];
const tones = new Map(); // colours by name, until the theme changes: asking for the style of the page is slow
function color(name) {
  if (!tones.has(name)) tones.set(name, getComputedStyle(document.documentElement).getPropertyValue(name).trim());
  return tones.get(name);
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => tones.clear());
// The first four rules have the colours of `gd.plots.spiral`: simultaneous steps orange, alternating ones blue, ...
const toneOf = (place) => `--c${[1, 0, 2, 3, 4, 5, 6, 7][place % 8]}`;
const colorOf = (place) => color(toneOf(place));

/** A canvas of the size it has on the page, in its device's pixels; {paint, width, height} in CSS pixels. */
function prepared(canvas) {
  const width = canvas.clientWidth, height = canvas.clientHeight, ratio = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const paint = canvas.getContext("2d");
  paint.setTransform(ratio, 0, 0, ratio, 0, 0);
  paint.fillStyle = color("--paper");
  paint.fillRect(0, 0, width, height);
  paint.font = "12px system-ui, sans-serif";
  return {paint, width, height};
}

/** From the plane to the canvas and back; equal units on both axes, `reach` to the nearer border. */
function viewOf(width, height, centre, reach) {
  const scale = Math.min(width, height) / (2 * reach);
  return {
    x: (x) => width / 2 + (x - centre[0]) * scale, y: (y) => height / 2 - (y - centre[1]) * scale,
    back: (px, py) => [centre[0] + (px - width / 2) / scale, centre[1] - (py - height / 2) / scale],
    box: [centre[0] - width / 2 / scale, centre[0] + width / 2 / scale, centre[1] - height / 2 / scale, centre[1] + height / 2 / scale],
  };
}

const line = (paint, view, points) => lines(paint, view, [points]);

/**
 * Several lines in one stroke, which is much faster than one stroke each. A move of less than half a pixel is none, and
 * pieces that lie wholly on one side of the canvas are left out: lines that have run away cost most of the time otherwise.
 */
function lines(paint, view, several) {
  const right = view.x(view.box[1]), bottom = view.y(view.box[2]);
  paint.beginPath();
  for (const points of several) {
    for (let k = 0, left = NaN, top = NaN, drawn = false; k < points.length; k++) {
      const x = view.x(points[k][0]), y = view.y(points[k][1]);
      if (k && k < points.length - 1 && Math.abs(x - left) < 0.5 && Math.abs(y - top) < 0.5) continue;
      const seen = k && !(x < 0 && left < 0 || y < 0 && top < 0 || x > right && left > right || y > bottom && top > bottom);
      if (seen && !drawn) paint.moveTo(left, top);
      if (seen) paint.lineTo(x, y);
      drawn = seen;
      left = x;
      top = y;
    }
  }
  paint.stroke();
}

const pieces = (paint, view, found) => {
  paint.beginPath();
  for (const [a, b, c, d] of found) { paint.moveTo(view.x(a), view.y(b)); paint.lineTo(view.x(c), view.y(d)); }
  paint.stroke();
};

/** A picture that stays while its key does, kept beside the canvas and copied onto it. */
function kept(canvas, paint, width, height, key, make) {
  const ratio = window.devicePixelRatio || 1, whole = JSON.stringify([key, canvas.width, canvas.height, color("--paper")]);
  if (!canvas.kept || canvas.kept.key !== whole) {
    const copy = Object.assign(document.createElement("canvas"), {width: canvas.width, height: canvas.height}), inside = copy.getContext("2d");
    inside.setTransform(ratio, 0, 0, ratio, 0, 0);
    inside.font = paint.font;
    make(inside);
    canvas.kept = {key: whole, copy};
  }
  paint.drawImage(canvas.kept.copy, 0, 0, width, height);
}

function disc(paint, x, y, radius) {
  paint.beginPath();
  paint.arc(x, y, radius, 0, 2 * Math.PI);
}

/** Discs in one filling. */
function discs(paint, view, points, radius) {
  paint.beginPath();
  for (const [x, y] of points) { paint.moveTo(view.x(x) + radius, view.y(y)); paint.arc(view.x(x), view.y(y), radius, 0, 2 * Math.PI); }
  paint.fill();
}

/** Round numbers over an interval, at most about `most` of them. */
function ticks(low, high, most) {
  const raw = (high - low) / most, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw), first = Math.ceil(low / step);
  return Array.from({length: Math.max(0, Math.floor(high / step) - first + 1)}, (_, k) => Number(((first + k) * step).toPrecision(12)));
}

function drawAxes(paint, view, width, height, names) {
  paint.fillStyle = color("--soft");
  paint.strokeStyle = color("--line");
  paint.lineWidth = 1;
  paint.textAlign = "center";
  for (const x of ticks(view.box[0], view.box[1], width / 80)) {
    line(paint, view, [[x, view.box[2]], [x, view.box[3]]]);
    if (view.x(x) > 20 && view.x(x) < width - 40) paint.fillText(String(x), view.x(x), height - 5);
  }
  paint.textAlign = "left";
  for (const y of ticks(view.box[2], view.box[3], height / 80)) {
    line(paint, view, [[view.box[0], y], [view.box[1], y]]);
    if (view.y(y) > 34 && view.y(y) < height - 20) paint.fillText(String(y), 4, view.y(y) - 3);
  }
  paint.fillStyle = color("--ink");
  paint.textAlign = "right";
  paint.fillText(names[0], width - 6, height - 5);
  paint.textAlign = "left";
  paint.fillText(names[1], 4, 14);
}

function drawField(paint, view, width, height, field, p) {
  paint.strokeStyle = color("--field");
  paint.lineWidth = 1;
  paint.beginPath();
  const cells = Math.max(8, Math.round(width / 34)), gap = width / cells;
  for (let i = 0; i < cells; i++) for (let j = 0; j * gap < height; j++) {
    const px = (i + 0.5) * gap, py = (j + 0.5) * gap, v = field(view.back(px, py), p), size = Math.hypot(...v);
    if (!(size > 1e-12) || !Number.isFinite(size)) continue;
    const dx = -v[0] / size * gap * 0.32, dy = v[1] / size * gap * 0.32;
    paint.moveTo(px - dx, py - dy);
    paint.lineTo(px + dx, py + dy);
    paint.lineTo(px + dx - 0.45 * dx - 0.25 * dy, py + dy - 0.45 * dy + 0.25 * dx);
    paint.moveTo(px + dx, py + dy);
    paint.lineTo(px + dx - 0.45 * dx + 0.25 * dy, py + dy - 0.45 * dy - 0.25 * dx);
  }
  paint.stroke();
}

/** What does not depend on the start: axes, field and nullclines. */
function drawGround(paint, view, width, height, scene) {
  drawAxes(paint, view, width, height, scene.names);
  drawField(paint, view, width, height, scene.game.field, scene.p);
  paint.lineWidth = 1.2;
  [0, 1].forEach((k) => {
    paint.strokeStyle = color("--soft");
    paint.setLineDash(k ? [3, 3] : []);
    pieces(paint, view, zeroCurves((w) => scene.game.field(w, scene.p)[k], view.box, 60));
  });
  paint.setLineDash([]);
}

function drawPlane(canvas, scene) {
  const {paint, width, height} = prepared(canvas), view = viewOf(width, height, scene.centre, scene.reach);
  kept(canvas, paint, width, height, [scene.id, scene.formula, scene.p, scene.reach], (ground) => drawGround(ground, view, width, height, scene));
  for (const {place, of} of scene.conserved) {
    const level = of(scene.start);
    paint.strokeStyle = place < 0 ? color("--soft") : colorOf(place);
    paint.lineWidth = 1;
    paint.setLineDash([1, 3]);
    pieces(paint, view, zeroCurves((w) => of(w) - level, view.box, 80));
  }
  paint.setLineDash([]);
  if (scene.shown) {
    paint.lineWidth = 1;
    paint.globalAlpha = 0.25;
    scene.cloud.forEach((runs, place) => { paint.strokeStyle = colorOf(place); lines(paint, view, runs); });
    paint.globalAlpha = 1;
    paint.strokeStyle = color("--soft");
    paint.lineWidth = 3;
    paint.globalAlpha = 0.5;
    line(paint, view, scene.flow);
    paint.globalAlpha = 1;
    scene.runs.forEach((run, place) => {
      paint.strokeStyle = paint.fillStyle = colorOf(place);
      paint.lineWidth = 1.8;
      paint.setLineDash(DASHES[place % DASHES.length]);
      line(paint, view, run.points);
      paint.setLineDash([]);
      if (run.points.length < 200) discs(paint, view, run.points, 2);
    });
  }
  if (scene.equilibrium) {
    paint.strokeStyle = color("--ink");
    paint.lineWidth = 2;
    disc(paint, view.x(scene.equilibrium[0]), view.y(scene.equilibrium[1]), 5);
    paint.stroke();
  }
  paint.fillStyle = color("--ink");
  disc(paint, view.x(scene.start[0]), view.y(scene.start[1]), 8);
  paint.fill();
  paint.fillStyle = color("--paper");
  disc(paint, view.x(scene.start[0]), view.y(scene.start[1]), 3.5);
  paint.fill();
  return view;
}

function drawSpectrum(canvas, parts) {
  const {paint, width, height} = prepared(canvas);
  const most = Math.max(1, ...parts.flatMap((part) => (part.values || []).map((x) => Math.hypot(...x))));
  const view = viewOf(width, height, [0, 0], 1.15 * Math.min(most, 3));
  drawAxes(paint, view, width, height, ["real part", "imaginary part"]);
  paint.strokeStyle = color("--ink");
  paint.lineWidth = 1.5;
  disc(paint, view.x(0), view.y(0), view.x(1) - view.x(0));
  paint.stroke();
  parts.forEach((part, place) => {
    paint.strokeStyle = colorOf(place);
    paint.lineWidth = 2;
    for (const [x, y] of part.values || []) {
      const px = view.x(x), py = view.y(y), r = 4 + (place % 3) * 1.5;
      paint.beginPath();
      if (place % 2) { paint.rect(px - r, py - r, 2 * r, 2 * r); } else { paint.arc(px, py, r, 0, 2 * Math.PI); }
      paint.stroke();
    }
  });
}

/** A Dirac-GAN where its data are: the real point, the generated points, and the discriminator's line. */
function drawData(canvas, scene) {
  canvas.parentElement.hidden = !scene.dirac;
  if (!scene.dirac) return;
  const {paint, width, height} = prepared(canvas), view = viewOf(width, height, [0, 0], scene.reach * height / Math.max(width, 1));
  const edge = view.box[1], base = 0;
  drawAxes(paint, view, width, height, ["data space", "D"]);
  const discriminator = ([, phi], stroke, dash) => {
    paint.strokeStyle = stroke;
    paint.lineWidth = 1.8;
    paint.setLineDash(dash);
    line(paint, view, [[-edge, -edge * phi], [edge, edge * phi]]);
    paint.setLineDash([]);
  };
  const point = (x, fill, label) => {
    paint.fillStyle = fill;
    disc(paint, view.x(x), view.y(base), 6);
    paint.fill();
    paint.textAlign = "center";
    if (label) paint.fillText(label, view.x(x), view.y(base) - 10);
  };
  discriminator(scene.start, color("--ink"), []);
  if (scene.shown) scene.runs.forEach((run, place) => {
    const last = run.points[run.points.length - 1];
    discriminator(last, colorOf(place), DASHES[place % DASHES.length]);
    point(last[0], colorOf(place), "");
  });
  point(scene.start[0], color("--ink"), "generated");
  point(0, color("--c2"), "real");
}
