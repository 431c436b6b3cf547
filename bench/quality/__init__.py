"""Measures how many simulated port scans are found, and how often ordinary life is taken for one (``python -m bench.quality``)."""
