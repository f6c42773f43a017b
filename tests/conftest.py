"""Shared by all tests."""

import os
import sys
from collections.abc import Callable
from typing import Any

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


@pytest.fixture
def check_plainly() -> Callable[[Any], None]:
    """scikit-learn's checks of an estimator, those that need no numbers one by one: ``check_estimator`` skips them."""

    def check_all(estimator: Any) -> None:
        from sklearn.utils import estimator_checks

        estimator_checks.check_estimator(estimator)
        name = type(estimator).__name__
        ran = 0
        for check in (
            "check_estimator_cloneable",
            "check_estimator_repr",
            "check_estimator_tags_renamed",
            "check_valid_tag_types",
            "check_no_attributes_set_in_init",
            "check_parameters_default_constructible",
            "check_get_params_invariance",
            "check_set_params",
            "check_do_not_raise_errors_in_init_or_set_param",
            "check_mixin_order",
        ):
            function = getattr(estimator_checks, check, None)  # some are of newer versions only
            if function is not None:
                function(name, estimator)
                ran += 1
        assert ran > 4

    return check_all


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The figures that matplotlib saves while a test goes on."""
    from matplotlib.figure import Figure

    figures: list[Any] = []
    save = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *a, **k: (figures.append(self), save(self, *a, **k)))
    return figures
