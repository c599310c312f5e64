"""Data goes one way: the pure packages import nothing that does IO, and no arrow points back."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1] / "checker"

# package -> what it may import of this project, besides itself and the leaves that everybody may use.
LEAVES = {"model"}
ALLOWED = {
    "model": set(),
    "mail": set(),
    "extract": set(),
    "comply": set(),
    "answer": set(),
    "report": set(),
    "settings": set(),
    "reader": set(),
    "demo": {"cli", "edges", "service", "settings"},
    "__main__": {"cli"},
    "pipeline": {"mail", "extract", "comply", "settings"},
    "edges": {"settings", "mail", "answer", "service", "reader"},
    "service": {"settings", "mail", "extract", "comply", "answer", "pipeline", "edges"},
    "cli": {"settings", "mail", "extract", "comply", "answer", "pipeline", "edges", "service", "report", "reader"},
}
PURE = ("mail", "extract", "comply", "answer", "model", "report", "pipeline")
IO = {
    "os", "socket", "ssl", "subprocess", "shutil", "tempfile", "pathlib", "imapclient", "smtplib", "sqlalchemy",
    "alembic", "apscheduler", "requests", "urllib.request", "logging", "structlog", "time", "random", "threading",
}  # fmt: skip


def modules() -> list[Path]:
    return sorted(p for p in ROOT.rglob("*.py") if "migrations" not in p.parts)


def imported(path: Path) -> set[str]:
    """Absolute names of everything that ``path`` imports, relative imports resolved."""
    package = ["checker", *path.relative_to(ROOT).parts[:-1]]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            name = ".".join([*base, node.module] if node.module else base)
            found.add(name)
            found |= {f"{name}.{a.name}" for a in node.names}
    return found


def owner(path: Path) -> str:
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_no_arrow_points_back(path: Path) -> None:
    mine = owner(path)
    if mine == "__init__":
        return
    for name in imported(path):
        parts = name.split(".")
        if parts[0] != "checker" or len(parts) < 2:
            continue
        target = parts[1]
        if target in {mine, "__version__"} | LEAVES:
            continue
        assert target in ALLOWED[mine], f"{path.relative_to(ROOT)} imports {name}: {mine} may not know {target}"


@pytest.mark.parametrize("path", [p for p in modules() if owner(p) in PURE], ids=lambda p: str(p.relative_to(ROOT)))
def test_the_core_does_no_io(path: Path) -> None:
    touched = {n for n in imported(path) if n in IO or n.split(".")[0] in IO}
    assert not touched, f"{path.relative_to(ROOT)} imports {sorted(touched)}: IO belongs in checker/edges"


def test_the_map_names_every_package() -> None:
    import checker

    packages = {p.name for p in ROOT.iterdir() if p.is_dir() and p.name != "__pycache__"}
    missing = {p for p in packages if f"checker.{p}" not in (checker.__doc__ or "")}
    assert not missing
