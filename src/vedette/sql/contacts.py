"""How contacts are remembered: the first attempt of an hour in few small columns, and how long contacts are known.

``marks`` is a single number: the outcome, 16 times the rule that said who opened, and a bit for each flag from 256 on. ``ports``
is the lowest port of the client plus 65,536 times the highest.
"""

from vedette.sql.outcomes import OUTCOMES

KNOWN_CONTACT_DAYS = 7

_RULE = 16
_FLAGS = {"dark": 256, "unreliable": 512, "k8s": 1024, "assumed": 2048, "relayed": 4096}
_PORTS = 65536

OUTCOME_NUMBER = "case {0} " + " ".join(f"when '{name}' then {number}" for number, name in enumerate(OUTCOMES)) + " end"
"""SQL of an outcome's number; ``{0}`` stands for the outcome."""


def packed_marks(k8s: str) -> str:
    """Return the SQL of ``marks``; ``k8s`` is the SQL of that flag, the others are columns."""
    flags = {**{name: name for name in _FLAGS}, "k8s": k8s}
    return f"outcome_number + {_RULE} * rule + " + " + ".join(f"{bit} * {flags[name]}" for name, bit in _FLAGS.items())


def unpacked_marks(marks: str) -> str:
    """Return the SQL of the columns outcome, rule and flags of ``marks``."""
    names = " ".join(f"when {number} then '{name}'" for number, name in enumerate(OUTCOMES))
    flags = ", ".join(f"{marks} // {bit} % 2 as {name}" for name, bit in _FLAGS.items())
    return f"case {marks} % {_RULE} {names} end as outcome, {marks} // {_RULE} % {_RULE} as rule, {flags}"


PACKED_PORTS = f"cast(low_client_port as bigint) + {_PORTS} * cast(high_client_port as bigint)"


def unpacked_ports(ports: str) -> str:
    """Return the SQL of the columns low_port and high_port of ``ports``."""
    return f"{ports} % {_PORTS} as low_port, {ports} // {_PORTS} as high_port"
