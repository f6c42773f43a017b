"""The direction of imports: a module imports only lower floors, or its own folder."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent

#: room -> floor; rooms on one floor never import each other.
FLOORS = {
    "errors": 0,
    "config": 1,
    "artifact": 1,
    "kernels": 1,
    "text": 2,
    "images": 2,
    "strokes": 2,
    "corpus": 3,
    "labelled": 4,
    "parallel": 4,
    "tagged": 4,
    "series": 4,
    "image_corpus": 4,
    "stroke_corpus": 4,
    "plane": 4,
    "vectors": 3,
    "models": 4,
    "training": 4,
    "baselines": 4,
    "tasks": 5,
    "inspect": 6,
    "cli": 7,
    "examples": 7,
    "benchmarks": 7,
}


def room(module: str) -> str | None:
    """The room of a dotted module name of ours: ``textdl.text.words`` is in ``text``."""
    parts = module.split(".")
    if parts[0] == "textdl_cli":
        return "cli"
    return parts[1] if parts[0] == "textdl" and len(parts) > 1 else None


def imports(path: Path, package: list[str]) -> list[tuple[str, int]]:
    """Every module that a file imports, relative ones made absolute, with the line."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(p for p in (base, node.module or "") if p)
            found += [(f"{module}.{alias.name}", node.lineno) for alias in node.names]
    return found


def sources() -> list[tuple[Path, list[str]]]:
    """Our files with the package that each is in."""
    files = [(p, list(p.relative_to(ROOT).parent.parts)) for p in sorted((ROOT / "textdl").rglob("*.py"))]
    files += [(p, ["textdl_cli"]) for p in sorted((ROOT / "cli").glob("*.py"))]
    files += [(p, ["examples"]) for p in sorted((ROOT / "examples").glob("*.py"))]
    return files + [(p, ["benchmarks"]) for p in sorted((ROOT / "benchmarks").glob("*.py"))]


def test_every_room_has_a_floor():
    rooms = {p.stem if p.is_file() else p.name for p in (ROOT / "textdl").iterdir()}
    rooms -= {"__init__", "__pycache__", "py"}
    assert rooms <= set(FLOORS), "a new room needs a floor"


def test_no_upward_import():
    wrong, seen = [], 0
    for path, package in sources():
        own = (
            package[1]
            if len(package) > 1
            else path.stem
            if package[0] == "textdl"
            else package[0].removeprefix("textdl_")
        )
        if own == "__init__":
            continue  # textdl/__init__ reaches up, inside its functions only: test_imports holds it to that
        for module, line in imports(path, package):
            other = room(module)
            if other is None or other == own or other not in FLOORS:
                continue
            seen += 1
            if FLOORS[other] >= FLOORS[own]:
                wrong.append(f"{path.relative_to(ROOT)}:{line} ({own}) imports {module} ({other})")
    assert seen > 30, "the walk found too few imports to be right"
    assert not wrong, "\n".join(wrong)


def test_textdl_init_imports_nothing_of_ours_at_its_top():
    tree = ast.parse((ROOT / "textdl" / "__init__.py").read_text())
    top = [n for n in tree.body if isinstance(n, ast.ImportFrom) and n.level]
    assert not top
