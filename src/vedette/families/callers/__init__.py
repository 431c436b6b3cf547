"""The three finding types about listed callers."""
