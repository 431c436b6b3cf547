"""Define every error that vedette raises, in one tree.

::

    VedetteError                 exit status 1
    ├── ConfigurationError       2   a setting, option or file that the user gave is wrong
    │   ├── ListError            2   a threat list cannot be used at all
    │   └── GeoError             2   a geolocation database cannot be used
    ├── SourceError              3   a location cannot be listed or opened
    │   └── NothingToReadError   4   a location contains nothing to read
    ├── ReadError                5   a blob cannot be read at all (bad records are counted, not raised)
    ├── StoreError               6   the store cannot be opened, migrated or written
    ├── EngineError              7   an engine cannot start or run
    ├── NotFoundError            8   a finding, list or scenario of that name does not exist
    └── OutputError              9   standard output, or a file for results, cannot be written
        └── ReaderGoneError    141   what reads the output has ended

A message is one sentence that shows the input and its place. Errors of other libraries are translated where they are called, and
raised ``from`` the cause.
"""

from typing import ClassVar


class VedetteError(Exception):
    """The root of the tree; ``exit_status`` is the exit status of the command line."""

    exit_status: ClassVar[int] = 1


class ConfigurationError(VedetteError):
    """A setting, option or file that the user gave is wrong."""

    exit_status = 2


class ListError(ConfigurationError):
    """A threat list cannot be used at all (a single bad line is a ``Refusal``, see ``intel``)."""


class GeoError(ConfigurationError):
    """A geolocation database cannot be used."""


class SourceError(VedetteError):
    """A location cannot be listed or opened."""

    exit_status = 3


class NothingToReadError(SourceError):
    """A location contains nothing to read."""

    exit_status = 4


class ReadError(VedetteError):
    """A blob cannot be read at all."""

    exit_status = 5


class StoreError(VedetteError):
    """The store cannot be opened, migrated or written."""

    exit_status = 6


class EngineError(VedetteError):
    """An engine cannot start or run."""

    exit_status = 7


class NotFoundError(VedetteError):
    """Something requested by name does not exist."""

    exit_status = 8


class OutputError(VedetteError):
    """Standard output, or a file for results, cannot be written."""

    exit_status = 9


class ReaderGoneError(OutputError):
    """What reads the output has ended, as head does; nothing is said about it."""

    exit_status = 141
