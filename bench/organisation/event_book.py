"""Collect the calls of a day and write them as CloudTrail delivers them: one gzip file per hour and region."""

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from string import ascii_letters, digits

from isal import igzip

from bench.organisation.templates import Template, uuid
from vedette.simulate import ACCOUNT_ID

DAY_SECONDS = 86_400
_HOUR_SECONDS = 3_600
_DELIVERED_AFTER = timedelta(minutes=70)  # the hour itself plus ten minutes
_CLOCK = tuple(f"T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z" for second in range(DAY_SECONDS))

_Event = tuple[str, str, int, str]


class Book:
    """The calls of one day, each as the text of its template, identity, second of the day and address."""

    def __init__(self, midnight: datetime) -> None:
        self.midnight = midnight
        self.events = 0
        self._slots: dict[tuple[str, int], list[_Event]] = {}
        self._finished: dict[tuple[str, int], list[str]] = {}

    def add(self, template: Template, identity: str, second: int, address: str) -> None:
        """Add a call; a second after the end of the day becomes the last second of the day."""
        second = min(second, DAY_SECONDS - 1)
        slot = (template.region, second // _HOUR_SECONDS)
        self.events += 1
        self._slots.setdefault(slot, []).append((template.text, identity, second, address))

    def add_known(self, template: Template, identity: str, second: int, address: str, event_id: str) -> None:
        """Add a call whose event ID is recorded in the ground truth."""
        slot = (template.region, second // _HOUR_SECONDS)
        self.events += 1
        text = template.text % (identity, time_of(self.midnight, second), address, event_id[::-1], event_id)
        self._finished.setdefault(slot, []).append(text)

    def write(self, folder: Path, random: Random) -> int:
        """Write the files of the day; return their number."""
        slots = sorted({*self._slots, *self._finished})
        for slot in slots:
            records = [*_rendered(self._slots.get(slot, []), self.midnight, random), *self._finished.get(slot, [])]
            self._write(folder, slot, '{"Records":[' + ",".join(records) + "]}", random)
        return len(slots)

    def _write(self, folder: Path, slot: tuple[str, int], text: str, random: Random) -> None:
        region, hour = slot
        at = self.midnight + timedelta(hours=hour) + _DELIVERED_AFTER
        word = "".join(random.choices(ascii_letters + digits, k=16))
        path = folder / "AWSLogs" / ACCOUNT_ID / "CloudTrail" / region / f"{at:%Y/%m/%d}"
        path.mkdir(parents=True, exist_ok=True)
        file = path / f"{ACCOUNT_ID}_CloudTrail_{region}_{at:%Y%m%dT%H%MZ}_{word}.json.gz"
        file.write_bytes(igzip.compress(text.encode(), compresslevel=1, mtime=0))
        os.utime(file, (at.timestamp(), at.timestamp()))


def time_of(midnight: datetime, second: int) -> str:
    """Return the time as CloudTrail writes it."""
    return f"{midnight:%Y-%m-%d}{_CLOCK[second]}"


def _rendered(events: list[_Event], midnight: datetime, random: Random) -> Iterator[str]:
    date = f"{midnight:%Y-%m-%d}"
    ids = random.randbytes(32 * len(events)).hex()
    at = 0
    for text, identity, second, address in events:
        yield text % (identity, date + _CLOCK[second], address, uuid(ids[at : at + 32]), uuid(ids[at + 32 : at + 64]))
        at += 64
