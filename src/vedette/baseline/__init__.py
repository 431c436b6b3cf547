"""The baseline of the discovery types outside a run: looked at, carried from store to store, forgotten, judged anew.

``tables`` reads and folds the remembered tables that the baseline is; ``pages`` says what is usual for a principal; ``carry``
exports, imports and forgets; ``episodes`` and ``what_if`` judge past episodes by other numbers; ``listing`` prints.
"""

from vedette.baseline.carry import export, forgotten, imported
from vedette.baseline.episodes import ScoredEpisode, remembered
from vedette.baseline.pages import Learning, Page, learning, page, principals

__all__ = [
    "Learning",
    "Page",
    "ScoredEpisode",
    "export",
    "forgotten",
    "imported",
    "learning",
    "page",
    "principals",
    "remembered",
]
