"""List public feeds: what each contains, its URL, its terms of use, and how quickly it ages.

This is only a table: nothing here fetches. Terms are the publishers' own and may change; if marked "see publisher", the user has
to read them before use. ``refresh_hours`` is a sensible interval between downloads; after ``max_age_days`` the content is stale.
"""

from dataclasses import dataclass
from difflib import get_close_matches

from vedette.errors import NotFoundError
from vedette.intel import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One public feed. ``format`` is the name of a list format; ``verdict`` matters only for scanners."""

    name: str
    kind: Kind
    url: str
    format: str
    licence: str
    refresh_hours: float
    max_age_days: float
    meaning: str
    verdict: str = "unknown"


_RAW = "https://raw.githubusercontent.com"

FEEDS: tuple[Feed, ...] = (
    Feed(
        name="tor-exit-addresses",
        kind=Kind.TOR,
        url="https://check.torproject.org/exit-addresses",
        format="TOR_EXITS",
        licence="CC0-1.0",
        refresh_hours=1,
        max_age_days=1,
        meaning="Measured exit addresses of Tor with the time of their last test; the best source for TorIPCaller.",
    ),
    Feed(
        name="tor-bulk-exit-list",
        kind=Kind.TOR,
        url="https://check.torproject.org/torbulkexitlist",
        format="TXT",
        licence="CC0-1.0",
        refresh_hours=1,
        max_age_days=1,
        meaning="Exit addresses of Tor, one per line.",
    ),
    Feed(
        name="tor-onionoo",
        kind=Kind.TOR,
        url="https://onionoo.torproject.org/details?type=relay&running=true&flag=exit&fields=nickname,exit_addresses,or_addresses,last_seen",
        format="ONIONOO",
        licence="CC0-1.0",
        refresh_hours=1,
        max_age_days=1,
        meaning="Running exit relays with their addresses, IPv6 included.",
    ),
    Feed(
        name="ipsum-level-3",
        kind=Kind.MALICIOUS,
        url=f"{_RAW}/stamparm/ipsum/master/levels/3.txt",
        format="TXT",
        licence="Unlicense",
        refresh_hours=24,
        max_age_days=7,
        meaning="Addresses on three or more public blocklists.",
        verdict="malicious",
    ),
    Feed(
        name="ipsum-level-5",
        kind=Kind.MALICIOUS,
        url=f"{_RAW}/stamparm/ipsum/master/levels/5.txt",
        format="TXT",
        licence="Unlicense",
        refresh_hours=24,
        max_age_days=7,
        meaning="Addresses on five or more public blocklists: few, and rarely wrong.",
        verdict="malicious",
    ),
    Feed(
        name="firehol-level-1",
        kind=Kind.MALICIOUS,
        url=f"{_RAW}/firehol/blocklist-ipsets/master/firehol_level1.netset",
        format="IPSET",
        licence="see publisher",
        refresh_hours=24,
        max_age_days=7,
        meaning="Networks to block everywhere, from several lists; contains bogons, which are refused.",
        verdict="malicious",
    ),
    Feed(
        name="firehol-level-2",
        kind=Kind.MALICIOUS,
        url=f"{_RAW}/firehol/blocklist-ipsets/master/firehol_level2.netset",
        format="IPSET",
        licence="see publisher",
        refresh_hours=24,
        max_age_days=7,
        meaning="Addresses that attacked within the last 48 hours, from several lists.",
        verdict="malicious",
    ),
    Feed(
        name="spamhaus-drop",
        kind=Kind.MALICIOUS,
        url="https://www.spamhaus.org/drop/drop.txt",
        format="IPSET",
        licence="see publisher (free with attribution)",
        refresh_hours=24,
        max_age_days=7,
        meaning="Networks that are hijacked or leased by criminals.",
        verdict="malicious",
    ),
    Feed(
        name="feodo-tracker",
        kind=Kind.MALICIOUS,
        url="https://feodotracker.abuse.ch/downloads/ipblocklist.txt",
        format="IPSET",
        licence="CC0-1.0",
        refresh_hours=1,
        max_age_days=7,
        meaning="Command-and-control servers of banking trojans.",
        verdict="malicious",
    ),
    Feed(
        name="emerging-threats-compromised",
        kind=Kind.MALICIOUS,
        url="https://rules.emergingthreats.net/blockrules/compromised-ips.txt",
        format="TXT",
        licence="see publisher",
        refresh_hours=24,
        max_age_days=7,
        meaning="Hosts that are known to be compromised.",
        verdict="malicious",
    ),
    Feed(
        name="blocklist-de",
        kind=Kind.MALICIOUS,
        url="https://lists.blocklist.de/lists/all.txt",
        format="TXT",
        licence="see publisher",
        refresh_hours=12,
        max_age_days=7,
        meaning="Addresses that attacked SSH, mail and web servers within the last 48 hours.",
        verdict="malicious",
    ),
    Feed(
        name="cins-army",
        kind=Kind.MALICIOUS,
        url="https://cinsscore.com/list/ci-badguys.txt",
        format="TXT",
        licence="see publisher",
        refresh_hours=24,
        max_age_days=7,
        meaning="Addresses with a bad score in a network of sensors.",
        verdict="malicious",
    ),
    Feed(
        name="maltrail-mass-scanners",
        kind=Kind.SCANNER,
        url=f"{_RAW}/stamparm/maltrail/master/trails/static/mass_scanner.txt",
        format="IPSET",
        licence="MIT",
        refresh_hours=168,
        max_age_days=30,
        meaning="Addresses of internet-wide scanners with their operators' names.",
    ),
    Feed(
        name="misp-censys",
        kind=Kind.SCANNER,
        url=f"{_RAW}/MISP/misp-warninglists/main/lists/censys-scanning/list.json",
        format="MISP",
        licence="CC0-1.0",
        refresh_hours=168,
        max_age_days=30,
        meaning="Networks that Censys scans from.",
        verdict="research",
    ),
    Feed(
        name="misp-shodan",
        kind=Kind.SCANNER,
        url=f"{_RAW}/MISP/misp-warninglists/main/lists/shodan-scanning/list.json",
        format="MISP",
        licence="CC0-1.0",
        refresh_hours=168,
        max_age_days=30,
        meaning="Addresses that Shodan scans from.",
        verdict="research",
    ),
)


def find_feed(name: str) -> Feed:
    """Return the feed with the given name.

    Raises:
        NotFoundError: there is none; the message suggests the most similar name.
    """
    known = {feed.name: feed for feed in FEEDS}
    if name in known:
        return known[name]
    nearest = get_close_matches(name, known, n=1, cutoff=0.4)
    raise NotFoundError(f"{name!r} is not a known feed{f'; did you mean {nearest[0]}?' if nearest else ''}")
