"""The AWS environment from saved or live EC2 answers: interfaces, instances, unused addresses, and what can reach what.

``Inventory.load`` reads a folder of answers as the AWS command line saves them; ``pull`` writes such a folder. Several snapshots
of different dates may lie below one folder.
"""

from vedette.inventory.environment import INTERFACES, Inventory
from vedette.inventory.exposure import Opening
from vedette.inventory.files import Snapshot
from vedette.inventory.interfaces import Interface
from vedette.inventory.reachability import Reachability

__all__ = ["INTERFACES", "Interface", "Inventory", "Opening", "Reachability", "Snapshot"]
