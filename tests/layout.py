"""What the tree itself says: the stages, and which local files each one's code is made of."""

import ast
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
STAGES = ["generate", "review", "execute", "judge", "calibrate", "monitor", "publish"]
"""In the order of the map; `release` is a task that tags the commit which holds the others."""


@lru_cache
def local_imports(module: str) -> frozenset[str]:
    """Return every file of ours that a module is made of: itself, what it imports, and what that imports."""
    seen: set[str] = set()
    queue = [module]
    while queue:
        name = queue.pop()
        file = _file(name)
        if file is None or str(file) in seen:
            continue
        seen.add(str(file))
        queue += _imported(file)
    return frozenset(file for file in seen if not file.endswith("__init__.py"))


def _file(module: str) -> Path | None:
    base = Path(*module.split("."))
    for candidate in (base.with_suffix(".py"), base / "__init__.py"):
        if (ROOT / candidate).is_file():
            return candidate
    return None


def _imported(file: Path) -> list[str]:
    found: list[str] = []
    for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return [name for name in found if name.split(".")[0] in {"assay", "tasks", "flows"}]
