"""Tell URLs from the names of files, and hide what may be secret in a URL: passwords, tokens, signatures.

What is hidden is decided so that it never depends on guessing where a password ends: one that contains ``@``, ``/`` or ``?``
without percent-encoding is hidden as a whole, even where more than it disappears.
"""

import re
from collections.abc import Iterable
from urllib.parse import quote, quote_from_bytes, unquote, unquote_to_bytes

HIDDEN = "***"
SQLITE = "sqlite:///"
_MEMORY = ":memory:"
_IN_MEMORY = frozenset({"sqlite://", SQLITE, SQLITE + _MEMORY})

# One slash is a slip of the pen that must not show a password either.
_URL = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.\-]*://")
_ALMOST_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]{0,40}:/+")  # bounded: a search takes linear time
_ACCOUNT_SHOWN = ("postgresql:", "postgresql+", "postgres:")
_PLAIN_ACCOUNT = re.compile(r"[\w.%+\-]*", re.ASCII)
_AUTHORITY = re.compile(r"(?:\[[^\]]*\]|[^:\[\],]*)(?::\d*)?(?:,(?:\[[^\]]*\]|[^:\[\],]*)(?::\d*)?)*")
# Parameters whose values are shown; the values of all others are hidden, because the name of a secret may be anything.
_OPEN_PARAMETERS = frozenset(
    {
        "application_name", "channel_binding", "client_encoding", "connect_timeout", "dbname", "gssencmode", "host", "hostaddr",
        "keepalives", "keepalives_idle", "port", "sslcert", "sslkey", "sslmode", "sslrootcert", "target_session_attrs", "timeout",
        "user",
    }
)  # fmt: skip
_WORDS = r"(?:secret|passw|passphrase|pwd|token|key|credential|auth|signature|sas\b|private|session)"
_SECRET_NAME = re.compile(_WORDS, re.IGNORECASE)
_ASSIGNMENT = re.compile(rf"(?<![\w.\-])(?P<name>(?>[\w.\-]*?{_WORDS})[\w.\-]*+)(?P<sign>\s*[=:]\s*)\S+", re.IGNORECASE)
_SETTING_NAME = re.compile(r"[\w.\-]*")
_CLOSING = "'\")]}>,;"
_SHORTEST = 4


def is_url(text: str) -> bool:
    """Tell whether text is a URL, not the name of a file: it begins with a scheme and ``://``."""
    return _URL.match(text) is not None


def file_url(name: str) -> str:
    """Return the ``sqlite:///`` URL of a file of any name; ``file_of`` is the way back."""
    return SQLITE + quote_from_bytes(name.encode("utf-8", "surrogateescape"), safe="/" if name == _MEMORY else "/:")


def is_in_memory(url: str) -> bool:
    """Tell whether a URL names a database in memory, which is lost when it is closed."""
    return url.partition("?")[0] in _IN_MEMORY


def file_of(url: str) -> str:
    """Return the name of the file of a ``sqlite:///`` URL, without the URL's parameters."""
    return unquote_to_bytes(url.removeprefix(SQLITE).partition("?")[0]).decode("utf-8", "surrogateescape")


def masked(url: str) -> str:
    """Return a URL with everything in it hidden that may be secret; text that is no URL is returned as it is.

    Of a database's URL, the user is shown. The values of parameters are hidden, but for those that are known to be harmless.
    """
    found = _ALMOST_URL.match(url.lstrip())
    if found is None:
        return url
    scheme, rest = found[0], url.lstrip()[found.end() :]
    kind = scheme.lower()
    if kind.startswith(("s3:", "s3a:", "s3n:")) and not set(":@") & set(rest.partition("/")[0]):
        return scheme + rest  # a bucket and a key: neither account nor parameters
    if kind.startswith(("sqlite:", "file:")) and ("///" in scheme or rest.startswith("/")):
        return scheme + _without_parameters(rest)
    account, at, place = rest.rpartition("@")
    if "?" in account:  # a part of the password, or what a parameter begins with: then the rest belongs to its value
        return scheme + HIDDEN
    return f"{scheme}{_account(kind, account) if at else ''}{_place(place)}"


def masked_server(text: str) -> str:
    """Return what should be the URL of a server, also one whose scheme is missing, with everything hidden that may be secret."""
    if _ALMOST_URL.match(text.lstrip()):
        return masked(text)
    _, at, place = text.rpartition("@")
    return f"{HIDDEN}@{_place(place)}" if at else _place(text)


