"""Give a folder of any name another one in which DuckDB reads nothing but a name.

DuckDB takes ``*``, ``?`` and ``[`` in a path for a pattern, which may find the files of other folders, ``day=5`` for a column,
and what is not UTF-8 for an error.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import gettempdir

from vedette.errors import EngineError
from vedette.leftovers import temporary_folder

_PLAIN = re.compile(r"[\w/.,@+ ~-]+")
_PLACES = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - what is made there is a folder of our own


@contextmanager
def plain_folder(folder: Path) -> Iterator[Path]:
    """Return the folder, or a link to it that is removed afterwards.

    Raises:
        EngineError: no link can be made.
    """
    if _PLAIN.fullmatch(str(folder)):
        yield folder
        return
    for place in (gettempdir(), *_PLACES):
        with ExitStack() as opened:
            try:
                temporary = opened.enter_context(temporary_folder(Path(place)))
            except OSError:
                continue
            if _PLAIN.fullmatch(str(temporary)):
                link = temporary / "state"
                link.symlink_to(folder.absolute())
                yield link
                return
    raise EngineError(f"{folder}: DuckDB cannot use a folder of this name, and no temporary folder can hold a link to it")
