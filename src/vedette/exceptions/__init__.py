"""What the user permits or accepts: whose findings are archived, until when and why."""
