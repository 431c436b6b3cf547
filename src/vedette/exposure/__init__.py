"""Which ports answer the internet: what traffic proved (state tables), and what the configuration lets in (inventory).

``remembered`` merges the days of the state tables into ports, ``exposures`` puts the configuration beside them, ``digest`` says
in a few lines what a run saw of research scanners and expected ports, ``listing`` prints.
"""

from vedette.exposure.configuration import Exposure, exposures
from vedette.exposure.digest import digest
from vedette.exposure.ports import OPEN, Port, remembered

__all__ = ["OPEN", "Exposure", "Port", "digest", "exposures", "remembered"]
