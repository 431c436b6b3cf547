"""Load the settings from a TOML file, ``VEDETTE_*`` variables and options, and say where each one is from.

An option takes precedence over a variable, a variable over the file, the file over the default.
"""

import json
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError
from pydantic_settings import EnvSettingsSource

from vedette.errors import ConfigurationError
from vedette.list_kinds import LIST_KINDS, name_and_path
from vedette.settings.model import LARGEST_THRESHOLD, PATH_LISTS, PREFIX, Settings
from vedette.urls import HIDDEN, is_in_memory, is_url, masked, masked_server, masked_setting

FILE_NAME = "vedette.toml"

_MOST_BYTES = 1 << 20  # of a settings file
_KEY = r"""(?:[\w-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
_DEEP_KEY = re.compile(rf"(?<![\w\\-]){_KEY}(?:[ \t]*+\.[ \t]*+{_KEY}){{64}}", re.ASCII)
_SHOWN = 200  # characters of a wrong value
_SHOWN_FAULTS = 100

DEFAULT = "default"
OPTION = "option"

_NAMED = frozenset(item.setting for item in LIST_KINDS)  # settings that take NAME=FILE

# Variables of the project's own tests, which have the same prefix.
_NOT_SETTINGS = frozenset({"VEDETTE_CORPUS", "VEDETTE_TEST_REQUIRE"})


@dataclass(frozen=True, slots=True)
class _Given:
    """A value that the user gave, and where: file PATH, environment NAME or option."""

    value: object
    origin: str


def load(config: Path | None, overrides: Mapping[str, object]) -> Settings:
    """Return the settings from the file, the variables and the options in ``overrides`` (None means not given).

    ``config`` is the file; by default it is ``vedette.toml`` in the working folder, or else in the user's configuration folder.

    Raises:
        ConfigurationError: with all faults in one message: names that do not exist (with the most similar one that does), and
            values of the wrong type.
    """
    return _load(config, overrides)[0]


def origins(config: Path | None, overrides: Mapping[str, object]) -> dict[str, tuple[object, str]]:
    """Return the value of each setting and where it comes from: default, file PATH, environment NAME or option.

    What may be secret in URLs and in settings of Spark is replaced by asterisks.

    Raises:
        ConfigurationError: as ``load``.
    """
    settings, given = _load(config, overrides)
    values = {name: _masked(name, getattr(settings, name)) for name in Settings.model_fields}
    return {name: (value, given[name].origin if name in given else DEFAULT) for name, value in values.items()}


def variable(name: str) -> str:
    """Return the name of a setting's environment variable."""
    return PREFIX + name.upper()


def _load(config: Path | None, overrides: Mapping[str, object]) -> tuple[Settings, dict[str, _Given]]:
    faults: list[str] = []
    given: dict[str, _Given] = {}
    if (path := settings_file(config)) is not None:
        _add(given, _from_file(path), faults)
    _add(given, _from_environment(faults), faults)
    _add(given, {name: _Given(value, OPTION) for name, value in overrides.items() if value is not None}, faults)
    try:
        settings = Settings.model_validate({name: item.value for name, item in given.items()})
    except ValidationError as error:
        wrong = {fault["loc"][:2]: fault["input"] for fault in error.errors()}
        faults.extend(_wrong_value(place, value, given[str(place[0])].origin) for place, value in wrong.items())
        raise ConfigurationError(_joined(faults)) from error
    if is_in_memory(settings.store):
        faults.append(
            f"{given['store'].origin}: store {_shown(_masked('store', settings.store))} names no file, so everything would be"
            " lost: give a file, or leave store out for a run of which nothing is to stay"
        )
    if faults:
        raise ConfigurationError(_joined(faults))
    return settings, given


def _add(given: dict[str, _Given], more: Mapping[str, _Given], faults: list[str]) -> None:
    """Add values to ``given``, replacing earlier ones; thresholds are replaced one by one."""
    for name, item in more.items():
        if name not in Settings.model_fields:
            faults.append(f"{item.origin}: {_unknown(name, Settings.model_fields if len(faults) < _SHOWN_FAULTS else ())}")
        elif name == "thresholds" and name in given and isinstance(item.value, Mapping):
            before = given[name]
            earlier = before.value if isinstance(before.value, Mapping) else {}
            given[name] = _Given({**earlier, **item.value}, f"{before.origin}, {item.origin}")
        else:
            given[name] = item


def settings_file(config: Path | None) -> Path | None:
    """Return the file to read: the given one, or the first of the default files that exists; None if there is none."""
    if config is not None:
        return config
    home = Path(os.environ.get("XDG_CONFIG_HOME") or _expanded("~/.config"))
    return next((path for path in (Path(FILE_NAME), home / "vedette" / FILE_NAME) if path.is_file()), None)


def _from_file(path: Path) -> dict[str, _Given]:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise ConfigurationError(f"settings file {str(path)!r} is larger than {_MOST_BYTES:,} bytes")
        pairs = list(_flat(_parsed_toml(data.decode("utf-8"))))
    except OSError as error:
        raise ConfigurationError(f"settings file {str(path)!r} cannot be read: {error.strerror}") from error
    except RecursionError as error:
        raise ConfigurationError(f"settings file {str(path)!r} is not valid TOML: nested too deeply") from error
    except ValueError as error:  # not TOML, or not UTF-8
        raise ConfigurationError(f"settings file {str(path)!r} is not valid TOML: {error}") from error
    origin = f"file {path}"
    return {name: _Given(_from_folder(name, value, path.parent), origin) for name, value in pairs}


