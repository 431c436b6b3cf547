"""Finds extensions: every module of a package that holds a given constant, and entry points of third parties."""

from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules


def discover(package: str, constant: str) -> Iterator[tuple[str, object]]:
    """Yield ``(module name, value of the constant)`` of each module of ``package``, in order of module names.

    Modules whose name begins with an underscore and sub-packages are private helpers of the package, and skipped.
    Entry points of the group ``package`` (for example ``vedette.readers``) follow, in order of their names.

    Raises:
        AttributeError: a module of the package lacks the constant; that is a fault of the code, not of the user.
    """
    parent = import_module(package)
    for module in sorted(iter_modules(parent.__path__), key=lambda module: module.name):
        if module.ispkg or module.name.startswith("_"):
            continue
        yield module.name, getattr(import_module(f"{package}.{module.name}"), constant)
    for point in sorted(entry_points(group=package), key=lambda point: point.name):
        yield point.name, point.load()
