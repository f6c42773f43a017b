"""Shared by all tests."""

import os
import sys
from collections.abc import Callable

import pytest

# Before torch is imported: the models here are small, and threads that wait for each other only slow them down.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, str]]:
    """``cli("train", "lm", ...)`` -> (exit code, standard output, standard error)."""

    from textdl_cli.main import main

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
