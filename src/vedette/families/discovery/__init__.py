"""The three finding types about permission discovery."""
