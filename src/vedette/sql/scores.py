"""The score sheet of an episode: its codes, and what calls of five minutes must share to score alike (methods 5.4)."""

# Codes that add points, and mitigating factors that take points off.
CODES = ("g1", "g2", "g3", "p1", "n1", "n2", "n3", "n4", "u1", "u2", "b1", "s1", "b2", "d1", "d2", "c1", "h1", "k1", "t1", "r1")
MITIGATIONS = ("e1", "e2", "e3", "e4", "e5", "e6")

# How many points make a finding, by the name of the profile.
PROFILES = {"sensitive": 3, "balanced": 5, "quiet": 7}

# Calls of somebody that are equal in all these columns score alike, and are one row.
SCORED_BY = ("account_id", "step", "bin", "category", "service", "operation", "region", "weight", "marks")


def of_scored(call: str, scored: str, newcomer: str) -> str:
    """Return the condition that a call (``marked_calls``) is one of a row that was scored, by the aliases of their tables.

    ``newcomer`` is the alias of ``newcomers``, which says by which number the row names the principal.
    """
    return f"{call}.who = {newcomer}.who and " + " and ".join(f"{call}.{name} = {scored}.{name}" for name in SCORED_BY)
