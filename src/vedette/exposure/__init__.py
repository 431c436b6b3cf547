"""List the ports that the internet reaches: those that traffic proved (state tables) or the configuration opens (inventory).

``remembered`` merges the days of the state tables into ports, ``exposures`` adds the configuration, ``digest`` summarises in
a few lines which research scanners and expected ports a run saw, and ``listing`` prints.
"""

from vedette.exposure.configuration import Exposure, exposures
from vedette.exposure.digest import digest
from vedette.exposure.ports import OPEN, Port, remembered

__all__ = ["OPEN", "Exposure", "Port", "digest", "exposures", "remembered"]
