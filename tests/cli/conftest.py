"""Running the command line as its users do, inside this process."""

import sys

import pytest
from textdl_cli.main import main


@pytest.fixture
def cli(capsys, monkeypatch):
    """``cli("train", "lm", ...)`` -> (exit code, standard output, standard error)."""

    def run(*args):
        monkeypatch.setattr(sys, "argv", ["textdl", *map(str, args)])
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1 if end.code else 0
        out = capsys.readouterr()
        return code, out.out, out.err

    return run
