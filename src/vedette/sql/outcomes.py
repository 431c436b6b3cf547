"""What became of a connection attempt: the outcomes, and lists of them for SQL."""

# By their number in remembered tables.
OUTCOMES = ("rejected", "refused", "no_reply", "half_open", "touched", "established", "one_sided")

# Nothing was reached.
FAILED = "('rejected', 'refused', 'no_reply')"
# The other side accepted the connection.
ANSWERED = "('half_open', 'touched', 'established')"
# A port was looked at, and not used.
PROBING = "('rejected', 'refused', 'no_reply', 'half_open', 'touched')"
