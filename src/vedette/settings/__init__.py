"""Define the settings with name, type, default and meaning, and load them from a TOML file, ``VEDETTE_*`` variables and options.

An option takes precedence over a variable, a variable over the file, the file over the default. Importing this package takes a
fifth of a second (pydantic), so the command line imports it only if a command needs settings.
"""

from vedette.settings.environment import guarded_children, java_home, within_spark
from vedette.settings.loading import load, origins, settings_file, variable
from vedette.settings.model import Settings, reference

__all__ = [
    "Settings",
    "guarded_children",
    "java_home",
    "load",
    "origins",
    "reference",
    "settings_file",
    "variable",
    "within_spark",
]
