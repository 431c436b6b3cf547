"""Describe the AWS environment from saved responses of EC2: interfaces, instances, unused addresses, and what can reach what.

``Inventory.load`` reads a folder of responses as saved by the AWS command line; ``pull`` writes such a folder. A folder may
contain several snapshots of different dates.
"""

from vedette.inventory.environment import INTERFACES, Inventory
from vedette.inventory.exposure import Opening
from vedette.inventory.files import Snapshot
from vedette.inventory.interfaces import Interface
from vedette.inventory.reachability import Reachability

__all__ = ["INTERFACES", "Interface", "Inventory", "Opening", "Reachability", "Snapshot"]
