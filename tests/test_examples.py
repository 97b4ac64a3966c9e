"""Every example runs in an empty folder and shows what it promises; so do the README's commands and code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
README = (ROOT / "README.md").read_text()
SAYS = {
    "duality_gap.py": ("7*x**2 + 7*y**2/3", "box: 84 (exact)", "wrote duality_gap_landscapes.png"),
    "gda_spiral.py": ("sqrt(26)/5", "wrote gda_spiral.png"),
    "one_rule_three_worlds.py": ("sqrt(9181)/100", "largest difference between the two: 0.0"),
    "your_own_game.py": ("saddle", "wrote your_own_game.png"),
    "your_own_rule.py": ("24*sqrt(26)/125", "attracting", "wrote your_own_rule.png"),
}


def run(arguments, folder):
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


# As a cell of a notebook runs it: no file, and the arguments of the kernel.
CELL = "import pathlib; exec(compile(pathlib.Path({!r}).read_text(), '<cell>', 'exec'), {{'__name__': '__main__'}})"
AS_CELLS = [(path, True) for path in EXAMPLES if path.name in SAYS]


def weighed(path, cell):
    """The first example as a script, and behind the slow marker all as notebooks: each is a process of its own."""
    return pytest.param(path, cell, marks=pytest.mark.slow if cell else (), id=f"{path.name}-{cell}")


@pytest.mark.parametrize(
    ("path", "cell"), [weighed(ROOT / "examples" / "gda_spiral.py", False)] + [weighed(*a) for a in AS_CELLS]
)
def test_example(path, cell, tmp_path):
    out = run(["-c", CELL.format(str(path)), "-f", "kernel.json"] if cell else [str(path)], tmp_path)
    assert all(words in out for words in SAYS[path.name])
    for name in re.findall(r"wrote (\S+)", out):
        assert (tmp_path / name).stat().st_size > 10_000


def test_every_short_example_is_expected_here():
    assert set(SAYS) <= {p.name for p in EXAMPLES}
    assert len((ROOT / "examples" / "gda_spiral.py").read_text().splitlines()) < 40


@pytest.mark.slow
def test_the_example_draws_the_picture_of_the_command(tmp_path):
    run([str(ROOT / "examples" / "gda_spiral.py"), "example.png"], tmp_path)
    run(["-c", "from gandyn.cli import main; main()", "spiral", "--out", "command.png"], tmp_path)
    assert (tmp_path / "example.png").read_bytes() == (tmp_path / "command.png").read_bytes()


def test_the_readme_opens_with_the_picture_and_two_commands():
    picture = re.search(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert (ROOT / picture.group(1)).is_file()
    commands = re.findall(r"```bash\n(.*?)```", README, re.DOTALL)[:2]
    assert README.index(commands[1]) < README.index("```python")
    for command, last in zip(commands, (r"gandyn spiral --out \S+", r"python -m pytest"), strict=True):
        assert len(command.splitlines()) == 1
        setup = r"python3 -m venv \.venv && \.venv/bin/pip install -c constraints\.txt -e \S+"
        assert re.fullmatch(rf"{setup} && \.venv/bin/{last}\n", command), command
    assert commands[1].strip() in (ROOT / ".ci" / "run").read_text()


WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None  # as where it is not installed
import gandyn as gd
from gandyn.cli import main
from gandyn.errors import MissingDependencyError
game, rule = gd.games.dirac_gan(), gd.rules.OptimisticGD("lr")
print(gd.stability_region(game, rule, parameters=("lr",)).critical("lr"))
print(gd.iterate(game, gd.rules.Adam(0.1), [[1.0, 0.0]], 10).w.shape)
gd.figures.make("goodfellow_2014_losses", out="figures", quick=True)
for ask in (lambda: gd.gans.train, lambda: gd.optim, lambda: gd.watch, lambda: gd.games.from_torch([abs], [1, 1])):
    try:
        ask()
    except MissingDependencyError as error:
        print(error)
sys.argv = ["gandyn", "train", "ring-alternating-adam"]
main()
"""


@pytest.mark.slow
def test_without_torch_everything_but_networks_works_and_those_say_what_is_missing(tmp_path):
    command = [sys.executable, "-c", WITHOUT_TORCH]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    threshold, shape, *refused = [line for line in done.stdout.splitlines() if line]
    assert (threshold, shape) == ("2*sqrt(3)/3", "(11, 1, 2)"), done.stdout + done.stderr
    assert len(refused) == 4
    assert set(refused) == {refused[0]}
    assert "gandyn[torch]" in refused[0]
    assert done.returncode == 2
    assert done.stderr.splitlines() == [f"error: {refused[0]}"]


def test_the_readme_code_runs_and_prints_what_it_says(tmp_path):
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    said = re.findall(r"# -> (.*)", code)
    assert run(["-c", code], tmp_path).splitlines() == said
