"""Each task with its example, the document's package, and the command line as its users run it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from textdl_cli.main import main

from .examples import EXAMPLES, OUTSIDE, Example
from .packages import install_documented


@pytest.fixture
def vowels(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The package of docs/adding-a-task.md, installed for one test; the folder that it lies in."""
    site = tmp_path_factory.mktemp("site")
    install_documented(site)
    monkeypatch.syspath_prepend(str(site))
    yield site
    for name in [name for name in sys.modules if name.split(".")[0] == "vowels"]:
        del sys.modules[name]


@pytest.fixture(params=[*EXAMPLES, *OUTSIDE])
def task(request: pytest.FixtureRequest) -> str:
    """The name of each task that has an example."""
    if request.param in OUTSIDE:
        request.getfixturevalue("vowels")
    return str(request.param)


@pytest.fixture
def example(task: str) -> Example:
    """The example of the task."""
    return {**EXAMPLES, **OUTSIDE}[task]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, str]]:
    """``cli("train", "lm", ...)`` -> (exit code, standard output, standard error)."""

    def run(*args: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["textdl", *map(str, args)])
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1 if end.code else 0
        out = capsys.readouterr()
        return code, out.out, out.err

    return run
