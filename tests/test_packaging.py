"""What is built is what is in the repository, and it works away from it."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("wheel")
    # Built from git's files alone, in a folder of its own: nothing that lies about here can slip in.
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    source = tmp_path_factory.mktemp("source")
    for name in filter(None, listed):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(source)]
    done = subprocess.run(build, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return next(out.glob("*.whl")), [name for name in listed if name]


@pytest.mark.slow
def test_the_wheel_holds_what_git_holds(wheel):
    path, listed = wheel
    inside = {n for n in zipfile.ZipFile(path).namelist() if ".dist-info/" not in n}
    names = {"textdl/": "textdl/", "cli/": "textdl_cli/", "corpora/": "textdl_corpora/"}
    expected = {new + name.removeprefix(old) for name in listed for old, new in names.items() if name.startswith(old)}
    assert inside == expected


@pytest.mark.slow
def test_the_wheel_runs_outside_the_checkout(wheel, tmp_path):
    path, _ = wheel
    zipfile.ZipFile(path).extractall(tmp_path / "site")
    code = (
        "import textdl, textdl_corpora, textdl_cli.main, sys\n"
        f"assert textdl.__file__.startswith({str(tmp_path)!r}), textdl.__file__\n"
        "sys.argv = ['textdl', 'corpora', 'show', 'recipes', '--samples', '1']\n"
        "textdl_cli.main.main()"
    )
    # -S leaves the editable installation of the checkout out; the other packages are put back by their folder.
    packages = Path(pytest.__file__).parent.parent
    environment = {"PYTHONPATH": f"{tmp_path / 'site'}:{packages}", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "dish famil" in done.stdout


def test_pins_stand_in_the_constraints_file_only():
    project = (ROOT / "pyproject.toml").read_text()
    dependencies = project.split("dependencies = [")[1].split("]")[0]
    assert "==" not in dependencies
    pins = (ROOT / "constraints.txt").read_text().splitlines()
    assert all("==" in line for line in pins if line and not line.startswith("#"))
    named = {line.split("==")[0].lower().replace("_", "-") for line in pins}
    wanted = {part.split(">=")[0].strip(' ",\n') for part in dependencies.split(",\n") if part.strip(' ",\n')}
    assert wanted <= named


def test_the_version_is_one():
    import tomllib

    import textdl

    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == textdl.__version__
