"""Text for people: findings, explanations and the run report."""