def _parsed_toml(text: str) -> dict[str, object]:
    """Parse TOML; a key of many parts is refused, because the parser takes memory by the square of their number.

    Raises:
        ValueError: the text is not valid TOML.
        RecursionError: it is nested too deeply.
    """
    if _DEEP_KEY.search(text):
        raise RecursionError
    return tomllib.loads(text)


def _flat(table: Mapping[str, object], start: str = "") -> Iterator[tuple[str, object]]:
    """Yield names and values; the name of a table is a prefix of the names in it (``[own_egress]`` with ``days``)."""
    for key, value in table.items():
        name = start + key
        if name == "thresholds" and isinstance(value, Mapping):
            yield name, dict(_thresholds(value))
        elif isinstance(value, Mapping):
            yield from _flat(value, f"{name}_")
        else:
            yield name, value


def _thresholds(table: Mapping[str, object], start: str = "") -> Iterator[tuple[str, object]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _thresholds(value, f"{start}{key}.")
        else:
            yield start + key, value


def _from_folder(name: str, value: object, folder: Path) -> object:
    """Return a value of a file with its relative paths starting at the folder of that file."""
    if name in PATH_LISTS and isinstance(value, list) and all(isinstance(path, str) for path in value):
        return [_list_from_folder(path, folder) if name in _NAMED else str(folder / _expanded(path)) for path in value]
    if name in {"state_folder", "store", "inventory"} and isinstance(value, str) and value and not is_url(value):
        return str(folder / _expanded(value))
    return value


def _list_from_folder(text: str, folder: Path) -> str:
    """Return ``NAME=FILE`` or ``FILE`` with the path of the file starting at a folder."""
    name, path = name_and_path(text, folder)
    return f"{name}={folder / _expanded(path)}" if name else str(folder / _expanded(path))


def _expanded(path: str) -> str:
    """Return a path with its ``~`` replaced; one of nobody's stays."""
    return os.path.expanduser(path)  # noqa: PTH111 - that of a Path raises an error then


def _from_environment(faults: list[str]) -> dict[str, _Given]:
    names = {variable(name): name for name in Settings.model_fields}
    ours = {key for key in os.environ if key.upper().startswith(PREFIX)} - _NOT_SETTINGS
    faults.extend(f"environment: {_unknown(key, names)}" for key in sorted(ours) if key.upper() not in names)
    found: dict[str, object] = EnvSettingsSource(Settings)()
    given = {name: _Given(value, f"environment {variable(name)}") for name, value in found.items()}
    if "thresholds" in given:
        given["thresholds"] = _Given(_parsed(given["thresholds"].value), given["thresholds"].origin)
    return given


def _parsed(text: object) -> object:
    try:
        return json.loads(str(text))
    except (ValueError, RecursionError):
        return text  # rejected later together with other faults


def _unknown(name: str, known: Iterable[str]) -> str:
    alike = get_close_matches(name.upper() if name.startswith(PREFIX) else name, list(known), n=1)
    return f"there is no setting {_shown(name)}" + (f"; did you mean {alike[0]!r}?" if alike else "")


def _wrong_value(place: tuple[int | str, ...], value: object, origin: str) -> str:
    name, *rest = place
    if name == "thresholds" and rest:
        numeric = isinstance(value, int | float) and not isinstance(value, bool)
        span = f" from {-LARGEST_THRESHOLD:,} to {LARGEST_THRESHOLD:,}" if numeric else ""
        return f"{origin}: threshold {_shown(rest[0])} must be a number{span}, not {_shown(value)}"
    return f"{origin}: {name} must be {Settings.model_fields[str(name)].title}, not {_shown(_masked(str(name), value))}"


def _shown(value: object) -> str:
    """Return a wrong value as it is written, but not more than a line of it."""
    try:
        text = repr(value)
    except ValueError:
        return "a number of thousands of digits"
    except RecursionError:
        return "a value that is nested too deeply"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _joined(faults: list[str]) -> str:
    if len(faults) == 1:
        return faults[0]
    more = [f"  and {len(faults) - _SHOWN_FAULTS} more"] if len(faults) > _SHOWN_FAULTS else []
    return "\n".join([f"{len(faults)} settings are wrong:", *(f"  {fault}" for fault in faults[:_SHOWN_FAULTS]), *more])


def _masked(name: str, value: object) -> object:
    """Return the value of a setting without what may be secret in it."""
    if isinstance(value, str):
        return masked_setting(value) if name == "spark_conf" else masked_server(value) if name == "s3_endpoint" else masked(value)
    if isinstance(value, Path):
        return Path(masked(str(value)))
    if isinstance(value, tuple):
        return tuple(_masked(name, item) for item in value)
    if isinstance(value, list):
        return [_masked(name, item) for item in value]
    return HIDDEN if name == "spark_conf" and isinstance(value, Mapping) else value
