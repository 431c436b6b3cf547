"""Makes untrusted text safe to show: on a terminal, and in a cell of a spreadsheet."""

import re
import unicodedata

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])|\x9b[0-?]*[ -/]*[@-~]")
_UNSHOWN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def clean(text: object) -> str:
    """Return untrusted text as one line without anything that a terminal would act on."""
    line = re.sub(r"\s", " ", _ESCAPES.sub("", str(text)))
    shown = "".join(char for char in line if unicodedata.category(char) not in _UNSHOWN)
    return re.sub(r" +", " ", shown).strip()


def cell(text: object) -> str:
    """Return untrusted text as a spreadsheet cell that is not a formula: text that begins like one gets an apostrophe."""
    shown = clean(text)
    return f"'{shown}" if str(text).lstrip(" ").startswith(_FORMULA) or shown.startswith(_FORMULA) else shown
