"""Define the settings: name, type, default and meaning of each."""

import json
import re
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, create_model, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from vedette.list_kinds import LIST_KINDS

PREFIX = "VEDETTE_"
LARGEST_THRESHOLD = 1_000_000

_YEAR_MINUTES = 366 * 24 * 60
_CENTURY_DAYS = 36_525
_LEAST_MEMORY, _MOST_MEMORY = 16e6, 1e15
_MOST_BROADCAST = 8e9  # Spark's own limit for a table


def _as_list(value: object) -> object:
    """Parse text as a JSON list or as comma-separated values (variables are text); return other values unchanged."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except RecursionError as error:
            raise ValueError from error
    return [part.strip() for part in value.split(",") if part.strip()]


def _not_boolean(value: object) -> object:
    """Reject true and false, which are numbers in Python."""
    if isinstance(value, bool):
        raise ValueError  # noqa: TRY004 - pydantic expects it for a value of the wrong type
    return value


def _finite(value: object) -> object:
    """Reject numbers that no threshold can be compared with; NaN is not less than anything."""
    if isinstance(value, int | float) and not abs(value) <= LARGEST_THRESHOLD:
        raise ValueError
    return _not_boolean(value)


def _size(text: str, pattern: str) -> float:
    """Return a size in bytes; infinity, if it has too many digits."""
    found = re.fullmatch(pattern, text)
    if found is None:
        raise ValueError
    unit = (found["unit"] or "b").lower()
    return float(found["number"]) * float((1024 if "i" in unit else 1000) ** "bkmgt".index(unit[0]))


def _memory(text: str) -> str:
    """Reject what DuckDB does not take, or cannot start with."""
    if not _LEAST_MEMORY <= _size(text, r"(?P<number>[0-9]+(\.[0-9]+)?) ?(?P<unit>[KMGT]i?B)") <= _MOST_MEMORY:
        raise ValueError
    return text


def _broadcast(text: str) -> str:
    """Reject what Spark does not take; -1 means that nothing is broadcast."""
    if text != "-1" and _size(text, r"(?P<number>[0-9]+)(?P<unit>[KMGTkmgt]?[Bb]?)") > _MOST_BROADCAST:
        raise ValueError
    return text


def _network(value: object) -> object:
    return ip_network(value) if isinstance(value, str) else value


Paths = Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_as_list)]
Networks = Annotated[
    tuple[Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)], ...], NoDecode, BeforeValidator(_as_list)
]
Ports = Annotated[tuple[Annotated[int, Field(ge=0, le=65_535)], ...], NoDecode, BeforeValidator(_as_list)]
Texts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_as_list)]
Pairs = Annotated[tuple[Annotated[str, Field(pattern=r"^[^=\s]+=.*$")], ...], NoDecode, BeforeValidator(_as_list)]
Whole = Annotated[int, BeforeValidator(_not_boolean)]
Numbers = Annotated[Mapping[str, Annotated[int | float, BeforeValidator(_finite)]], NoDecode]


def _number(default: int, description: str, *, least: int, most: int) -> Any:  # noqa: ANN401 - like pydantic's Field, which replaces a value
    return Field(default, ge=least, le=most, title=f"a whole number from {least:,} to {most:,}", description=description)


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
    spark_broadcast_limit: Annotated[str, AfterValidator(_broadcast)] = Field(
        "10MB",
        title='a size such as "10MB", at most 8GB',
        description="Tables up to this size are sent to every executor of Spark.",
    )

    workers: Whole = _number(0, "Processes that read logs; 0: one per core.", least=0, most=1_000)
    slice_events: Whole = _number(
        0, "Records processed at a time, which limits memory; 0: the engine's default.", least=0, most=1_000_000_000
    )
    memory_limit: Annotated[str, AfterValidator(_memory)] = Field(
        "1GB",
        title='a size such as "1GB", from 16MB to 1000TB',
        description="Memory of the SQL engine, beyond which it uses the disk.",
    )

    lateness_cloudtrail_minutes: Whole = _number(
        20, "How long continuous mode waits for late CloudTrail records.", least=0, most=_YEAR_MINUTES
    )
    lateness_flows_minutes: Whole = _number(
        15, "How long continuous mode waits for late flow records.", least=0, most=_YEAR_MINUTES
    )
    episode_gap_days: Whole = _number(
        30, "Days without activity after which the same activity is a new finding.", least=1, most=_CENTURY_DAYS
    )
    kept_contacts: Whole = _number(
        100_000,
        "Remote endpoints (address, port, protocol) that are remembered per interface and hour.",
        least=1_000,
        most=1_000_000_000,
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
    own_egress_principals: Whole = _number(
        5, "Principals that use an address before it counts as the account's own.", least=1, most=1_000_000
    )
    own_egress_days: Whole = _number(
        10, "Days on which they use it before it counts as the account's own.", least=1, most=_CENTURY_DAYS
    )
    own_addresses: Networks = Field(
        (), title="a list of networks", description="Addresses that are the account's own, regardless of what is learned."
    )

    max_blob_bytes: Whole = _number(
        4 << 30,
        "Bytes of text of a compressed file at which reading it stops; a pipe that holds more cannot be read.",
        least=1,
        most=1 << 50,
    )
    max_ratio: Whole = _number(
        1_100, "Decompressed bytes per stored byte at which reading a file stops.", least=1, most=1_000_000_000
    )
    max_record_bytes: Whole = _number(16 << 20, "Bytes of a record beyond which it is rejected.", least=1, most=1 << 30)

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

    @field_validator("*", mode="before")
    @classmethod
    def _without_nul(cls, value: object) -> object:
        """Reject text with a NUL, which no file name or URL holds."""
        if any(isinstance(text, str) and "\0" in text for text in (value if isinstance(value, list | tuple) else (value,))):
            raise ValueError
        return value

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
        __module__="vedette.settings",
        **{item.setting: (Paths, _paths(item.meaning)) for item in LIST_KINDS},
    )

# Settings whose relative paths, if given in a file, start at the file's own folder.
PATH_LISTS = frozenset({"geoip", *(item.setting for item in LIST_KINDS)})


def reference() -> str:
    """Return the table of all settings in Markdown, for the documentation."""
    lines = ["| setting | value | default | what it is for |", "| --- | --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True, validated_data={})
        shown = json.dumps(list(default) if isinstance(default, tuple) else default)
        lines.append(f"| `{name}` | {field.title} | `{shown}` | {field.description} |")
    return "\n".join(lines)
