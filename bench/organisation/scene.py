"""Bundle what is needed to generate a principal's day: the book, random numbers, and renderers."""

from dataclasses import dataclass
from datetime import timedelta
from random import Random

from bench.organisation.event_book import Book
from bench.organisation.principals import Principal
from bench.organisation.templates import Identities, Templates

SETTLED = 14  # days until principals have enough history; before, nobody is away and nothing is new


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One day of one principal."""

    principal: Principal
    book: Book
    day: int
    random: Random
    templates: Templates
    identities: Identities

    @property
    def settled(self) -> bool:
        """Whether new behaviour may occur."""
        return self.day >= SETTLED

    def identity(self, second: float, session: str = "") -> str:
        """Return the JSON of the principal's identity at a second of the day."""
        return self.identities.of(self.principal, self.book.midnight + timedelta(seconds=second), session=session)

    def used(self, calls: tuple[str, ...]) -> None:
        """Record this day as the first use of calls that were not used before."""
        first = self.principal.used
        for api in calls:
            first.setdefault(api, self.day)
