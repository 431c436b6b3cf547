"""The cases of ``tests/cases``, by what they are about."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from vedette.registry import discover

CASES = Path(__file__).parents[1] / "cases"


def cases(member: str) -> list[Any]:
    """Return the cases that have a member, ``calls`` or ``flows``: the file's name and the case."""
    return [
        pytest.param(path.stem, case, id=f"{path.stem}: {case['name']}")
        for path in sorted(CASES.glob("*.yaml"))
        for case in yaml.safe_load(path.read_text(encoding="utf-8"))
        if member in case
    ]


def type_of(stem: str) -> str:
    """Return the finding type of the detection module that a file of cases is named after."""
    return dict(discover("vedette.detections", "DETECTION"))[stem].finding_type  # type: ignore[attr-defined]
