"""Nothing heavy is imported before it is used."""

import subprocess
import sys

import pytest

HEAVY = {
    "torch", "numpy", "datasets", "pyarrow", "pandas", "nltk", "tokenizers", "numba", "safetensors", "tensorboard",
    "gensim", "matplotlib", "scipy", "sklearn",
}  # fmt: skip


def imported(*args: str, allowed: set[str] = frozenset()) -> set[str]:
    """The heavy packages that a command has imported when it ends."""
    code = (
        "import sys; sys.argv = ['textdl', *sys.argv[1:]]\n"
        "from textdl_cli.main import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        f"print('IMPORTED', *({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True)
    last = done.stderr.strip().splitlines()[-1].split()
    assert last[0] == "IMPORTED", done.stderr
    return set(last[1:])


def test_help_imports_nothing_heavy():
    assert imported("--help") == set()
    assert imported("train", "--help") == set()
    assert imported("--version") == set()


@pytest.mark.parametrize("command", [["corpora"], ["corpora", "show", "recipes"], ["info", "nowhere"], ["info", "."]])
def test_commands_that_need_no_torch_do_not_import_it(command):
    assert "torch" not in imported(*command)


def test_word_vectors_are_looked_at_without_torch(tmp_path):
    (tmp_path / "two.txt").write_text("2 2\none 1 2\ntwo 2 1\n")
    allowed = {"numpy", "numba", "safetensors"}
    for command in (["nearest", "one"], ["analogy", "one", "two", "one"], ["evaluate"], ["convert"]):
        extra = [str(tmp_path / "out.bin")] if command == ["convert"] else command[1:]
        assert imported(command[0], str(tmp_path / "two.txt"), *extra) <= allowed


def test_importing_textdl_imports_nothing_heavy():
    code = f"import sys, textdl; print({HEAVY!r} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"


def test_a_real_run_can_be_shown_without_torch(tmp_path):
    import numpy as np

    from textdl import artifact

    artifact.save_arrays(tmp_path / artifact.MODEL, {"w": np.zeros(3, np.float32)})
    artifact.write_json(tmp_path / artifact.REPORT, {"ended": "finished", "figures": {}})
    parts = {"corpus": {"name": "x"}, "model": {}, "train": {"seed": 1}, "versions": {}}
    artifact.write_json(tmp_path / artifact.CONFIG, {"format": 1, "task": "lm", **parts})
    assert not {"torch", "datasets", "numba"} & imported("info", str(tmp_path))
