"""Manage the files that hold the state between runs: which are current, where they are stored, how they are read and written."""
