"""Tasks of other packages are found by their entry points, and nothing of a package is imported before it is named."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from textdl import artifact, load
from textdl.errors import ConfigError
from textdl.tasks import TASKS, find_task, task_lines

from .packages import install

Cli = Callable[..., tuple[int, str, str]]

GOOD = "class Count:\n    name, config_class, prepare, load_run = 'count', None, None, None\n"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path of imports; what is imported from it is forgotten after the test."""
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    yield tmp_path / "site"
    for name in ("counting_words", "abacus", "usurper"):
        sys.modules.pop(name, None)


def bring(site: Path, package: str, content: str | None, entry: str = "count", cls: str = "Count") -> None:
    """Install a package with one module and one entry point."""
    module = package.replace("-", "_")
    files = {} if content is None else {f"{module}.py": content}
    install(site, package, "2.1", {entry: f"{module}:{cls}"}, files)


def test_a_task_of_another_package_is_found_and_listed(site: Path, cli: Cli) -> None:
    bring(site, "counting-words", GOOD)
    assert task_lines()["count"] == "from the package counting-words 2.1"
    assert list(task_lines())[: len(TASKS)] == list(TASKS)
    code, out, _ = cli("train", "--help")
    assert code == 0
    assert any("count " in line and "from the package counting-words 2.1" in line for line in out.splitlines())
    assert "counting_words" not in sys.modules, "listing a task imports nothing of it"
    assert find_task("count").__module__ == "counting_words"


def test_near_names_of_outside_tasks_are_suggested_too(site: Path, cli: Cli) -> None:
    bring(site, "counting-words", GOOD)
    with pytest.raises(ConfigError, match=r"no task is called 'cuont'.*did you mean 'count'"):
        find_task("cuont")
    code, out, err = cli("train", "cuont", "x", "--out", site / "r")
    assert (code, out) == (2, "")
    assert "did you mean 'count'?" in err


def test_a_name_of_ours_stays_ours(site: Path) -> None:
    bring(site, "usurper", "raise SystemExit('imported')", entry="lm")
    assert find_task("lm").__module__ == "textdl.tasks.lm"
    assert task_lines()["lm"] == TASKS["lm"][2]
    assert "usurper" not in sys.modules


@pytest.mark.parametrize(
    "content, words",
    [
        ("import no_such_module_anywhere\n", "ModuleNotFoundError: No module named 'no_such_module_anywhere'"),
        ("x = 1\n", "has no attribute 'Count'"),
        (None, "No module named 'counting_words'"),
        ("def f(:\n", "SyntaxError"),
        ("raise RuntimeError('two\\nlines')\n", "RuntimeError: two lines"),
        ("import sys\nsys.exit('gone')\n", "SystemExit: gone"),
        ("class Count:\n    name = 'count'\n", "counting_words:Count has no 'config_class'"),
        (GOOD.replace("'count'", "'total'"), "calls itself 'total'"),
    ],
    ids=["import", "attribute", "module", "syntax", "error", "exit", "no task", "other name"],
)
def test_a_broken_package_is_named_in_one_line(site: Path, cli: Cli, content: str | None, words: str) -> None:
    bring(site, "counting-words", content)
    with pytest.raises(ConfigError) as refused:
        find_task("count")
    said = str(refused.value)
    assert said.startswith("the task 'count' from the package counting-words 2.1 ")
    assert words in said
    assert len(said.splitlines()) == 1
    assert find_task("lm"), "one broken package does not hold up the others"
    assert cli("train", "--help")[0] == 0
    for rest in (["--help"], ["text.txt", "--out", str(site / "r")]):
        code, out, err = cli("train", "count", *rest)
        assert (code, out) == (2, "")
        assert err == f"textdl: {said}\n"


def test_two_packages_with_one_name_are_refused_by_both_names(site: Path, cli: Cli) -> None:
    bring(site, "counting-words", GOOD)
    bring(site, "abacus", GOOD)
    with pytest.raises(ConfigError, match=r"the packages abacus 2\.1 and counting-words 2\.1 is there more than once"):
        find_task("count")
    assert "abacus 2.1 and counting-words 2.1" in cli("train", "--help")[1].replace("│", " ")
    assert not {"abacus", "counting_words"} & set(sys.modules)


def test_what_is_installed_is_read_only_where_it_is_needed(monkeypatch: pytest.MonkeyPatch, cli: Cli) -> None:
    def refuse(**named: object) -> None:
        raise AssertionError("the metadata of all packages was read")

    monkeypatch.setattr(importlib.metadata, "entry_points", refuse)
    assert cli("--help")[0] == 0
    assert cli("corpora")[0] == 0
    assert find_task("lm")
    with pytest.raises(AssertionError):
        task_lines()


def test_a_run_whose_package_is_gone_says_so(site: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    artifact.write_json(tmp_path / "run" / artifact.CONFIG, {"format": artifact.FORMAT, "task": "count"})
    with pytest.raises(ConfigError, match="no task is called 'count', nor does an installed package bring it"):
        load(tmp_path / "run")
