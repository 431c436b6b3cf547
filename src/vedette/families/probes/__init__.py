"""The finding type about port probes."""
