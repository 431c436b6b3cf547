"""Measures how many simulated port scans are found, and how often ordinary life looks like one (``python -m bench.quality``)."""
