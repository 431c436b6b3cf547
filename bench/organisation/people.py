"""Generate a person's day: visits to console pages and commands, from the office, from home, or from a hotel."""

from dataclasses import dataclass

from bench.organisation.networks import Network
from bench.organisation.pages import COMMAND_CHANGES, COMMANDS, PAGES, Page
from bench.organisation.principals import Kind
from bench.organisation.scene import Scene

_WEEKEND = 5
_VISITS: dict[Kind, float] = {"sso-developer": 8, "sso-admin": 10, "sso-read-only": 5}
_LEAST_VISITS = 3
_AWAY, _TOUR, _TOUR_LIKED, _NIGHT, _DENIED, _COMMAND, _CHANGE = 0.03, 0.007, 0.5, 0.02, 0.01, 0.25, 0.1
_PLACES = (6, 3, 1)  # relative frequency of a person's places
OPENING = {"DE": 7, "IE": 8, "US": 14}  # hour (UTC) at which work begins
_WORKING_SECONDS = 9 * 3_600
_NIGHT_SECONDS = 4 * 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Plans:
    """The circumstances of a day: the amount of work (1 is usual), the network of a trip, and new console pages."""

    rate: float
    trip: Network | None
    new_pages: tuple[Page, ...]


def play_person(scene: Scene, plans: Plans) -> None:
    """Add a person's calls to the book; there are none at the weekend, except from developers on call at night."""
    principal, random = scene.principal, scene.random
    if principal.kind == "sso-developer" and scene.settled and random.random() < _NIGHT:
        for _ in range(_LEAST_VISITS):
            _visit(scene, random.randrange(_NIGHT_SECONDS), principal.places[1])
    if scene.book.midnight.weekday() >= _WEEKEND or (scene.settled and random.random() < _AWAY):
        return
    place = plans.trip or random.choices(principal.places, _PLACES)[0]
    principal.here = place
    opening = OPENING[principal.country] * 3_600
    for _ in range(max(_LEAST_VISITS, round(_VISITS[principal.kind] * plans.rate * random.uniform(0.6, 1.4)))):
        _visit(scene, opening + random.randrange(_WORKING_SECONDS), place)
    for page in plans.new_pages:
        _look(scene, page, opening + random.randrange(_WORKING_SECONDS), place)


def _visit(scene: Scene, second: int, place: Network) -> None:
    principal, random = scene.principal, scene.random
    if "cli" in principal.agents and random.random() < _COMMAND:
        calls = COMMAND_CHANGES if random.random() < _CHANGE else COMMANDS
        _look(scene, tuple(random.sample(calls, 2)), second, place, agent="cli")
        return
    page = principal.pages[int(random.random() ** 2 * len(principal.pages))]  # the first ones are used most often
    if scene.settled and random.random() < _TOUR:
        page = random.choice(list(PAGES.values()))
        if page not in principal.pages and random.random() < _TOUR_LIKED:
            principal.pages.append(page)
    _look(scene, page, second, place)


def _look(scene: Scene, calls: Page, second: int, place: Network, *, agent: str = "console") -> None:
    principal, random = scene.principal, scene.random
    identity, address = scene.identity(second), place.address(principal.seat)
    denied = len(calls) - 1 if principal.kind == "sso-read-only" and random.random() < _DENIED else -1
    scene.used(calls)
    for number, api in enumerate(calls):
        template = scene.templates.of(principal, api, agent, denied=number == denied)
        scene.book.add(template, identity, second, address)
        second += int(random.random() * 3)
