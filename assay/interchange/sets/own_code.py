"""Assertions that are code: a function in a file of the project is a check of its own, any other code is a stub of one.

Nothing of a file is ever opened or run here. The function has to take `(answer, case)`, as our checks do.
"""

import re

from assay.interchange.sets.builder import shown

KINDS = ("python", "javascript")
MODULE, FUNCTION = "my_checks", "get_assert"
"""Where a stub is to be written, and the function that a file without one is asked for."""
REFERENCE = re.compile(
    r"file://(?:\./)?((?:[A-Za-z_]\w{0,60}/){0,5}[A-Za-z_]\w{0,60})\.py(?::([A-Za-z_]\w{0,60}))?", re.ASCII
)
CODE = 60
"""Characters of the code that a stub shows."""


def function(value: object) -> str:
    """Return the function that a value names, as `module:name`; empty where it is no file that a project can hold."""
    found = REFERENCE.fullmatch(value) if isinstance(value, str) else None
    return f"{found[1].replace('/', '.')}:{found[2] or FUNCTION}" if found else ""


def stub(kind: str, value: object, metric: object) -> str:
    """Return what to do about code, with the stub of a function that says the same."""
    name = re.sub(r"\W+", "_", str(metric or ""), flags=re.ASCII).strip("_").lower()[:40]
    name = name if name and not name[0].isdigit() else f"{kind}_says"
    code = " ".join(str(value or "").split())
    said = shown(code[:CODE] + ("..." if len(code) > CODE else ""))
    return (
        f"no script of a file is run: write `def {name}(answer, case): return ...  # {said}` into {MODULE}.py, add "
        f"{MODULE} to judge.check_modules, and expect {{check: python, function: '{MODULE}:{name}'}}; or say it as a "
        "check (`icontains`, `regex`, `json-schema`, ...) or as `llm-rubric`"
    )
