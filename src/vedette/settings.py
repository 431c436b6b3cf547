"""Define the settings with name, type, default and meaning, and load them from a TOML file, ``VEDETTE_*`` variables and options.

An option takes precedence over a variable, a variable over the file, the file over the default. Importing this module takes a
fifth of a second (pydantic), so the command line imports it only if a command needs settings.
"""

import json
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit, urlunsplit

from pydantic import BeforeValidator, Field, ValidationError, create_model
from pydantic_settings import BaseSettings, EnvSettingsSource, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from vedette.errors import ConfigurationError
from vedette.list_kinds import LIST_KINDS

PREFIX = "VEDETTE_"
FILE_NAME = "vedette.toml"

DEFAULT = "default"
OPTION = "option"

# Variables of the project's own tests, which have the same prefix.
_NOT_SETTINGS = frozenset({"VEDETTE_CORPUS", "VEDETTE_TEST_REQUIRE"})


def _as_list(value: object) -> object:
    """Parse text as a JSON list or as comma-separated values (variables are text); return other values unchanged."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return json.loads(value)
    return [part.strip() for part in value.split(",") if part.strip()]


def _not_boolean(value: object) -> object:
    """Reject true and false, which are numbers in Python."""
    if isinstance(value, bool):
        raise ValueError  # noqa: TRY004 - pydantic expects it for a value of the wrong type
    return value


def _network(value: object) -> object:
    return ip_network(value) if isinstance(value, str) else value


Paths = Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_as_list)]
Networks = Annotated[
    tuple[Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)], ...], NoDecode, BeforeValidator(_as_list)
]
Ports = Annotated[tuple[Annotated[int, Field(ge=0, le=65_535)], ...], NoDecode, BeforeValidator(_as_list)]
Texts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_as_list)]
Pairs = Annotated[tuple[Annotated[str, Field(pattern=r"^[^=\s]+=.*$")], ...], NoDecode, BeforeValidator(_as_list)]
Numbers = Annotated[Mapping[str, Annotated[int | float, BeforeValidator(_not_boolean)]], NoDecode]


def _number(default: int, description: str, *, at_least: int) -> Any:  # noqa: ANN401 - like pydantic's Field, which replaces a value
    return Field(default, ge=at_least, title=f"a whole number, at least {at_least}", description=description)


def _switch(description: str, *, default: bool = False) -> Any:  # noqa: ANN401
    return Field(default, title="true or false", description=description)


def _text(title: str, description: str) -> Any:  # noqa: ANN401
    return Field("", title=title, description=description)


def _paths(description: str) -> Any:  # noqa: ANN401
    return Field((), title="a list of paths", description=description)


class _WithoutLists(BaseSettings):
    """All settings but those that name lists.

    The ``title`` of each field says what its values are (messages say "must be TITLE"), its ``description`` what it is for.
    """

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid", validate_default=False
    )

    store: str = _text("a file or a database URL", "Database in which findings are kept; empty: in memory, for this run only.")
    state_folder: str = _text("a path", "Folder of the state tables; empty: chosen by the store or by the run.")
    region: str = _text("text", "AWS region for requests; empty: as set in the AWS environment.")
    profile: str = _text("text", "Profile of the AWS configuration; empty: as set in the AWS environment.")
    s3_endpoint: str = _text("a URL", "Server to use instead of Amazon S3, if it is S3-compatible.")

    engine: Literal["duckdb", "spark"] = Field("duckdb", title="duckdb or spark", description="Engine that runs the detections.")
    spark_master: str = _text("a Spark master", "Where Spark runs; empty: as given to spark-submit, else on this machine.")
    spark_conf: Pairs = Field((), title="a list of name=value", description="Additional settings for Spark.")
    spark_broadcast_limit: str = Field(
        "10MB", title='a size such as "10MB"', description="Tables up to this size are sent to every executor of Spark."
    )

    workers: int = _number(0, "Processes that read logs; 0: one per core.", at_least=0)
    slice_events: int = _number(0, "Records processed at a time, which limits memory; 0: the engine's default.", at_least=0)
    memory_limit: str = Field(
        "1GB",
        pattern=r"^\d+(\.\d+)? ?[KMGT]i?B$",
        title='a size such as "1GB"',
        description="Memory of the SQL engine, beyond which it uses the disk.",
    )

    lateness_cloudtrail_minutes: int = _number(20, "How long continuous mode waits for late CloudTrail records.", at_least=0)
    lateness_flows_minutes: int = _number(15, "How long continuous mode waits for late flow records.", at_least=0)
    episode_gap_days: int = _number(30, "Days without activity after which the same activity is a new finding.", at_least=1)
    kept_contacts: int = _number(
        100_000, "Remote endpoints (address, port, protocol) that are remembered per interface and hour.", at_least=1_000
    )

    finding_types: Texts = Field(
        (), title="a list of finding types", description="Finding types to detect; empty: all. The others keep no state either."
    )
    detection_profile: Literal["sensitive", "balanced", "quiet"] = Field(
        "balanced",
        title="sensitive, balanced or quiet",
        description="How suspicious a principal's first calls must be to raise a finding: 3, 5 or 7 points.",
    )

    include_write_calls: bool = _switch("Whether calls that change something count as reconnaissance too.")
    include_data_events: bool = _switch("Whether data events, such as reads of single objects, count as reconnaissance too.")
    emit_all_types: bool = _switch("Whether an address on lists of several kinds raises a finding for each kind.")
    learn_own_egress: bool = _switch("Whether an address that many principals use counts as the account's own.", default=True)
    own_egress_principals: int = _number(5, "Principals that use an address before it counts as the account's own.", at_least=1)
    own_egress_days: int = _number(10, "Days on which they use it before it counts as the account's own.", at_least=1)
    own_addresses: Networks = Field(
        (), title="a list of networks", description="Addresses that are the account's own, regardless of what is learned."
    )

    max_blob_bytes: int = _number(4 << 30, "Decompressed bytes of a file at which reading it stops.", at_least=1)
    max_ratio: int = _number(1_100, "Decompressed bytes per stored byte at which reading a file stops.", at_least=1)
    max_record_bytes: int = _number(16 << 20, "Bytes of a record beyond which it is rejected.", at_least=1)

    geoip: Paths = _paths("Databases in MaxMind's format with countries, cities, networks or providers.")
    inventory: str = _text("a path", "Folder of saved responses of EC2 (describe-instances.json …); empty: none.")
    assume_instance: bool = _switch("Whether an unknown interface is assumed to belong to an instance.", default=True)
    public_ports: Ports = Field(
        (), title="a list of ports", description="Ports meant to be reachable from the internet: counted, without findings."
    )
    authorised_scanners: Texts = Field(
        (),
        title="a list of entries",
        description="Authorised scanners: instance, interface, image, network or tag:NAME=VALUE, optionally until DAY: REASON.",
    )
    accepted_behaviour: Texts = Field(
        (),
        title="a list of entries",
        description="Whose first calls are expected: PRINCIPAL, optionally network, resource or user, and until DAY: REASON.",
    )
    bundled_lists: bool = _switch(
        "Whether the dated lists that ship with vedette are used for kinds of which you give none.", default=True
    )

    thresholds: Numbers = Field(
        default_factory=dict,
        title="numbers by name",
        description='Thresholds of detections, named "finding type.threshold" or "detection.threshold".',
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Use only the values that ``load`` passes, because it records where each one comes from."""
        return (init_settings,)


