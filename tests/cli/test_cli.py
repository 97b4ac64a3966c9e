"""The command line: what it prints, writes and refuses, and how little it loads to do so."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from typer.core import TyperCommand
from typer.testing import CliRunner

from gandyn.cli import app, values
from gandyn.cli.app import COMMANDS, command
from gandyn.errors import ParameterError


def gandyn(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def mistake(*arguments):
    """The one line that a mistake prints on stderr."""
    result = gandyn(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    return line


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


# --- what it loads ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["import gandyn", "import gandyn.cli", "--help", "list"])
def test_starting_loads_nothing_heavy(code):
    run = code if "import" in code else f"sys.argv = ['gandyn', {code!r}]; from gandyn.cli import main; main()"
    script = f"import atexit, sys\natexit.register(lambda: print('LOADED', *sys.modules))\n{run}"
    out = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    loaded = set(out.split("LOADED", 1)[1].split())
    assert "gandyn.public_names" in loaded
    assert not loaded & {"torch", "matplotlib", "sympy", "scipy", "PIL", "pandas"}


def test_help_says_of_each_command_what_its_function_says_and_loads_none():
    for name, (_, line) in COMMANDS.items():
        assert TyperCommand(name, help=line).get_short_help_str(200) == command(name).get_short_help_str(200)
    script = "import sys; from gandyn.cli import app; app(['--help'], standalone_mode=False); print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    modules = out.splitlines()[-1].split()
    assert [module for module in modules if module.startswith("gandyn.cli.")] == ["gandyn.cli.app"]


def test_the_package_runs_as_the_command():
    run = subprocess.run([sys.executable, "-m", "gandyn", "list", "rules"], capture_output=True, text=True, check=True)
    assert "Extragradient" in run.stdout


def test_help_names_the_commands():
    result = gandyn("--help")
    assert result.exit_code == 0
    assert gandyn().exit_code == 0
    assert gandyn().stdout == result.stdout
    assert gandyn().stderr == ""
    assert all(re.search(rf"^ +{name} ", result.stdout, re.MULTILINE) for name in ("spiral", "analyze", "list"))
    for option in ("--game", "--rule", "--lr", "--start", "--steps", "--surface", "--animate", "--out", "--json"):
        assert option in gandyn("spiral", "--help").stdout
    assert gandyn("--version").stdout.startswith("gandyn 0.")


# --- spiral -----------------------------------------------------------------------------------------------------------


def test_spiral_draws_and_prints_its_table(tmp_path):
    result = gandyn("spiral", "--steps", 40)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["rule", "spectral", "radius", "verdict", "final", "distance"]
    assert re.fullmatch(r"Simultaneous GD +sqrt\(26\)/5 +1\.019804 +repelling +2\.19112", lines[2])
    assert re.fullmatch(r"Extragradient +sqrt\(601\)/25 +0\.980612 +attracting +0\.\d+", lines[4])
    assert lines[-1] == "wrote spiral.png"
    assert (tmp_path / "spiral.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_spiral_writes_every_suffix(tmp_path):
    names = ["a.pdf", "b.svg", "c.png", "d.gif", "e.json"]
    outs = [part for name in names for part in ("--out", name)]
    result = gandyn("spiral", "--rule", "GDA", "--rule", "og-da", "--steps", 8, "--width", "single", *outs)
    assert result.exit_code == 0, result.output
    for name, start in zip(names, (b"%PDF", b"<?xml", b"\x89PNG", b"GIF8", b"{"), strict=True):
        assert (tmp_path / name).read_bytes().startswith(start)
    data = json.loads((tmp_path / "e.json").read_text())
    assert [rule["rule"] for rule in data["rules"]] == ["Gradient flow", "Simultaneous GD", "Optimistic GD"]


@pytest.mark.slow
def test_spiral_surface_and_animation(tmp_path):
    assert gandyn("spiral", "--rule", "EG", "--steps", 5, "--surface", "--animate").exit_code == 0
    with Image.open(tmp_path / "spiral.gif") as movie:
        assert movie.n_frames > 10


def test_spiral_json_is_only_json(tmp_path):
    result = gandyn("spiral", "--lr", "0.1,0.4", "--start", "0,2", "--steps", 30, "--json")
    data = json.loads(result.stdout)
    assert not list(tmp_path.iterdir())
    assert data["start"] == [0, 2]
    gda = data["rules"][1]
    assert gda["spectral_radius_exact"] == "sqrt(26)/5"  # det = 1 + lr_x lr_y = 1.04
    a, b = np.array(gda["w"]).T
    np.testing.assert_allclose(a[1:], a[:-1] - 0.1 * b[:-1], atol=1e-13)
    np.testing.assert_allclose(b[1:], b[:-1] + 0.4 * a[:-1], atol=1e-13)


def test_spiral_on_a_dirac_gan_with_settings():
    command = ["spiral", "--game", "dirac-gan", "--set", "penalty=R1(1/2)", "--rule", "HeavyBall(0.1, -1/4)", "--json"]
    result = gandyn(*command)
    assert result.exit_code == 0, result.output
    flow, heavy = json.loads(result.stdout)["rules"]
    assert flow["spectral_abscissa"] == pytest.approx(-0.25)
    assert heavy["call"] == "HeavyBall(lr=0.1, momentum=-1/4, alternating=False)"


# --- analyze and list -------------------------------------------------------------------------------------------------


def test_analyze_prints_a_page():
    page = gandyn("analyze", "bilinear", "--rule", "OGDA", "--set", "lr=0.2").stdout
    for line in (
        r"costs +f = a\*b",
        r"field +v_a = b",
        r"dynamics +OptimisticGD\(lr=0\.2\)",
        r"map +a\+ = a - 2\*b/5 \+ previous_field_a/5",
        r"point +\(0, 0\)",
        r"eigenvalues +sqrt\(21\)/10 \+ 1/2 \+ I/5  =  0\.9582575695 \+ 0\.2i",
        r"spectral radius +sqrt\(sqrt\(21\)/10 \+ 1/2\)  =  0\.978906312931",
        r"verdict +attracting",
        r"because +\S.*",
    ):
        assert re.search(rf"^{line}$", page, re.MULTILINE), line


def test_analyze_the_flow_and_free_parameters():
    page = gandyn("analyze", "dirac", "--set", "penalty=R1(0.3)").stdout
    assert "gradient flow" in page
    assert re.search(r"spectral abscissa +-3/20  =  -0\.15", page)
    page = gandyn("analyze", "bilinear", "--rule", "GDA", "--set", "lr=eta").stdout
    assert "sqrt(eta**2 + 1)" in page
    page = gandyn("analyze", "bilinear", "--rule", "Adam(0.1)").stdout
    assert re.search(r"verdict +undecided", page)
    assert "no derivative" in page


def test_analyze_json_is_exact_where_the_text_is():
    result = gandyn("analyze", "quadratic", "--set", "a=1/3", "--rule", "simultaneous", "--set", "lr=0.1", "--json")
    data = json.loads(result.stdout)
    assert data["field"] == ["x/3 + y", "-x + y"]
    assert data["map"]["x+" if "x+" in data["map"] else "x"] == "29*x/30 - y/10"
    values_ = np.linalg.eigvals(np.eye(2) - 0.1 * np.array([[1 / 3, 1], [-1, 1]]))
    assert data["spectral_radius"] == pytest.approx(np.abs(values_).max(), rel=1e-12)
    assert len(data["eigenvalues_exact"]) == 2


def test_analyze_at_another_point():
    page = gandyn("analyze", "bilinear", "--at", "1/2,3").stdout
    assert re.search(r"point +\(0\.5, 3\)", page)
    assert "not an equilibrium" in page


def test_list():
    everything = gandyn("list").stdout
    for name in ("bilinear(matrix=None)", "Extragradient(lr", "minimax(", "R1(gamma"):
        assert name in everything
    data = json.loads(gandyn("list", "rules", "--json").stdout)
    assert list(data) == ["rules"]
    by_name = {entry["name"]: entry for entry in data["rules"]}
    assert "GDA" in by_name["SimultaneousGD"]["aliases"]
    assert all(entry["description"] for entry in data["rules"])


# --- mistakes ---------------------------------------------------------------------------------------------------------

MISTAKES = {
    "spirl": r"no command named 'spirl': did you mean 'spiral'\?.*analyze, .*list, .*spiral",
    "spiral --rule GDDA": r"--rule: there is no rule named 'GDDA': did you mean 'GDA'\?.*AlternatingGD",
    "spiral --game bilinar": r"no game named 'bilinar': did you mean 'bilinear'\?.*dirac_gan",
    "spiral --lr -1": r"lr=-1.*positive",
    "spiral --lr nan": r"lr=nan.*positive",
    "spiral --lr foo": r"--lr 'foo'.*a number, or one per player.*--lr 0\.2",
    "spiral --lr 0.1,0.2,0.3": r"3 values \(0\.1, 0\.2, 0\.3\).*1 or 2.*x, y of bilinear",
    "spiral --set lr=0.1": r"--set lr.*in --lr.*--lr 0\.1",
    "spiral --start 1": r"shape \(1,\).*2\) for bilinear",
    "spiral --start nan,0": r"finite numbers",
    "spiral --start inf,0": r"finite numbers",
    "spiral --start a,b": r"--start 'a,b'.*numbers with commas",
    "spiral --start": r"--start.*requires an argument",
    "spiral --steps 0": r"--steps 0.*>= 1",
    "spiral --steps x": r"--steps.*integer",
    "spiral --bogus": r"No such option.*--bogus.*spiral --help",
    "spiral --out x.jpg": r"suffix '\.jpg'.*\.png, \.pdf, \.svg, \.gif, \.json",
    "spiral --out x": r"no suffix",
    "spiral --out missing/x.png": r"no folder missing.*create it first",
    "spiral --animate --out x.png": r"--animate into x\.png.*\.gif",
    "spiral --width huge": r"no width named 'huge'.*double, single, slide",
    "spiral --set matrix=((1,2),(3,4))": r"4 coordinates.*two coordinates",
    "analyze": r"Missing argument",
    "analyze bilinear --rule GDA": r"SimultaneousGD without lr.*--set lr=0\.1",
    "analyze bilinear --rule GDA --set lr": r"--set 'lr'.*name=value",
    "analyze bilinear --rule GDA --set lr=": r"name=value",
    "analyze bilinear --rule GDA --set lr=1..2": r"--set lr: the value '1\.\.2'.*a number",
    "analyze bilinear --rule GDA --set lr=1/0": r"the value '1/0'",
    "analyze bilinear --rule GDA --set lr=0.1 --set lr=0.2": r"lr twice",
    "analyze bilinear --rule GDA --set lr=0.1 --set momentum=2": r"no parameter named 'momentum'.*lr, matrix",
    "analyze dirac --set loss=wassersten": r"no loss named 'wassersten'.*did you mean 'wasserstein'",
    "analyze dirac --set penalty=R7(1)": r"no penalty named 'R7'.*did you mean 'R\d'",
    "analyze bilinear --at 1,2,3": r"--at: .*shape \(3,\)",
    "analyze bilinear --at x": r"--at 'x'.*numbers with commas",
    "analyze bilinear --at nan,1": r"finite numbers",
    "analyze bilinear --rule HeavyBall(0.1)": r"missing.*momentum",
    "analyze bilinear --rule Alternating(GDDA(0.1))": r"--rule: there is no rule named 'GDDA'",
    "analyze bilinear --rule GDA(0.1) --noise -1": r"--noise: ",
    "list gamse": r"no list named 'gamse'.*did you mean 'games'",
}


@pytest.mark.parametrize("command", MISTAKES)
def test_mistakes_are_one_line_with_what_was_given_needed_and_the_fix(command, tmp_path):
    assert re.search(MISTAKES[command], mistake(*command.split()))
    assert not list(tmp_path.iterdir())


def test_paths_that_the_system_refuses():
    result = gandyn("spiral", "--steps", 2, "--rule", "GDA", "--out", "/proc/picture.png")
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert re.match(r"error: cannot write /proc/picture\.png", line)


def test_the_installed_command_reports_mistakes_alike():
    script = "from gandyn.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", script, "list", "gamse"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: there is no list named 'gamse'")
    assert "Traceback" not in done.stderr


# --- values -----------------------------------------------------------------------------------------------------------


def test_values_are_exact_where_the_text_is():
    import sympy

    assert values.value("0.1") == 0.1
    assert isinstance(values.value("0.1"), float)
    long = values.value("0.12345678901234567891")
    assert long == sympy.Rational(12345678901234567891, 10**20)
    assert values.value("-1/3") == sympy.Rational(-1, 3)
    assert values.value("sqrt(2)/10") == sympy.sqrt(2) / 10
    assert values.value("2*pi") == 2 * sympy.pi
    assert values.value("0.5+0.2j") == 0.5 + 0.2j
    assert values.value("(1, 2), (3, 4)") == ((1, 2), (3, 4))
    assert values.value("true") is True
    assert values.value("R1(1/3)").gamma == sympy.Rational(1, 3)
    assert values.value("Unheard(0.3)") == "Unheard(0.3)"


@pytest.mark.parametrize(
    "text", ["1..2", "1 +", "[1,", "a b", "1/0", "2**999", "x.y", "lambda: 1", "'a'", "1 if 2 else 3"]
)
def test_values_are_never_code(text):
    with pytest.raises(ParameterError, match="the value"):
        values.value(text)


# --- what the tab key offers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("gandyn anal", {"analyze"}),
        ("gandyn analyze bil", {"bilinear"}),
        ("gandyn analyze bilinear --rule Extrag", {"Extragradient", "ExtragradientPlus"}),
        ("gandyn figure daskalakis", {"daskalakis_2018_wgan_mean"}),
        ("gandyn train digits-d", {"digits-dcgan"}),
        ("gandyn cite schaefer_2019", {"schaefer_2019"}),
    ],
)
def test_the_tab_key_offers_names(line, offered):
    environment = {"_GANDYN_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(line.split()) - 1)}
    result = CliRunner().invoke(app, [], prog_name="gandyn", env=environment)
    assert offered <= set(result.stdout.split()), result.output
    assert all(name.lower().startswith(line.split()[-1].lower()) for name in result.stdout.split())
