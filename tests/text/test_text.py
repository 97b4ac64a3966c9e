"""The one grammar for text: what it reads, exactly; what it refuses, in one line; and that nothing is ever executed."""

from __future__ import annotations

import ast
import contextlib
import inspect
import math
import time
from pathlib import Path

import hypothesis
import pytest
import sympy
from hypothesis import strategies as st

import gandyn as gd
from gandyn import losses, penalties, rules
from gandyn.cli import values
from gandyn.errors import GandynError, TextError
from gandyn.text import Scope, formula, read
from gandyn.worlds import exact

S = gd.games.from_sympy
PACKAGE = Path(gd.__file__).parent
READ = [
    ("0.1", 0.1),
    ("1/3", sympy.Rational(1, 3)),
    ("sqrt(2)/10", sympy.sqrt(2) / 10),
    ("Sqrt(2)", sympy.sqrt(2)),
    ("root(2, 3)", sympy.root(2, 3)),
    ("exp(-1)", sympy.exp(-1)),
    ("log(2)", sympy.log(2)),
    ("-2**2", -4),
    ("(-2)**2", 4),
    ("2**3**2", 512),
    ("2**-1", sympy.Rational(1, 2)),
    ("1 - 2 - 3", -4),
    ("8/4/2", 1),
    ("0.1*3", sympy.Rational(3, 10)),
    ("--1", 1),
    ("0.5+0.2j", 0.5 + 0.2j),
    ("1e-3", 0.001),
    (".5", 0.5),
    ("1_000", 1000),
    ("0.12345678901234567891", sympy.Rational(12345678901234567891, 10**20)),
    ("2*pi", 2 * sympy.pi),
    ("TRUE", True),
    ("yes", True),
    ("On", True),
    ("False", False),
    ("no", False),
    ("off", False),
    ("None", None),
    ("inf", math.inf),
    ("0.1, 1/2", (0.1, sympy.Rational(1, 2))),
    ("[1, (2, 3)]", (1, (2, 3))),
    ("{x: 0.1, 'y': 2}", {"x": 0.1, "y": 2}),
    ("wasserstein", "wasserstein"),
    ("non-saturating", "non-saturating"),
    ("2*eta", 2 * sympy.Symbol("eta", positive=True)),
]
REFUSED = [
    "", " ", ",", "(", ")", "1 +", "* 2", "1 2", "a b", "1..2", "0x10", "2x", "x.y", "a.b(1)", "[1,", "{1: 2}", "x^2",
    "1;2", "lambda: 1", "1 if 2 else 3", "[x for x in (1,)]", "f'{1}'", "__import__('os')", "1/0", "0**-1", "log(0)",
    "1e400", "1e-400", "1e308*10", "9" * 400, "2**999", "9**9**9**9", "x**64**2", "exp(1000)", "exp(exp(exp(9)))",
    "-" * 3000 + "1", "(" * 3000, "[" * 50 + "]" * 50, "sqrt", "sqrt()", "sqrt(1, 2)", "sqrt(x=1)", "true + 1",
    "'a' * 2", "(1, 2) * 3", "nan * 2", "tan(pi/2)", "{x: 1, x: 2}", "1 < 2", "\x00", "`ls`", "$HOME", "a-b-c * 2",
    "x" * 20_000, "1 + " * 4000 + "1", "max(1)", "root(2, 1/2)", "0.1 0.2", "=", "x=1", "1,,2", "é" * 11_000, "1e",
]  # fmt: skip
CODE = ["__import__('os').system('touch {}')", "open('{}', 'w')", "exec(\"open('{}','w')\")", "().__class__.__bases__"]


@pytest.mark.parametrize(("text", "value"), READ, ids=[t for t, _ in READ])
def test_what_is_read(text, value):
    got = read(text, Scope())
    assert got == value
    assert isinstance(got, type(value)) or isinstance(value, sympy.Basic)


