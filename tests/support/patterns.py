"""Finds every regular expression in the source of vedette, wherever it stands, and says how it is used.

A pattern is the first argument of a function of ``re``, or a keyword argument ``pattern``. Its text is worked out in the
namespace of its module; one that depends on what a user wrote is made by a function that the test gives.
"""

import ast
import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import vedette

Compiled = re.Pattern[str] | re.Pattern[bytes]
USES = frozenset({"match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"})


@dataclass(frozen=True, slots=True)
class Place:
    """A pattern, where it stands, and the functions that it is used with."""

    where: str
    pattern: Compiled
    uses: frozenset[str]


def places(made: dict[str, Callable[[], list[tuple[Compiled, str]]]]) -> Iterator[Place]:
    """Yield every pattern; ``made`` makes those of a function (``module:function``), each with its use."""
    asked = set()
    for name, tree in sources():
        space = vars(importlib.import_module(name))
        used = _uses(tree)
        for call, function, target, method in _calls(tree):
            where = f"{name}:{call.lineno}"
            pattern = _evaluated(call, space)
            if pattern is not None:
                uses = {method} if method in USES else used.get(target) or used[""] or USES
                yield Place(where, pattern, frozenset(uses))
                continue
            handed_over = _handed_over(tree, function, call, space)
            if handed_over:
                yield from (Place(where, pattern, frozenset({method})) for pattern in handed_over)
                continue
            key = f"{name}:{function}"
            assert key in made, f"{where}: make the patterns of {function}() in MADE, as it would from hostile text"
            if key not in asked:
                asked.add(key)
                yield from (Place(where, pattern, frozenset({use})) for pattern, use in made[key]())
    assert asked == set(made), f"no longer in the source: {set(made) - asked}"


def sources() -> Iterator[tuple[str, ast.Module]]:
    """Yield the name and the syntax tree of every module."""
    for module in pkgutil.walk_packages(vedette.__path__, "vedette."):
        path = Path(vedette.__path__[0], *module.name.split(".")[1:])
        path = path / "__init__.py" if module.ispkg else path.with_suffix(".py")
        if module.name != "vedette.__main__" and "migrations" not in module.name:
            yield module.name, ast.parse(path.read_text(encoding="utf-8"))


def _calls(tree: ast.Module) -> Iterator[tuple[ast.Call, str, str, str]]:
    """Yield each call with a pattern: the function it stands in, the name it is given to, and the method that is asked for."""
    compilers = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "re"
        for alias in node.names
    }

    def walk(node: ast.AST, function: str, target: str, method: str) -> Iterator[tuple[ast.Call, str, str, str]]:
        if isinstance(node, ast.FunctionDef):
            function = node.name
        if isinstance(node, ast.Assign | ast.AnnAssign):
            first = node.targets[0] if isinstance(node, ast.Assign) else node.target
            target = first.id if isinstance(first, ast.Name) else ""
        if isinstance(node, ast.Call):
            called = node.func
            direct = isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id == "re"
            name = called.attr if direct else compilers.get(called.id, "") if isinstance(called, ast.Name) else ""
            if name in USES or name == "compile":
                yield node, function, target, method if name == "compile" else name
            elif any(word.arg == "pattern" for word in node.keywords):
                yield node, function, target, "search"
        for inner in ast.iter_child_nodes(node):
            asked = node.attr if isinstance(node, ast.Attribute) else ""
            yield from walk(
                inner, function, target if isinstance(node, ast.Assign | ast.AnnAssign | ast.Tuple | ast.Call) else "", asked
            )

    yield from walk(tree, "", "", "")


def _evaluated(call: ast.Call, space: dict[str, object]) -> Compiled | None:
    """Compile the pattern of a call as its module would; None if it needs the names of a function."""
    keyword = next((word.value for word in call.keywords if word.arg == "pattern"), None)
    text = keyword or call.args[0]
    compiled = isinstance(call.func, ast.Attribute | ast.Name) and "compile" in ast.unparse(call.func)
    flags = next(
        (word.value for word in call.keywords if word.arg == "flags"), call.args[1] if compiled and len(call.args) > 1 else None
    )
    try:
        return re.compile(_value(text, space), _value(flags, space) if flags else 0)
    except NameError:
        return None


def _handed_over(tree: ast.Module, function: str, call: ast.Call, space: dict[str, object]) -> list[Compiled]:
    """Return the patterns that the module hands over to the parameter of a function."""
    wanted = ast.unparse(call.args[0])
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == function:
            parameters = [item.arg for item in node.args.args]
            place = parameters.index(wanted) if wanted in parameters else -1
            found += [
                re.compile(_value(other.args[place], space))
                for other in ast.walk(tree)
                if place >= 0 and isinstance(other, ast.Call) and ast.unparse(other.func) == function and len(other.args) > place
            ]
    return found


def _value(node: ast.expr, space: dict[str, object]):  # noqa: ANN202 - a text, bytes or flags
    return eval(compile(ast.Expression(node), "pattern", "eval"), dict(space))  # noqa: S307 - our own source


def _uses(tree: ast.Module) -> dict[str, set[str]]:
    """Return the functions that each name is used with; under "" those of names that a pattern may be handed on to."""
    found: dict[str, set[str]] = {"": set()}
    constants = {
        target.id for node in tree.body if isinstance(node, ast.Assign) for target in node.targets if isinstance(target, ast.Name)
    }
    asked = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr in USES]
    for node in asked:
        name = node.value.id if isinstance(node.value, ast.Name) else ""
        if name != "re":
            found.setdefault("" if name not in constants else name, set()).add(node.attr)
    direct = {id(node.value) for node in asked}
    handed_on = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and id(node) not in direct
    }
    return {name: uses | ((found[""] or USES) if name in handed_on else set()) for name, uses in found.items()}
