"""Renders CloudTrail records fast: a template for each call and tool, into which identity, time, address and ids are put."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random

from bench.organisation.principals import PARTNER_ACCOUNT, Principal
from vedette.simulate import HOME_REGION, Call
from vedette.simulate.world.identities import identifier, user_identity
from vedette.simulate.world.records import record

_ANY_DAY = datetime(2026, 1, 1)  # noqa: DTZ001  # a placeholder takes its place
_HOLES = {  # in the order in which records have them
    "userIdentity": "@identity@",
    "eventTime": "@time@",
    "sourceIPAddress": "@address@",
    "requestID": "@request@",
    "eventID": "@event@",
}
_SESSION_HOURS = 4


@dataclass(frozen=True, slots=True)
class Template:
    """A record with holes (``%s``) for identity, time, address, request id and event id; and the region whose file it is in."""

    region: str
    text: str


class Templates:
    """Makes each template once."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str, str, str], Template] = {}

    def of(self, principal: Principal, api: str, agent: str, *, denied: bool = False, region: str = HOME_REGION) -> Template:
        """Return the template of a call and a tool, named as in ``simulate.Call``; one of a denied call names the principal."""
        key = (api, agent, region, principal.key if denied else "")
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = _template(principal, api, agent, denied=denied, region=region)
        return made


def _template(principal: Principal, api: str, agent: str, *, denied: bool, region: str) -> Template:
    call = Call(actor=principal.actor, api=api, at=_ANY_DAY, address="", agent=agent, region=region, denied=denied)
    whole = record(call, Random(0)) | _HOLES  # its ids are replaced
    text = json.dumps(whole, separators=(",", ":")).replace("%", "%%").replace('"@identity@"', "%s")
    for hole in ("@time@", "@address@", "@request@", "@event@"):
        text = text.replace(hole, "%s")
    return Template(str(whole["awsRegion"]), text)


class Identities:
    """Renders userIdentity of a principal once for each session and four hours, as long as its credentials live."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str, str, datetime], str] = {}

    def of(self, principal: Principal, at: datetime, *, session: str = "", access_key: str = "") -> str:
        """Return the text of userIdentity; ``session`` and ``access_key`` take the place of the usual ones."""
        block = at.replace(hour=at.hour - at.hour % _SESSION_HOURS, minute=0, second=0, microsecond=0)
        key = (principal.key, session, access_key, block)
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = json.dumps(_identity(principal, block, session, access_key), separators=(",", ":"))
        return made

    def forget(self) -> None:
        """Forget what was rendered: another day begins."""
        self._made.clear()


def _identity(principal: Principal, at: datetime, session: str, access_key: str) -> dict[str, object]:
    actor = principal.actor
    if principal.kind == "partner":
        role = identifier("AROA", actor.name)
        return {"type": "AWSAccount", "principalId": f"{role}:{actor.session}", "accountId": PARTNER_ACCOUNT}
    found = user_identity(replace(actor, session=session or actor.session), at)
    return found | {"accessKeyId": access_key} if access_key else found


def uuid(text: str) -> str:
    """Return a random UUID of thirty-two random hex digits."""
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"
