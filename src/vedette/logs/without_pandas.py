"""Keep pandas out of the process: importing this module is enough. It is for our own commands and worker processes.

If pandas is installed, Arrow imports it to recognise its objects. We never pass any, and the import costs each process a quarter
of a second and 60 MiB. Programs that use Vedette as a library do not import this module, and Spark needs pandas.
"""

import sys
from importlib.abc import MetaPathFinder


class _PandasBlocker(MetaPathFinder):
    """An import finder that reports pandas as not installed."""

    def find_spec(self, fullname: str, _path: object = None, _target: object = None) -> None:
        """Raise ``ModuleNotFoundError`` for pandas, and leave every other module to the other finders."""
        if fullname == "pandas":
            raise ModuleNotFoundError("pandas is kept out of this process", name=fullname)


sys.meta_path.insert(0, _PandasBlocker())
