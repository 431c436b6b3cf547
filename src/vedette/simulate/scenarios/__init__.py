"""Contain the scenarios: one module each, with the constant ``SCENARIO``."""
