"""Render CloudTrail records fast: insert identity, time, address and IDs into one template per call and tool."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random

from bench.organisation.principals import PARTNER_ACCOUNT, Principal
from vedette.simulate import HOME_REGION, Call
from vedette.simulate.world.identities import identifier, user_identity
from vedette.simulate.world.records import record

_ANY_DAY = datetime(2026, 1, 1)  # noqa: DTZ001  # replaced by a placeholder
_PLACEHOLDERS = {  # in the order of a record
    "userIdentity": "@identity@",
    "eventTime": "@time@",
    "sourceIPAddress": "@address@",
    "requestID": "@request@",
    "eventID": "@event@",
}
_SESSION_HOURS = 4


@dataclass(frozen=True, slots=True)
class Template:
    """A record with placeholders (``%s``) for identity, time, address, request ID and event ID, and the region of its file."""

    region: str
    text: str


class Templates:
    """Renders templates, each one once."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str, str, str], Template] = {}

    def of(self, principal: Principal, api: str, agent: str, *, denied: bool = False, region: str = HOME_REGION) -> Template:
        """Return the template of a call and a tool, named as in ``simulate.Call``; only denied calls depend on the principal."""
        key = (api, agent, region, principal.key if denied else "")
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = _template(principal, api, agent, denied=denied, region=region)
        return made


def _template(principal: Principal, api: str, agent: str, *, denied: bool, region: str) -> Template:
    call = Call(actor=principal.actor, api=api, at=_ANY_DAY, address="", agent=agent, region=region, denied=denied)
    whole = record(call, Random(0)) | _PLACEHOLDERS  # its IDs are replaced
    text = json.dumps(whole, separators=(",", ":")).replace("%", "%%").replace('"@identity@"', "%s")
    for placeholder in ("@time@", "@address@", "@request@", "@event@"):
        text = text.replace(placeholder, "%s")
    return Template(str(whole["awsRegion"]), text)


class Identities:
    """Renders the userIdentity of principals, once per session and four hours, the lifetime of credentials."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str, str, datetime], str] = {}

    def of(self, principal: Principal, at: datetime, *, session: str = "", access_key: str = "") -> str:
        """Return the JSON of userIdentity; ``session`` and ``access_key`` replace the usual ones unless they are ""."""
        block = at.replace(hour=at.hour - at.hour % _SESSION_HOURS, minute=0, second=0, microsecond=0)
        key = (principal.key, session, access_key, block)
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = json.dumps(_identity(principal, block, session, access_key), separators=(",", ":"))
        return made

    def forget(self) -> None:
        """Discard the rendered identities at the start of another day."""
        self._made.clear()


def _identity(principal: Principal, at: datetime, session: str, access_key: str) -> dict[str, object]:
    actor = principal.actor
    if principal.kind == "partner":
        role = identifier("AROA", actor.name)
        return {"type": "AWSAccount", "principalId": f"{role}:{actor.session}", "accountId": PARTNER_ACCOUNT}
    found = user_identity(replace(actor, session=session or actor.session), at)
    return found | {"accessKeyId": access_key} if access_key else found


def uuid(text: str) -> str:
    """Return the UUID of 32 hexadecimal digits, with version 4 set."""
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"