@pytest.mark.parametrize("text", REFUSED, ids=[t[:20] or "nothing" for t in REFUSED])
def test_what_is_refused_in_one_line_and_quickly(text):
    start = time.process_time()
    with pytest.raises(TextError) as caught:
        read(text, Scope())
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("GDA(1/3)", rules.GDA(sympy.Rational(1, 3))),
        ("gda(0.1)", rules.GDA(0.1)),
        ("GDA(sqrt(2)/10)", rules.GDA(sympy.sqrt(2) / 10)),
        ("GDA(exp(-1))", rules.GDA(sympy.exp(-1))),
        ("heavy-ball(0.1,-0.3)", rules.HeavyBall(0.1, -0.3)),
        ("heavy_ball(LR=0.1, momentum=-0.3)", rules.HeavyBall(0.1, -0.3)),
        ("HeavyBall(0.1, 0.5, alternating=false)", rules.HeavyBall(0.1, 0.5)),
        ("HeavyBall(0.1, 0.5, alternating=Yes)", rules.HeavyBall(0.1, 0.5, alternating=True)),
        ("Extragradient(0.05, fresh=off)", rules.Extragradient(0.05)),
        ("Alternating(adam(0.001, betas=[0, 0.99]))", rules.Alternating(rules.Adam(0.001, betas=(0, 0.99)))),
        ("GDA({x: 0.1, y: 0.2})", rules.GDA({"x": 0.1, "y": 0.2})),
        ("Lookahead(GDA(0.1), k=10/2)", rules.Lookahead(rules.GDA(0.1), 5)),
        ("GDA(2*eta)", rules.GDA(2 * sympy.Symbol("eta", positive=True))),
    ],
)
def test_rules_read_alike_on_the_command_line_and_in_configs(text, rule):
    assert rules.registry.from_text(text) == rule
    assert values.build_rule(text, {})[0] == rule


def test_penalties_and_losses():
    assert penalties.resolve("zero-centered(1)") == (gd.penalties.ZeroCentered(1),)
    assert penalties.resolve("0-gp(1/3)") == (gd.penalties.ZeroCentered(sympy.Rational(1, 3)),)
    assert penalties.resolve("WGANGP(10, one_sided=false)") == (gd.penalties.WGANGP(10),)
    assert penalties.resolve("wgangp(10, one-sided=on)") == (gd.penalties.WGANGP(10, one_sided=True),)
    assert values.value("zero-centered(1)") == gd.penalties.ZeroCentered(1)
    assert losses.resolve("label-smoothing(hinge, 0.9)").real_target == 0.9
    assert tuple(type(losses.resolve(name)).__name__ for name in ("lsgan", "LS-GAN")) == (
        "LeastSquares",
        "LossSensitive",
    )


@pytest.mark.parametrize(
    "text",
    [
        "GDA(lr=0.1, lr=0.2)", "GDA(0.1)(0.2)", "a.b(0.1)", "GDA(lr=0.1, 0.2)", "GDA(0.1", "GDA", "3", "GDA(-1/3)",
        "GDA(sqrt(-2))", "GDA(log(1/2))", "GDA(none)", "GDA(true)", "GDA(my-lr)", "GDA(R1(1))", "GDA(1e400)",
        "Alternating(Adam)", "HeavyBall(0.1, 0.5, alternating=maybe)", "HeavyBall(0.1, 0.5, alternating=2)", "GDA(,)",
        "Lookahead(GDA(0.1), k=1/2)", "GDA(" * 50 + ")" * 50, "GDA(0.1, rate=2)", "GDA(0.1).lr", "GDA(0/3)",
        "Scheduled(GDA(0.1), x)",
    ],
)  # fmt: skip
def test_rules_that_are_none(text):
    for build in (rules.registry.from_text, lambda t: values.build_rule(t, {})):
        with pytest.raises(GandynError) as caught:
            build(text)
        assert "\n" not in str(caught.value)


def test_words_for_booleans_in_python():
    assert rules.HeavyBall(0.1, 0.5, alternating="no").alternating is False
    assert gd.penalties.WGANGP(10, one_sided="ON").one_sided is True
    for wrong in ("maybe", "", 2, None, 0.0, [True]):
        with pytest.raises(GandynError, match="True or False"):
            rules.HeavyBall(0.1, 0.5, alternating=wrong)


def test_every_flag_of_every_rule_penalty_and_loss_is_read():
    """Fields declared `bool`: "no" is False, "perhaps" is refused."""
    import dataclasses

    found = 0
    for room in (rules, penalties, losses):
        for entry in room.registry:
            if not dataclasses.is_dataclass(entry.build):
                continue
            flags = [f.name for f in dataclasses.fields(entry.build) if f.type in ("bool", bool)]
            one = entry.build.examples()[0] if room is rules else entry.build(**entry.examples[0])
            for flag in flags:
                found += 1
                assert getattr(dataclasses.replace(one, **{flag: "no"}), flag) is False
                with pytest.raises(GandynError, match="True or False"):
                    dataclasses.replace(one, **{flag: "perhaps"})
    assert found >= 12


# --- costs ------------------------------------------------------------------------------------------------------------


