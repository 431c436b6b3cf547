"""Generate a program's day: separate runs, or calls throughout the day."""

from bench.organisation.event_book import DAY_SECONDS
from bench.organisation.pages import Page
from bench.organisation.principals import Kind, Principal
from bench.organisation.scene import Scene

_ELSEWHERE = 0.2  # share of days on which a program runs at its second place
_LEAST_CALLS: dict[Kind, int] = {"iam-user": 12, "lambda-role": 24, "partner": 12}
_INSTANCE_CALLS = 48  # per day and instance: with one in each half hour, no hour is without calls
_RUNS: dict[Kind, tuple[float, float, float]] = {  # earliest and latest hour at which a run begins, and seconds between its calls
    "ci-role": (6, 20, 4),
    "terraform-role": (6, 20, 0.3),
    "posture-role": (2, 3, 0.8),
}
_RUNS_PER_DAY: dict[Kind, int] = {"terraform-role": 6, "posture-role": 1}
_CREDENTIAL_HOURS = 4


def play_program(scene: Scene, calls: Page, wanted: int) -> None:
    """Add about the wanted number of a program's calls to the book, or the minimum of its kind if that is higher."""
    principal, random = scene.principal, scene.random
    scene.used(calls)
    place = principal.places[-1] if random.random() < _ELSEWHERE else principal.places[0]
    principal.here = place
    play = _run if principal.kind in _RUNS else _steadily
    play(scene, calls, wanted, place.address(principal.seat))


def _run(scene: Scene, calls: Page, wanted: int, address: str) -> None:
    principal, book = scene.principal, scene.book
    earliest, latest, pause = _RUNS[principal.kind]
    runs = _RUNS_PER_DAY.get(principal.kind) or max(1, wanted // len(calls))
    length = max(len(calls), -(-wanted // runs))
    templates = [scene.templates.of(principal, api, principal.agents[0]) for api in calls]
    for _ in range(runs):
        begin = scene.random.uniform(earliest, latest) * 3_600
        identity = scene.identity(begin)
        for number in range(length):
            book.add(templates[number % len(templates)], identity, int(begin + number * pause), address)


def _steadily(scene: Scene, calls: Page, wanted: int, address: str) -> None:
    principal, book = scene.principal, scene.book
    sessions = sessions_of(principal, scene.day)
    least = _INSTANCE_CALLS * len(sessions) if principal.kind == "instance-role" else _LEAST_CALLS[principal.kind]
    count = max(wanted, least)
    block = _CREDENTIAL_HOURS * 3_600
    identities = [[scene.identity(begin, session) for begin in range(0, DAY_SECONDS, block)] for session in sessions]
    templates = [scene.templates.of(principal, api, principal.agents[0]) for api in calls]
    chosen = scene.random.choices(templates, [1 / rank for rank in range(1, len(calls) + 1)], k=count)
    step, chance = DAY_SECONDS / count, scene.random.random
    for number, template in enumerate(chosen):
        second = int((number + chance()) * step)
        book.add(template, identities[number % len(sessions)][second // block], second, address)


def sessions_of(principal: Principal, day: int) -> list[str]:
    """Return the session names of a program on a day: new instance IDs every day for an instance role, else one empty name."""
    if principal.kind != "instance-role":
        return [""]
    seeds = [principal.seat * 4_099 + day * 13 + number for number in range(1 + principal.seat % 3)]
    return [f"i-0{(seed + 1) * 0x9E3779B97F4A7C15 % 16**16:016x}" for seed in seeds]
