"""Source scan: the digest of one source file, the imports in it and what it declares.

The digest is made of the syntax tree, in a dump of our own that Python 3.11, 3.12 and 3.13 agree on. Layout, comments,
docstrings, other statements that are only a string, and `pass` do not count. Files are read and parsed, never imported.
"""

import ast
import hashlib
import importlib.util
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from assay.errors import CodeError

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
DIGITS = 16
_OMITTED_FIELDS = frozenset({"ctx", "kind", "type_comment"})
_DYNAMIC_IMPORTS = frozenset({"import_module", "__import__"})
_UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


class SourceScan(NamedTuple):
    """Digest of one source file and the names in it; relative imports stay relative, as a file may have two names."""

    digest: str
    imports: tuple[str, ...]
    resources: tuple[str, ...]
    children: tuple[str, ...]
    exports: tuple[str, ...]
    """Literal `__all__`: for a package, the modules that `from package import *` takes."""


def module_digest(source: str) -> str:
    """Digest of the syntax tree of a module, 16 hex digits, equal under Python 3.11 to 3.13.

    Args:
        source: Text of the module.

    Raises:
        SyntaxError: The text is not Python (ValueError for a null byte, in Python 3.11).
    """
    return _tree_digest(_parse(source))


def scan_source(file: Path) -> SourceScan:
    """Scan of one source file.

    Raises:
        CodeError: The file cannot be read or parsed, or a declaration in it is not a literal.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise unreadable(file, error) from error
    try:
        tree = _parse(importlib.util.decode_source(content))
    except _UNPARSABLE as error:
        raise CodeError(
            f"{file}, line {_line(error, content)} is not Python {PYTHON} ({getattr(error, 'msg', error)}), "
            "expected a module that can be parsed: fix the file, then run again"
        ) from error
    return SourceScan(
        digest=_tree_digest(tree),
        imports=tuple(sorted(set(_imports(tree)))),
        resources=_declaration(tree, "RESOURCES", file),
        children=_declaration(tree, "CHILDREN", file),
        exports=_strings(_last_assigned(tree, "__all__")) or (),
    )


def unreadable(file: Path, error: OSError) -> CodeError:
    """Error for a file that the operating system does not hand out."""
    return CodeError(f"{file} cannot be read ({error.strerror}), expected a readable file: fix it, then run again")


def _line(error: Exception, content: bytes) -> int:
    """Line at which a file stops being Python; 1 where the parser does not tell."""
    match error:
        case SyntaxError(lineno=int(line)):
            return max(line, 1)
        case UnicodeDecodeError():
            return content.count(b"\n", 0, error.start) + 1
        case _:
            return content.count(b"\n", 0, max(content.find(b"\0"), 0)) + 1


def _imports(tree: ast.Module) -> Iterator[str]:
    """Imported names of a module, wherever they stand, except for type checkers only; relative ones with their dots."""
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and _is_type_checking(node.test):
            pending += node.orelse
            continue
        pending += ast.iter_child_nodes(node)
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom():
                base = "." * node.level + (node.module or "")
                yield base
                yield from (_joined(base, alias.name) for alias in node.names)
            case ast.Call():
                yield from _dynamic_imports(node)


def _is_type_checking(test: ast.expr) -> bool:
    """Whether a condition is `TYPE_CHECKING` or `typing.TYPE_CHECKING`."""
    match test:
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(value=ast.Name(), attr="TYPE_CHECKING"):
            return True
        case _:
            return False


def _joined(base: str, name: str) -> str:
    """Dotted name of a member of a package, where the package may be dots only."""
    return base + name if base.endswith(".") else f"{base}.{name}"


def _dynamic_imports(call: ast.Call) -> Iterator[str]:
    """Name that `import_module` or `__import__` is called with, where it is a literal."""
    match call.func:
        case ast.Name(id=function) | ast.Attribute(attr=function) if function in _DYNAMIC_IMPORTS:
            target = _string_argument(call, 0, "name")
        case _:
            return
    anchor = _string_argument(call, 1, "package")
    if target and target.startswith(".") and anchor:
        target = absolute_name(target, anchor)
    if target:
        yield target


def _string_argument(call: ast.Call, position: int, keyword: str) -> str | None:
    """Literal string that a call passes by position or keyword, or None."""
    passed = [*call.args[position : position + 1], *(item.value for item in call.keywords if item.arg == keyword)]
    match passed:
        case [ast.Constant(value=str(text))]:
            return text
        case _:
            return None


def absolute_name(target: str, package: str) -> str | None:
    """Absolute name of an import as seen from a package, or None where its dots lead out of the top-level package."""
    name = target.lstrip(".")
    level = len(target) - len(name)
    if not level:
        return target
    parents = package.split(".") if package else []
    if level > len(parents):
        return None
    return ".".join([*parents[: len(parents) - level + 1], *([name] if name else [])])


def _declaration(tree: ast.Module, name: str, file: Path) -> tuple[str, ...]:
    """Strings that a module-level constant declares; none where it is not declared.

    Raises:
        CodeError: The constant is something else than a literal tuple, list or set of strings.
    """
    value = _last_assigned(tree, name)
    if value is None:
        return ()
    strings = _strings(value)
    if strings is None:
        raise CodeError(
            f"{file}, line {value.lineno}: {name} is {ast.unparse(value)[:60]!r}, expected a literal tuple of strings, "
            "assigned once: write it out, then run again"
        )
    return strings


def _last_assigned(tree: ast.Module, name: str) -> ast.expr | ast.stmt | None:
    """Value that a module assigns to a name at its top level; for `+=` the statement, which is no literal."""
    value: ast.expr | ast.stmt | None = None
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=targets) if any(_is_name(target, name) for target in targets):
                value = statement.value
            case ast.AnnAssign(target=ast.Name(id=target), value=ast.expr()) if target == name:
                value = statement.value
            case ast.AugAssign(target=ast.Name(id=target)) if target == name:
                value = statement
    return value


def _is_name(target: ast.expr, name: str) -> bool:
    """Whether the target of an assignment is a certain name."""
    return isinstance(target, ast.Name) and target.id == name


def _strings(value: ast.expr | ast.stmt | None) -> tuple[str, ...] | None:
    """Strings of a literal tuple, list or set, or None where the value is anything else."""
    if not isinstance(value, ast.Tuple | ast.List | ast.Set):
        return None
    try:
        items = ast.literal_eval(value)
    except (ValueError, TypeError):
        return None
    return tuple(sorted(set(items))) if all(isinstance(item, str) for item in items) else None


class _Text(str):
    """Finished piece of a dump, as opposed to a string of the program."""

    __slots__ = ()


def short_digest(content: bytes) -> str:
    """SHA-256 of bytes, first 16 hex digits."""
    return hashlib.sha256(content).hexdigest()[:DIGITS]


def _parse(source: str) -> ast.Module:
    """Syntax tree of a module, without warnings about its style (an invalid escape, say)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)


