"""Generate the ordinary activity of an organisation, day by day.

New behaviour occurs without any attack, at a realistic rate: people open a console page for the first time, the console gets a
new page, a new version of a program makes more calls, people travel, are on call at night, or are newly hired.
"""

from dataclasses import dataclass
from random import Random

from bench.organisation import networks
from bench.organisation.event_book import Book
from bench.organisation.networks import Network
from bench.organisation.pages import NEW_PAGES, NEWLY_CALLED, Page
from bench.organisation.people import Plans, play_person
from bench.organisation.principals import Principal
from bench.organisation.programs import play_program
from bench.organisation.scene import SETTLED, Scene
from bench.organisation.templates import Identities, Templates

_USUAL_RATE = 100  # calls per principal and day at which people have their usual amount of work
_TRIP, _TRIP_DAYS = 0.006, 3
_FOLLOWS = 0.4  # share of people who open a new console page
_WAVE_DAYS = 2
_UPDATED = 5  # one in this many programs gets a new version that makes more calls


@dataclass(frozen=True, slots=True)
class Wave:
    """A new console page: its calls, the number of its first day, and the keys of those who open it within two days."""

    calls: Page
    day: int
    followers: frozenset[str]


class Life:
    """The ordinary activity of principals over a number of days."""

    def __init__(self, principals: list[Principal], days: int, events_per_day: int, seed: int) -> None:
        self.principals, self._events_per_day, self._seed = principals, events_per_day, seed
        self.templates, self.identities = Templates(), Identities()
        self._weight = sum(principal.weight for principal in principals)
        self._rate = events_per_day / len(principals) / _USUAL_RATE
        self._trips = {item.key: _trips(days, self._random("trips", item.key)) for item in principals if item.person}
        self._updates = {
            item.key: self._random("update", item.key).randrange(SETTLED + 2, max(days, SETTLED + 3))
            for item in principals
            if item.kind in NEWLY_CALLED and item.seat % _UPDATED == 0
        }
        rest = days - SETTLED - 3
        self.waves = [self._wave(page, SETTLED + 3 + rest * number // len(NEW_PAGES)) for number, page in enumerate(NEW_PAGES)]

    def play(self, book: Book, day: int) -> None:
        """Add the ordinary calls of a day to the book: the wanted number, or more if the principals need more."""
        self.identities.forget()
        active = [principal for principal in self.principals if principal.active(day)]
        for principal in active:
            if principal.person:
                play_person(self._scene(principal, book, day), self._plans(principal, day))
        left = max(0, self._events_per_day - book.events)
        for principal in active:
            if not principal.person:
                wanted = -int(-left * principal.weight // self._weight)  # rounded up
                play_program(self._scene(principal, book, day), self._calls(principal, day), wanted)

    def _scene(self, principal: Principal, book: Book, day: int) -> Scene:
        return Scene(
            principal=principal,
            book=book,
            day=day,
            random=self._random(f"day-{day}", principal.key),
            templates=self.templates,
            identities=self.identities,
        )

    def _plans(self, principal: Principal, day: int) -> Plans:
        new = (wave for wave in self.waves if wave.day <= day < wave.day + _WAVE_DAYS and principal.key in wave.followers)
        return Plans(
            rate=self._rate,
            trip=None if principal.stays else self._trips[principal.key].get(day),
            new_pages=tuple(wave.calls for wave in new),
        )

    def _calls(self, principal: Principal, day: int) -> Page:
        update = self._updates.get(principal.key)
        return principal.calls if update is None or day < update else principal.calls + NEWLY_CALLED[principal.kind]

    def _wave(self, page: Page, day: int) -> Wave:
        random = self._random("wave", page[0])
        return Wave(page, day, frozenset(item.key for item in self.principals if item.person and random.random() < _FOLLOWS))

    def _random(self, purpose: str, key: str) -> Random:
        """Return random numbers that depend only on purpose and principal, so that no principal affects another."""
        return Random(f"{self._seed}/{purpose}/{key}")  # seeded, not secret


def _trips(days: int, random: Random) -> dict[int, Network]:
    hotels = [network for word in ("Hotel", "Conference", "Airport") for network in networks.of(word, "residential")]
    found: dict[int, Network] = {}
    for day in range(SETTLED, days):
        if random.random() < _TRIP:
            found |= dict.fromkeys(range(day, day + _TRIP_DAYS), random.choice(hotels))
    return found
