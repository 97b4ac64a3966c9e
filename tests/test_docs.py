"""The documentation is true: everything public is in it, every block of code runs, every command works, it builds."""

from __future__ import annotations

import contextlib
import doctest
import importlib.util
import io
import os
import pathlib
import re
import shlex
import subprocess
import sys
import zlib

import numpy as np
import pytest
import torch

import gandyn as gd
from gandyn.analysis.parameters.stability import StabilityRegion
from gandyn.gans.datasets.points import Points
from gandyn.results import Result
from gandyn.types import Game, Rule
from gandyn.watching import Watch

ROOT = pathlib.Path(__file__).parent.parent
DOCS = ROOT / "docs"
BUILT = ("_build", "generated", "gallery", "images")
PAGES = sorted(
    path for path in DOCS.rglob("*.md") if path.relative_to(DOCS).parts[0] not in BUILT
)  # fmt: skip
PAGES.append(ROOT / "README.md")

CODE = re.compile(r"^```(?P<kind>python|\{picture\} [^\n]+)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
CONSOLE = re.compile(r"^```(?:console|bash|sh|shell)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
FENCES = re.compile(r"^```+([^\n`]+)$", re.MULTILINE)
NOT_RUN = {"text", "latex", "toml", "json"}
SPOKEN = re.compile(r"`([A-Za-z_]\w*)((?:\.\w+)+)(\(?)[^`\n]*`")  # a name with its parts in prose, perhaps called
KNOWN = {"torch": torch, "np": np, "game": Game, "rule": Rule, "config": gd.gans.Config, "region": StabilityRegion}
KNOWN |= {"watch": Watch, "data": Points}
DIRECTIVES = ("{math}", "{toctree}", "{catalogue}", "{eval-rst}", "{figure}")


def name(page: pathlib.Path) -> str:
    return str(page.relative_to(ROOT))


def commands(page: pathlib.Path) -> list[str]:
    """What follows `$ ` in console blocks, lines of shell blocks, and calls of gandyn in running text."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in CONSOLE.finditer(text):
        block = match["text"].replace("\\\n", " ")
        prompted = [line[2:] for line in block.splitlines() if line.startswith("$ ")]
        found += prompted or [line for line in block.splitlines() if line.strip() and not line.startswith("#")]
    found += re.findall(r"`(gandyn [a-z][^`\n]*)`", CODE.sub("", CONSOLE.sub("", text)))
    return [part.strip() for command in found for part in command.split("&&")]


def gandyn_arguments(command: str) -> list[str] | None:
    """The arguments of a call of gandyn; None for another command."""
    words = shlex.split(command, comments=True)
    while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
        words = words[1:]
    return words[1:] if words and pathlib.Path(words[0]).name == "gandyn" else None


# Five seconds and more each: networks that are trained, long orbits.
LONG_PAGES = {
    "animation.md",
    "basins.md",
    "bifurcation.md",
    "certificates.md",
    "compare_with_bands.md",
    "chaos.md",
    "cycles.md",
    "duality_gap.md",
    "memory.md",
    "rates.md",
    "adam.md",
    "design.md",
    "drift.md",
    "noise.md",
    "nonlinear.md",
    "torch_cost.md",
    "trained_spectrum.md",
    "tutorial.md",
}
FIRST_PAGE = "README.md"  # whose commands a newcomer types first; each starts a process of its own
LONG_COMMANDS = {"gandyn explore", "gandyn claims", "gandyn cite --list"}  # every toy with every rule; whole lists


def weighed(value: object, long: bool) -> object:
    """The parameter, behind the slow marker where it is a long one."""
    values = value if isinstance(value, tuple) else (value,)
    return pytest.param(*values, marks=pytest.mark.slow if long else ())


COMMANDS = [
    weighed((page, command), page.name != FIRST_PAGE or command in LONG_COMMANDS)
    for page in PAGES
    for command in commands(page)
    if gandyn_arguments(command) is not None
]


# --- code -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [weighed(page, page.name in LONG_PAGES) for page in PAGES], ids=name)
def test_the_code_of_a_page_runs_and_prints_what_it_shows(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = page.read_text(encoding="utf-8")
    names: dict[str, object] = {"__name__": "page"}
    had: dict[str, list[object]] = {}

    def remember(names):
        for held, value in names.items():
            had.setdefault(held, []).append(value)

    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    for match in CODE.finditer(text):
        line = text[: match.start()].count("\n") + 1
        if not match["code"].startswith(">>>"):
            own = {"__name__": "page"} if match["kind"] != "python" else names
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                exec(compile(match["code"], f"{name(page)}:{line}", "exec", dont_inherit=True), own)
            shown = re.findall(r"# -> (.*)$", match["code"], re.MULTILINE)
            assert not shown or printed.getvalue().splitlines() == shown
            if match["kind"] != "python":
                assert isinstance(own["figure"], gd.plots.Drawing), f"{name(page)}:{line} makes no figure"
            remember(own)
            continue
        block = doctest.DocTestParser().get_doctest(match["code"], names, name(page), str(page), line)
        report: list[str] = []
        runner.run(block, out=report.append, clear_globs=False)
        names.update(block.globs)
        remember(block.globs)
        assert runner.summarize(verbose=False).failed == 0, "".join(report)
    broken = {
        span
        for span, root, parts in spoken(page)
        if root != "gd" and not any(keeps(v, parts) for v in (*had.get(root, ()), KNOWN.get(root)))
    }
    assert not broken, f"{name(page)} says {broken}, which its code does not have"


def spoken(page: pathlib.Path) -> list[tuple[str, str, str]]:
    """What prose says in backticks of a name and its parts: (the span, the name, its parts); calls, and all of `gd`."""
    prose = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    found = [(match[0], match[1], match[2][1:] + match[3]) for match in SPOKEN.finditer(prose)]
    return [
        (span, root, parts)
        for span, root, parts in found
        if (root == "gd" or parts.endswith("(")) and not parts.isupper()
    ]


def keeps(value: object, parts: str) -> bool:
    """Whether a value has what prose says of it; a result whose picture is named has to have one."""
    *above, last = parts.removesuffix("(").split(".")
    try:
        for part in above:
            value = getattr(value, part)
        return bool(value._plot if last == "plot" and isinstance(value, Result) else hasattr(value, last))
    except AttributeError:
        return False


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_names_of_the_library_in_prose_are_there(page):
    broken = {span for span, root, parts in spoken(page) if root == "gd" and not keeps(gd, parts)}
    assert not broken, f"{name(page)} names what gandyn does not have"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_to_files_that_a_reader_of_the_clone_has(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    links = re.findall(r"\]\((?!\w+:|#)([^)#\s]+)[^)]*\)", text)
    dead = [link for link in links if link.startswith("/") or not (page.parent / link).exists()]
    assert not dead, f"{name(page)}: {dead}"


def test_the_check_of_prose_sees_a_picture_that_is_not_there():
    """A how-to had promised a picture of a result that had none, in a sentence that no test ran."""
    without = gd.gans.ring().modes(torch.zeros(4, 2))
    assert not keeps(without, "plot(")
    assert keeps(gd.linearize(gd.games.bilinear(), gd.rules.GDA(0.1)), "plot(")
    assert not keeps(gd, "gans.trian(")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_fence_is_of_a_kind_that_the_tests_know(page):
    kinds = {fence.split()[0] for fence in FENCES.findall(page.read_text(encoding="utf-8"))}
    known = {"python", "{picture}", "console", "bash", "sh", "shell", *NOT_RUN, *DIRECTIVES}
    assert kinds <= known, f"{name(page)}: {kinds - known} is neither run nor known to be no code"


@pytest.mark.parametrize(
    ("page", "command"), COMMANDS, ids=lambda value: value if isinstance(value, str) else name(value)
)
def test_a_command_of_a_page_works(page, command, tmp_path):
    arguments = gandyn_arguments(command)
    run = subprocess.run(
        [sys.executable, "-c", "from gandyn.cli import main; main()", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, f"{name(page)}: $ {command}\n{run.stderr}"
    assert run.stdout.strip(), f"{name(page)}: $ {command} prints nothing"


# --- coverage ---------------------------------------------------------------------------------------------------------


def families(registry) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for entry in registry:
        found.setdefault(entry.build.__module__.rsplit(".", 1)[-1], []).append(entry.name)
    return found


@pytest.mark.parametrize("family", sorted(families(gd.rules.registry)))
def test_a_family_of_rules_has_its_page(family):
    page = DOCS / "rules" / f"{family}.md"
    assert page.exists(), f"rules/{family}.py has no page: write docs/rules/{family}.md"
    text = page.read_text(encoding="utf-8")
    assert re.search(rf"^```{{catalogue}} rule-family {family}\b", text, re.MULTILINE), (
        f"{page.name} does not show its rules"
    )
    for part in ("**When to use it.**", "**References.**", ">>> import gandyn as gd"):
        assert part in text, f"docs/rules/{family}.md lacks {part}"


def test_pages_of_families_that_are_gone_are_gone():
    pages = {path.stem for path in (DOCS / "rules").glob("*.md")} - {"index"}
    gone = sorted(pages - set(families(gd.rules.registry)))
    assert not gone, f"docs/rules has pages of files that gandyn/rules does not have: {gone}"


def test_every_page_can_be_reached():
    tocs = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    listed = set(re.findall(r"^([\w/]+)$", tocs, re.MULTILINE))
    for page in PAGES:
        if page.parent == ROOT or (page.stem == "index" and page.parent == DOCS) or page.parent.name == "rules":
            continue
        relative = str(page.relative_to(DOCS).with_suffix(""))
        assert {relative, page.stem} & listed, f"docs/{relative}.md is in no table of contents"


@pytest.mark.slow
def test_the_site_builds_without_warnings_and_documents_everything_public(tmp_path):
    for needed in ("sphinx", "myst_parser", "furo", "latex2mathml", "sphinx_gallery"):
        if importlib.util.find_spec(needed) is None:
            pytest.skip(f"{needed} is not installed: pip install -c constraints.txt -e '.[docs]'")
    out = tmp_path / "html"
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-b", "html", "-d", str(tmp_path / "trees")]
    environment = {**os.environ, "MPLBACKEND": "Agg"}
    run = subprocess.run(
        [*command, str(DOCS), str(out)], cwd=ROOT, capture_output=True, text=True, timeout=3000, env=environment
    )
    assert run.returncode == 0, run.stderr[-4000:]
    documented = inventory(out / "objects.inv")
    missing = sorted(public_names() - documented)
    assert not missing, f"not documented: {', '.join(missing)}"
    loads = re.compile(r"<(?:script|link|img)[^>]+(?:src|href)=\"https?://")
    external = [path.name for path in out.rglob("*.html") if loads.search(path.read_text(encoding="utf-8"))]
    assert not external, f"pages that need a network: {external}"


def inventory(path: pathlib.Path) -> set[str]:
    """Names of the objects that a built site documents."""
    data = path.read_bytes()
    body = zlib.decompress(data[[m.end() for m in re.finditer(rb"\n", data)][3] :]).decode()
    return {line.split(" ", 1)[0] for line in body.splitlines() if " py:" in line}


def public_names() -> set[str]:
    """What `import gandyn as gd` offers, what is registered, and what each room lists as public."""
    names = {f"gandyn.{n}" for n in gd.__all__ if callable(getattr(gd, n))} - {"gandyn.GandynError"}
    names |= {f"gandyn.errors.{n}" for n, thing in vars(gd.errors).items() if _is_error(thing)}
    for room in (gd.rules, gd.games, gd.losses, gd.penalties):
        names |= {f"{room.__name__}.{entry.name}" for entry in room.registry}
    top = [getattr(gd, n) for n in gd.__all__]
    for room in (gd.plots, gd.analysis, gd.gans, gd.dynamics):
        offered = {n: getattr(room, n) for n in getattr(room, "__all__", ())}
        names |= {f"{room.__name__}.{n}" for n, thing in offered.items() if callable(thing) and thing not in top}
    return names


def _is_error(thing) -> bool:
    return isinstance(thing, type) and issubclass(thing, gd.GandynError)