if TYPE_CHECKING:

    class Settings(_WithoutLists):
        """All settings; frozen, created once by ``load`` and passed down."""

else:
    # A kind of list has one setting, whose name, type and meaning stand in its row.
    Settings = create_model(
        "Settings",
        __base__=_WithoutLists,
        __module__=__name__,
        **{item.setting: (Paths, _paths(item.meaning)) for item in LIST_KINDS},
    )

# Settings whose relative paths, if given in a file, start at the file's own folder.
_PATH_LISTS = frozenset({"geoip", *(item.setting for item in LIST_KINDS)})


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

    A password in the store's URL is replaced by asterisks.

    Raises:
        ConfigurationError: as ``load``.
    """
    settings, given = _load(config, overrides)
    values = {name: getattr(settings, name) for name in Settings.model_fields}
    values["store"] = _without_password(settings.store)
    return {name: (value, given[name].origin if name in given else DEFAULT) for name, value in values.items()}


def variable(name: str) -> str:
    """Return the name of a setting's environment variable."""
    return PREFIX + name.upper()


def java_home() -> str:
    """Return the environment variable JAVA_HOME, or ""."""
    return os.environ.get("JAVA_HOME", "")


def within_spark() -> bool:
    """Tell whether this process was started by spark-submit or by a notebook of a cluster."""
    return "SPARK_ENV_LOADED" in os.environ or "PYSPARK_GATEWAY_PORT" in os.environ


