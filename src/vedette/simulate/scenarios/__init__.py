"""Scenarios: one module each, with the constant ``SCENARIO``."""
