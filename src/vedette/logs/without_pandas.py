"""Importing this keeps pandas out of the process, for commands and processes of ours that never need it.

Arrow imports pandas, where it is installed, to recognise its objects. We never give it any, and it costs each process a quarter
of a second and 60 MiB. A program that uses this package does not import this module, and Spark needs pandas.
"""

import sys
from importlib.abc import MetaPathFinder


class _Refusing(MetaPathFinder):
    """Says that pandas is not installed."""

    def find_spec(self, fullname: str, _path: object = None, _target: object = None) -> None:
        """Refuse pandas, and leave everything else to the others."""
        if fullname == "pandas":
            raise ModuleNotFoundError("pandas is kept out of this process", name=fullname)


sys.meta_path.insert(0, _Refusing())