@contextmanager
def guarded_children() -> Iterator[None]:
    """Keep Python processes that are started meanwhile from importing modules from the working folder.

    A scan is often started in a folder with files that an attacker wrote.
    """
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = before


def reference() -> str:
    """Return the table of all settings in Markdown, for the documentation."""
    lines = ["| setting | value | default | what it is for |", "| --- | --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True, validated_data={})
        shown = json.dumps(list(default) if isinstance(default, tuple) else default)
        lines.append(f"| `{name}` | {field.title} | `{shown}` | {field.description} |")
    return "\n".join(lines)


def _load(config: Path | None, overrides: Mapping[str, object]) -> tuple[Settings, dict[str, _Given]]:
    faults: list[str] = []
    given: dict[str, _Given] = {}
    if (path := _file(config)) is not None:
        _add(given, _from_file(path), faults)
    _add(given, _from_environment(faults), faults)
    _add(given, {name: _Given(value, OPTION) for name, value in overrides.items() if value is not None}, faults)
    try:
        settings = Settings.model_validate({name: item.value for name, item in given.items()})
    except ValidationError as error:
        wrong = {fault["loc"][:2]: fault["input"] for fault in error.errors()}
        faults.extend(_wrong_value(place, value, given[str(place[0])].origin) for place, value in wrong.items())
        raise ConfigurationError(_joined(faults)) from error
    if faults:
        raise ConfigurationError(_joined(faults))
    return settings, given


def _add(given: dict[str, _Given], more: Mapping[str, _Given], faults: list[str]) -> None:
    """Add values to ``given``, replacing earlier ones; thresholds are replaced one by one."""
    for name, item in more.items():
        if name not in Settings.model_fields:
            faults.append(f"{item.origin}: {_unknown(name, Settings.model_fields)}")
        elif name == "thresholds" and name in given and isinstance(item.value, Mapping):
            before = given[name]
            earlier = before.value if isinstance(before.value, Mapping) else {}
            given[name] = _Given({**earlier, **item.value}, f"{before.origin}, {item.origin}")
        else:
            given[name] = item


def _file(config: Path | None) -> Path | None:
    """Return the file to read: the given one, or the first of the default files that exists; None if there is none."""
    if config is not None:
        return config
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser())
    return next((path for path in (Path(FILE_NAME), home / "vedette" / FILE_NAME) if path.is_file()), None)


def _from_file(path: Path) -> dict[str, _Given]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"settings file {str(path)!r} cannot be read: {error.strerror}") from error
    except ValueError as error:  # not TOML, or not UTF-8
        raise ConfigurationError(f"settings file {str(path)!r} is not valid TOML: {error}") from error
    origin = f"file {path}"
    return {name: _Given(_from_folder(name, value, path.parent), origin) for name, value in _flat(table)}


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
    if name in _PATH_LISTS and isinstance(value, list) and all(isinstance(path, str) for path in value):
        return [str(folder / Path(path).expanduser()) for path in value]
    if name in {"state_folder", "store", "inventory"} and isinstance(value, str) and value and "://" not in value:
        return str(folder / Path(value).expanduser())
    return value


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
    except ValueError:
        return text  # rejected later together with other faults


def _unknown(name: str, known: Iterable[str]) -> str:
    alike = get_close_matches(name.upper() if name.startswith(PREFIX) else name, list(known), n=1)
    return f"there is no setting {name!r}" + (f"; did you mean {alike[0]!r}?" if alike else "")


def _wrong_value(place: tuple[int | str, ...], value: object, origin: str) -> str:
    name, *rest = place
    if name == "thresholds" and rest:
        return f"{origin}: threshold {rest[0]!r} must be a number, not {value!r}"
    return f"{origin}: {name} must be {Settings.model_fields[str(name)].title}, not {value!r}"


def _joined(faults: list[str]) -> str:
    if len(faults) == 1:
        return faults[0]
    return "\n".join([f"{len(faults)} settings are wrong:", *(f"  {fault}" for fault in faults)])


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    if not parts.password:
        return url
    account, _, place = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{account.partition(':')[0]}:***@{place}"))
