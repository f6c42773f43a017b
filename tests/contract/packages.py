"""Packages with tasks, put on the path of imports as an installer would leave them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "adding-a-task.md"


def blocks(language: str) -> list[str]:
    """The pieces of code of one language in the document, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def documented_files() -> dict[str, str]:
    """The files of the document's package: pieces that begin with the same name in a comment are one file."""
    files: dict[str, str] = {}
    for code in blocks("python") + blocks("toml"):
        if named := re.match(r"# (\S+\.(?:py|toml))\n", code):
            files[named[1]] = files.get(named[1], "") + code[named.end() :] + "\n\n"
    return files


def install(site: Path, project: str, version: str, entries: Mapping[str, str], files: Mapping[str, str]) -> None:
    """Lay files into a folder with the metadata that an installer writes beside them; ``entries`` are the tasks."""
    for name, content in files.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(content, encoding="utf-8")
    metadata = site / f"{project.replace('-', '_')}-{version}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n")
    lines = "".join(f"{name} = {value}\n" for name, value in entries.items())
    (metadata / "entry_points.txt").write_text(f"[textdl.tasks]\n{lines}")


def install_documented(site: Path) -> None:
    """Lay out the package of the document, with the entry points that its pyproject.toml declares."""
    files = documented_files()
    project = tomllib.loads(files.pop("pyproject.toml"))["project"]
    install(site, project["name"], project["version"], project["entry-points"]["textdl.tasks"], files)