def masked_text(text: str) -> str:
    """Return text for people with what may be secret hidden in each URL in it."""
    shown, place = [], 0
    while found := _ALMOST_URL.search(text, place):
        end = _end(text, found.end())
        shown += [text[place : found.start()], masked(text[found.start() : end])]
        place = end
    return "".join([*shown, text[place:]])


def masked_setting(text: str) -> str:
    """Return a pair NAME=VALUE, such as a setting of Spark, with its value hidden if the name or the value speaks of a secret."""
    name, sign, value = text.partition("=")
    plain = _SETTING_NAME.match(name)
    if plain is None or plain[0] != name or _SECRET_NAME.search(name):
        return f"{plain[0] if plain else ''}{sign}{HIDDEN}"
    return name + sign + _ASSIGNMENT.sub(lambda found: found["name"] + found["sign"] + HIDDEN, masked_text(value))


def secrets_of(url: str) -> tuple[str, ...]:
    """Return the texts in a URL that may be secret, as written and decoded, the longest first."""
    found = _ALMOST_URL.match(url.lstrip())
    if found is None:
        return ()
    account, _, place = url.lstrip()[found.end() :].rpartition("@")
    user, _, password = account.partition(":")
    secrets = {password} if _is_shown(found[0].lower(), user) else {password, user, account}
    for name, value in _parameters(place.partition("?")[2]):
        secrets |= set() if name in _OPEN_PARAMETERS else {value}
    forms = {form for item in secrets for form in (item, unquote(item), quote(item, safe=""), quote(unquote(item), safe=""))}
    return tuple(sorted(forms - {""}, key=lambda form: (-len(form), form)))


def without(text: str, secrets: Iterable[str]) -> str:
    """Return text with each of the secrets hidden; a very short one only where it stands alone."""
    for secret in secrets:
        pattern = re.escape(secret) if len(secret) >= _SHORTEST else rf"(?<!\w){re.escape(secret)}(?!\w)"
        text = re.sub(pattern, HIDDEN, text)
    return text


def _end(text: str, start: int) -> int:
    """Return where a URL in running text ends: at a blank, unless what is before it must be the first half of a password."""
    found = re.compile(r"\S*").match(text, start)
    end = start if found is None else found.end()
    token = text[start:end]
    if "@" not in token and not _AUTHORITY.fullmatch(re.split(r"[/?#]", token.rstrip(_CLOSING))[0]):
        line = text[start:].splitlines()[0]
        if "@" in line:
            rest = line.rpartition("@")[2]
            return start + len(line) - len(rest) + len(rest.split(" ")[0].rstrip(_CLOSING))
    return end - (len(token) - len(token.rstrip(_CLOSING)))


def _account(kind: str, account: str) -> str:
    user, colon, _ = account.partition(":")
    if _is_shown(kind, user):
        return f"{user}:{HIDDEN}@" if colon else f"{user}@"
    return f"{HIDDEN}@"


def _is_shown(kind: str, user: str) -> bool:
    """Tell whether a user name is shown: that of a database is no secret, while that of another server may be a token."""
    return kind.startswith(_ACCOUNT_SHOWN) and _PLAIN_ACCOUNT.fullmatch(user) is not None


def _place(place: str) -> str:
    """Return host, path and parameters; what stands where the port belongs and is no number may be a password."""
    authority = re.split(r"[/?#]", place, maxsplit=1)[0]
    rest = place[len(authority) :]
    if not _AUTHORITY.fullmatch(authority):
        return f"{authority.partition(':')[0]}:{HIDDEN}"
    return authority + _without_parameters(rest)


def _without_parameters(rest: str) -> str:
    rest, mark, _ = rest.partition("#")
    path, question, query = rest.partition("?")
    shown = "&".join(_shown_parameter(name, value) for name, value in _parameters(query))
    return f"{path}{question}{shown}{f'#{HIDDEN}' if mark else ''}"


def _parameters(query: str) -> list[tuple[str, str]]:
    pieces = (piece.partition("=") for piece in re.split(r"[&;]", query) if piece)
    return [(name, value) if sign else ("", name) for name, sign, value in pieces]


def _shown_parameter(name: str, value: str) -> str:
    if not name:
        return HIDDEN
    return f"{name}={value if name in _OPEN_PARAMETERS else HIDDEN}"
