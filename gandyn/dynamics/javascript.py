"""The map as JavaScript: one self-contained function for pages, `(z, counters) => z+`."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping

import numpy as np

from ..errors import MissingDependencyError
from ..symbolic.backends import JAVASCRIPT
from ..symbolic.lowering import StraightLine
from .kernels import Chunk, Kernel
from .program import Program

# erf by its everywhere convergent series, 2/sqrt(pi) x exp(-x^2) sum (2 x^2)^n / (1 3 5 ... (2n + 1)), whose terms all
# have one sign; beyond 6 it is 1 to double precision.
HELPERS = {
    "sigmoid": "const sigmoid = (x) => 1 / (1 + Math.exp(-x));",
    "softplus": "const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));",
    "erf": (
        "const erf = (x) => { if (Math.abs(x) > 6) return Math.sign(x); let term = x, sum = x; "
        "for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) "
        "{ term *= 2 * x * x / (2 * n + 1); sum += term; } "
        "return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum; };"
    ),
}


def function(code: StraightLine, arguments: Mapping[str, int]) -> str:
    """Straight-line code as a JavaScript function that returns its outputs in an array.

    The names of `HELPERS` have to be defined where it stands.

    Args:
        code: what is computed.
        arguments: each array that the function takes, with how many of the inputs it holds, in their order.

    Example:
        >>> import sympy
        >>> from gandyn.symbolic.lowering import lower
        >>> x, k = sympy.symbols("x k")
        >>> print(function(lower([x, k], [k * x]), {"w": 1, "p": 1}))
        (w, p) => { const i0 = w[0]; const i1 = p[0]; const t0 = (i0 * i1); return [t0]; }
    """
    places = [f"{name}[{k}]" for name, count in arguments.items() for k in range(count)]
    names = [f"const {name} = {place};" for name, place in zip(code.inputs, places, strict=True)]
    outputs = ", ".join(map(JAVASCRIPT.operand, code.outputs))
    body = " ".join([*names, *JAVASCRIPT.lines(code), f"return [{outputs}];"])
    return f"({', '.join(arguments)}) => {{ {body} }}"


class JavaScriptKernel(Kernel):
    """`source` is the text of the function; it also takes the step counts and advances them in place.

    Calling the kernel from Python runs it in node, where node is installed: that is for checks.
    """

    backend = "javascript"

    def __init__(self, title: str, program: Program) -> None:
        super().__init__(title, program)
        lines = (*program.uniform, *program.varying)
        names = [*(f"const {n} = z[{k}];" for k, n in enumerate(program.inputs))]
        names += [f"const {n} = counters[{k}];" for k, n in enumerate(program.counters)]
        used = [text for name, text in HELPERS.items() if any(line.op == name for line in lines)]
        counts = [f"const n{k} = {JAVASCRIPT.operand(o)};" for k, o in enumerate(program.counter_outputs)]
        counts += [f"counters[{k}] = n{k};" for k in range(len(counts))]
        body = [*used, *names, *JAVASCRIPT.lines(program.line(lines)), *counts]
        body.append(f"return [{', '.join(map(JAVASCRIPT.operand, program.outputs))}];")
        self.source = "(z, counters = []) => {\n  " + "\n  ".join(body) + "\n}"

    def _advance(self, chunk: Chunk) -> None:
        node = shutil.which("node")
        if node is None:
            raise MissingDependencyError("JavaScript run from Python without node", "node on PATH", "use `.source`")
        job = {
            "z": chunk.z.tolist(), "alive": chunk.alive.tolist(), "done": chunk.done.tolist(),
            "counters": chunk.counters, "steps": chunk.steps, "width": self.program.dim,
            "limits": [chunk.limit if k < self.program.dim else chunk.ceiling for k in range(self.program.size)],
            "stride": chunk.stride if chunk.rows is not None else 0, "phase": chunk.phase,
        }  # fmt: skip
        script = f"const step = {self.source};\n{DRIVER}"
        run = subprocess.run([node, "-e", script], input=json.dumps(job), capture_output=True, text=True, check=True)  # noqa: S603
        answer = json.loads(run.stdout)
        chunk.z[:], chunk.alive[:], chunk.done[:] = answer["z"], answer["alive"], answer["done"]
        chunk.counters = answer["counters"]
        if chunk.rows is not None and answer["rows"]:
            rows = np.array(answer["rows"]).swapaxes(0, 1)
            chunk.rows[: len(rows)] = rows


DRIVER = """
const job = JSON.parse(require("fs").readFileSync(0, "utf8"));
let last = job.counters;
const rows = job.z.map((z, i) => {
  const counters = job.counters.slice(), mine = [];
  for (let t = 1; t <= job.steps; t++) {
    const next = step(z, counters);
    job.alive[i] = job.alive[i] && next.every((x, k) => Math.abs(x) <= job.limits[k]);
    if (job.alive[i]) { z = next; job.done[i]++; }
    if (job.stride && (job.phase + t) % job.stride === 0) mine.push(z.slice(0, job.width));
  }
  job.z[i] = z;
  last = counters;
  return mine;
});
const {z, alive, done} = job;
console.log(JSON.stringify({z, alive, done, counters: last, rows: job.stride ? rows : null}));
"""
