"""Find extensions: the modules of a package, each with a given constant, and entry points of third parties."""

from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules


def discover(package: str, constant: str) -> Iterator[tuple[str, object]]:
    """Yield ``(module name, value of the constant)`` for each module of ``package``, sorted by module name.

    Sub-packages and modules whose name begins with an underscore are private helpers of the package, and skipped.
    Entry points of the group ``package`` (for example ``vedette.readers``) follow, sorted by name.

    Raises:
        AttributeError: a module of the package lacks the constant, which is a programming error.
    """
    parent = import_module(package)
    for module in sorted(iter_modules(parent.__path__), key=lambda module: module.name):
        if module.ispkg or module.name.startswith("_"):
            continue
        yield module.name, getattr(import_module(f"{package}.{module.name}"), constant)
    for point in sorted(entry_points(group=package), key=lambda point: point.name):
        yield point.name, point.load()
