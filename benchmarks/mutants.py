"""How many small mutants of the rooms that a decision hangs on die under the project's own tests.

The draw is by a module's share of lines, and within a module by kind first, at most one a line. The whole suite takes
half an hour, so each mutant meets the tests that enter its function (`benchmarks.mutant_runs`), all in a copy of the
repository. What each test enters is recorded once, and then again for files of tests that have changed.

`python -m benchmarks.mutants DRAW SEED` is the run itself, in the copy, which is the current folder.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.mutant_runs import Tests, copied
from benchmarks.mutations import Mutant, Place, mutant, places

SUBJECTS = {
    "gate and report": (
        "report",
        *("stages/gating.py", "stages/publish.py"),
        *("stats/paired.py", "stats/transfer.py", "stats/spending.py", "stats/slices.py"),
    ),
    "admission": ("evalset",),
    "calibration": ("calibration",),
    "judges": ("judges",),
    "desk": ("desk",),
}
KEPT = Path(tempfile.gettempdir()) / "assay-mutants.jsonl"
"""What each test enters."""
WIDTH = 120


def measure(count: int, seed: int) -> dict[str, Any]:
    """Draw mutants, and return how many die in all and by room, with the survivors."""
    top = Path(__file__).parent.parent
    with tempfile.TemporaryDirectory() as folder:
        copy = copied(top, Path(folder))
        words = [sys.executable, "-m", "benchmarks.mutants", str(count), str(seed)]
        environment = {**os.environ, "PYTHONPATH": str(copy), "OPENBLAS_NUM_THREADS": "1"}
        done = subprocess.run(words, cwd=copy, env=environment, stdout=subprocess.PIPE, check=True)
        return dict(json.loads(done.stdout))


def modules() -> dict[str, str]:
    """Return the modules that are mutated, each with its room."""
    found: dict[str, str] = {}
    for room, subjects in SUBJECTS.items():
        for subject in subjects:
            path = Path("assay", subject)
            files = [path] if path.is_file() else sorted(path.rglob("*.py"))
            found |= {str(file): room for file in files if file.read_text(encoding="utf8").strip()}
    return found


def draw(paths: list[str], count: int, rng: random.Random) -> list[Mutant]:
    """Return mutants of modules: as many of each as its share of the lines, of every kind alike."""
    lines = {path: len(Path(path).read_text(encoding="utf8").splitlines()) for path in paths}
    exact = {path: count * of / sum(lines.values()) for path, of in lines.items()}
    quota = {path: int(share) for path, share in exact.items()}
    for path in sorted(paths, key=lambda path: quota[path] - exact[path])[: count - sum(quota.values())]:
        quota[path] += 1
    return [drawn for path in paths for drawn in _of_module(path, quota[path], rng)]


def _of_module(path: str, count: int, rng: random.Random) -> list[Mutant]:
    tree, left = places(path)
    by_kind: dict[str, list[Place]] = {}
    for place in left:
        by_kind.setdefault(place.kind, []).append(place)
    drawn: dict[int, Mutant] = {}
    while by_kind and len(drawn) < count:
        kind = rng.choice(sorted(by_kind))
        of_kind = by_kind[kind]
        new = mutant(path, tree, of_kind.pop(rng.randrange(len(of_kind))))
        if not of_kind:
            del by_kind[kind]
        if new:
            drawn.setdefault(new.line, new)
    return list(drawn.values())


def _run(count: int, seed: int) -> dict[str, Any]:
    rooms = modules()
    tests = Tests(list(rooms), KEPT)
    tests.record()
    died: Counter[str] = Counter()
    drawn: Counter[str] = Counter()
    survivors = []
    for each in draw(list(rooms), count, random.Random(seed)):  # noqa: S311
        room = rooms[each.path]
        drawn[room] += 1
        killer = tests.killer(each.path, each.function, each.text)
        died[room] += bool(killer)
        line = f"{each.path}:{each.line} {each.kind}: {_short(each.old)} -> {_short(each.new)}"
        sys.stderr.write(f"{killer or 'SURVIVED'}  {line}\n")
        if not killer:
            survivors.append(line)
    shares = {room: f"{died[room]} of {of}" for room, of in drawn.items()}
    return {"seed": seed, "died": f"{died.total()} of {drawn.total()}", **shares, "survivors": survivors}


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= WIDTH else f"{line[:WIDTH]}…"


if __name__ == "__main__":
    print(json.dumps(_run(int(sys.argv[1]), int(sys.argv[2]))))
