"""Inspect, copy and edit the baseline of the discovery types outside a run, and score past episodes again.

``tables`` reads and folds the state tables that make up the baseline; ``pages`` describes what is usual for a principal;
``carry`` exports, imports and forgets; ``repair`` takes out what is dated in the future;
``episodes`` and ``what_if`` score past episodes with other numbers; ``listing`` prints.
"""

from vedette.baseline.carry import export, forgotten, imported
from vedette.baseline.episodes import ScoredEpisode, remembered
from vedette.baseline.pages import Learning, Page, learning, page, principals
from vedette.baseline.repair import Repaired, repaired

__all__ = [
    "Learning",
    "Page",
    "Repaired",
    "ScoredEpisode",
    "export",
    "forgotten",
    "imported",
    "learning",
    "page",
    "principals",
    "remembered",
    "repaired",
]
