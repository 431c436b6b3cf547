"""Authorised scanners: whom an entry names, until when, and what becomes of the finding."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from vedette.errors import ConfigurationError
from vedette.exceptions.authorised import parse, permit_of

DETAILS: Mapping[str, object] = {
    "instanceId": "i-0a1b",
    "imageId": "ami-0a1b",
    "tags": [{"key": "purpose", "value": "scanner"}, {"key": "Name", "value": "one"}],
    "networkInterfaces": [
        {
            "networkInterfaceId": "eni-0a1b",
            "privateIpAddress": "10.0.0.9",
            "privateIpAddresses": [{"privateIpAddress": "10.0.0.9"}, {"privateIpAddress": "10.0.5.9"}],
            "publicIp": "203.0.113.9",
            "ipv6Addresses": ["2001:db8::9"],
        }
    ],
}
AT = datetime(2026, 3, 14, 12, tzinfo=UTC)


def named(entry: str, at: datetime = AT) -> bool:
    return permit_of(parse([entry]), DETAILS, at) is not None


@pytest.mark.parametrize(
    "entry",
    [
        "i-0a1b", "eni-0a1b", "ami-0a1b", "tag:purpose=scanner", "tag:Name=one", "10.0.0.9", "10.0.0.0/24", "10.0.5.9",
        "203.0.113.9", "2001:db8::9", "2001:db8::/32", "  i-0a1b  ", "i-0a1b until 2026-03-14", "i-0a1b until 2026-03-15: why",
    ],
)  # fmt: skip
def test_an_entry_names_the_instance(entry: str) -> None:
    assert named(entry)


@pytest.mark.parametrize(
    "entry",
    [
        "i-0a1c", "i-0a1", "eni-0a1c", "ami-0a1c", "tag:purpose=scanne", "tag:Purpose=scanner", "tag:one=Name", "10.0.0.10",
        "10.0.1.0/24", "203.0.113.8", "2001:db8::8", "i-0a1b until 2026-03-13",
    ],
)  # fmt: skip
def test_an_entry_names_another(entry: str) -> None:
    assert not named(entry)


def test_an_entry_holds_to_the_end_of_its_day() -> None:
    entry = "i-0a1b until 2026-03-14: yearly test"
    assert named(entry, datetime(2026, 3, 14, 23, 59, 59, 999_999, tzinfo=UTC))
    assert not named(entry, datetime(2026, 3, 15, tzinfo=UTC))
    (permit,) = parse([entry])
    assert (permit.identifier, permit.entry.reason, permit.entry.text) == ("i-0a1b", "yearly test", entry)


def test_the_first_entry_that_holds_decides() -> None:
    permits = parse(["i-0a1b until 2026-03-01", "tag:purpose=scanner", "10.0.0.9"])
    permit = permit_of(permits, DETAILS, AT)
    assert permit is not None
    assert permit.entry.text == "tag:purpose=scanner"


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("", "is empty"),
        ("tag:purpose", "a tag is written tag:NAME=VALUE"),
        ("tag:=x", "a tag is written tag:NAME=VALUE"),
        ("somebody", "somebody"),
        ("10.0.0.0/33", "10.0.0.0/33"),
        ("10.0.0.9/24", "host bits"),
        ("i-0a1b until 2026-13-01", "month"),
        ("i-0a1b until tomorrow", "until tomorrow"),
    ],
)
def test_what_cannot_be_read_is_named(entry: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match="authorised_scanners") as caught:
        parse(["i-0a1b", entry])
    assert words in str(caught.value)


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(ConfigurationError, match=r"'one'.*'two'"):
        parse(["one", "10.0.0.1", "two"])


@pytest.mark.parametrize(
    "details",
    [
        {},
        {"networkInterfaces": None, "tags": "purpose=scanner"},
        {"networkInterfaces": [None, 7, {"privateIpAddress": "10.0.0.9 "}], "tags": [None]},
        {"networkInterfaces": [{"ipv6Addresses": [None], "privateIpAddresses": [None]}]},
    ],
)
def test_details_that_say_nothing_are_named_by_nothing(details: dict[str, object]) -> None:
    assert permit_of(parse(["i-0a1b", "tag:purpose=scanner", "10.0.0.0/8"]), details, AT) is None
