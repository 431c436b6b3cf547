"""Measure speed and detection quality."""
