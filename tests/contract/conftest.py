"""Each task with its example, the document's package, and the command line as its users run it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

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