def _tree_digest(tree: ast.Module) -> str:
    """Digest of the canonical dump of a syntax tree."""
    return short_digest("".join(_dump(tree)).encode("ascii"))


def _dump(tree: ast.AST) -> Iterator[str]:
    """Canonical dump of a syntax tree, in pieces; no recursion, so that no depth of nesting is too much."""
    pending: list[object] = [tree]
    while pending:
        value = pending.pop()
        match value:
            case _Text():
                yield value
            case ast.Constant():
                yield f"Constant({_literal(value.value)})"
            case ast.AST():
                pending += reversed(list(_node_parts(value)))
            case list():
                pending += reversed(list(_list_parts(value)))
            case _:
                yield _literal(value)


def _node_parts(node: ast.AST) -> Iterator[object]:
    """Parts of the dump of a node: its type and those of its fields that say something."""
    yield _Text(f"{type(node).__name__}(")
    for name in sorted(node._fields):
        value = _field(node, name)
        if value is not None:
            yield from (_Text(f"{name}="), value, _Text(","))
    yield _Text(")")


def _list_parts(values: list[object]) -> Iterator[object]:
    """Parts of the dump of a list; None keeps its place."""
    yield _Text("[")
    for value in values:
        yield from (value, _Text(","))
    yield _Text("]")


def _field(node: ast.AST, name: str) -> object:
    """Value of a field, or None where it is empty or means nothing to the program."""
    value = None if name in _OMITTED_FIELDS else getattr(node, name, None)
    if isinstance(node, ast.JoinedStr):
        return _merged(node.values) or None
    if name == "format_spec" and isinstance(value, ast.Constant):
        value = ast.JoinedStr([value])  # Python 3.13.0, where the format holds a named character
    if name == "format_spec" and isinstance(value, ast.JoinedStr):
        return value if _merged(value.values) else None
    if isinstance(value, list):
        return [item for item in value if not _does_nothing(item)] or None
    return value


def _does_nothing(item: object) -> bool:
    """Whether a list item is a statement that is nothing but a string, such as a docstring, or `pass` in its place."""
    match item:
        case ast.Pass() | ast.Expr(value=ast.Constant(value=str())):
            return True
        case _:
            return False


def _merged(values: list[ast.expr]) -> list[ast.expr]:
    """Parts of an f-string with adjacent texts joined and empty ones dropped; Pythons cut them differently."""
    parts: list[ast.expr] = []
    for value in values:
        text = value.value if isinstance(value, ast.Constant) else None
        last = parts[-1].value if parts and isinstance(parts[-1], ast.Constant) else None
        if isinstance(text, str) and isinstance(last, str):
            parts[-1] = ast.Constant(last + text)
        elif text != "":
            parts.append(value)
    return parts


def _literal(value: object) -> str:
    """Text of a constant with its type; `repr` of a string would depend on the Unicode tables of the Python."""
    match value:
        case int() if not isinstance(value, bool):
            text = hex(value)
        case float():
            text = value.hex()
        case complex():
            text = f"{value.real.hex()},{value.imag.hex()}"
        case _:
            text = ascii(value)
    return f"{type(value).__name__}:{text}"