def test_costs_as_text():
    a, b, c = sympy.symbols("a b c", real=True)
    assert S("a*b", ["a", "b"]).exprs == (a * b, -a * b)
    assert S(["a*b - 0.1*a**2", "-a*b + c"], ["a", "b"], ["c"]).exprs == (a * b - a**2 / 10, -a * b + c)
    assert S("u1*v1 + u2*v2", ["u1, u2", "v1 v2"]).dim == 4
    assert S("a-b", "a b").field_exprs == (1, 1)
    assert S("log(1 + exp(a))*b", ["a", "b"]).exprs[0] == sympy.log(1 + sympy.exp(a)) * b
    piecewise = S("Piecewise((a*b, a > 0), (0, true))", ["a", "b"]).exprs[0]
    assert piecewise == sympy.Piecewise((a * b, a > 0), (0, True))
    assert S(a * b, ["a", "b"]).symbols == (a, b)
    plain = sympy.Symbol("a")
    assert S(plain * b, ["a", "b"]).symbols == (plain, b)
    assert S("x*y", [sympy.Symbol("x", positive=True), "y"]).symbols[0].is_positive
    assert S("c*x*y", ["x", "y"], {"c": "1/3"}).exprs[0].coeff(sympy.Symbol("x", real=True)).args[0] == sympy.Rational(
        1, 3
    )


@hypothesis.given(
    st.recursive(
        st.sampled_from(["x", "y", "2", "0.5", "1/3"]),
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
            st.tuples(inner, st.integers(1, 3)).map(lambda t: f"({t[0]})**{t[1]}"),
            st.tuples(st.sampled_from(["exp", "sin", "tanh", "abs"]), inner).map(lambda t: f"{t[0]}(({t[1]})/9)"),
            inner.map(lambda t: f"-{t}"),
        ),
        max_leaves=6,
    )
)
@hypothesis.settings(max_examples=60)
def test_formulas_mean_what_python_means(text):
    """Against Python's own evaluation of the same text at a point: precedence, signs, functions."""
    x, y = 0.7, -1.3
    try:
        ours = formula(text)
    except TextError:
        hypothesis.assume(False)
    theirs = eval(
        text, {"__builtins__": {}}, {"x": x, "y": y, "exp": math.exp, "sin": math.sin, "tanh": math.tanh, "abs": abs}
    )
    assert complex(ours.subs({"x": x, "y": y})) == pytest.approx(theirs, rel=1e-9, abs=1e-12)


# --- nothing is executed ----------------------------------------------------------------------------------------------


def _doors(text):
    """Every way in for text that this library has, each called with `text`."""
    yield lambda: S(text, ["x", "y"])
    yield lambda: S([text, "x"], ["x", "y"])
    yield lambda: S("x*y", [text, "y"])
    yield lambda: S("x*y", text)
    yield lambda: S("c*x*y", ["x", "y"], {"c": text})
    yield lambda: gd.games.SymbolicGame("g", [text, text], {"x": sympy.symbols("x:1"), "y": sympy.symbols("y:1")})
    yield lambda: values.value(text)
    yield lambda: values.build_rule(text, {})
    for room in (gd.games, rules, penalties, losses, gd.gans.datasets, gd.gans.features, gd.gans.metrics):
        yield lambda room=room: room.registry.from_text(text)
        for entry in room.registry:
            yield lambda room=room, entry=entry: room.registry.from_text(f"{entry.name}({text})")
            for name, parameter in inspect.signature(entry.build).parameters.items():
                if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                    yield lambda entry=entry, name=name: entry.build(**{**(entry.examples or ({},))[0], name: text})


@pytest.mark.parametrize("code", CODE, ids=["import", "open", "exec", "class"])
def test_code_in_any_text_is_not_executed(code, tmp_path, monkeypatch):
    """Each builder refuses the text, or keeps it as a text; the file that it would make is never there."""
    monkeypatch.chdir(tmp_path)
    target = tmp_path / "made"
    tried = 0
    for door in _doors(code.format(target)):
        tried += 1
        with contextlib.suppress(Exception):
            door()
        assert not target.exists()
    assert tried > 300


def test_sympy_parses_no_text_of_ours():
    """In the package: `sympify` only in its strict form, and no parser of Python's or SymPy's."""
    forbidden = {"eval", "parse_expr", "literal_eval", "S"}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func).split(".")
            if called[-1] == "sympify":
                assert any(k.arg == "strict" for k in node.keywords), f"{path.name}: sympify(..., strict=True)"
            assert called[-1] not in forbidden or (called[-1] == "eval" and len(called) > 1) or called[0] != "sympy", (
                path
            )
            assert called != ["eval"], path


def test_a_root_takes_what_and_which():
    assert exact("root(8, 3)") == 2
    for text in ("root(8)", "root(8, 3, 1)"):
        with pytest.raises(GandynError):
            exact(text)
