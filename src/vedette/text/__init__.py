"""Text for people: findings, explanations and the run report."""

NARROWEST = 80
"""Columns of the narrowest terminal for which tables are laid out."""
