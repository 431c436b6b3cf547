"""Cut-offs of flow records that are the same for everybody: they say what a record means, not how much is too much."""

# An address is an interface's own if it takes part in so large a share of the records of five minutes (methods 1.2 item 2).
OWN_ADDRESS_SHARE = 0.99
# A port that served so many different clients in an hour is a listener (methods 1.3).
LISTENER_CLIENTS = 5

# So many failures on one host within ten minutes belong to a scan of it or to a block, not to a scan of one port.
BLOCK_HOST_FAILURES = 5
# A port that made up so large a share of what an interface did in a week is its purpose.
USUAL_PORT_SHARE = 0.9

# What a failure counts, in tenths: silence may be a lost reply, and inside a cluster addresses change hands.
WEIGHT = 10
SILENT_WEIGHT = 3
CLUSTER_WEIGHT = 5
# Rules from this number on are weak: they say less surely who opened a conversation (methods 1.2).
FIRST_WEAK_RULE = 4
# Strong rules must account for so many tenths of the failures that are required; weak ones alone are never enough.
STRONG_TENTHS = 6
# Where records were lost, so many failures must not depend on a missing reply.
HARD_FAILURES = 5
# In a cluster, so many failed ports must lie below the ephemeral ones.
CLUSTER_FAILURES = 10
# A scan of UDP shows by silence alone, so more of it is needed, and services among it.
UDP_ATTEMPTS = 100
UDP_SERVICE_PORTS = 20
