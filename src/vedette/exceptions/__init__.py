"""What the user permits or accepts: whose findings are kept, archived, until when and why."""
