"""The numbers of the three discovery types: points, mitigations and thresholds, the same for all three (methods 5.2, 5.4, 5.5).

A user changes one as ``discovery.NAME``. The profiles differ in how many points make a finding.
"""

from vedette.sql.threshold import Threshold

GROUP = "discovery"
PROFILES = {"sensitive": 3, "balanced": 5, "quiet": 7}

RULES: tuple[Threshold, ...] = (
    Threshold("needed", PROFILES["balanced"], "Points that make a finding; the profile sets it."),
    Threshold("near", 3, "Points from which an episode is remembered as a near miss."),
    Threshold("high", 9, "Points from which a finding has severity 8."),
    Threshold("history_days", 14, "Days since a principal was first seen before it has enough history."),
    Threshold("history_active_days", 7, "Days on which it was active by then."),
    Threshold("history_reads", 50, "Reading calls that it made by then."),
    Threshold("learning_days", 14, "Days that the archive must reach back before new calls are judged without further reason."),
    Threshold(
        "g1", 2, "G1: the first call of an API; one less for calls that almost every tool makes, one more for telling ones."
    ),
    Threshold("g2", 1, "G2: the first call of a service."),
    Threshold("g3", 1, "G3: the first call about network, resources or users."),
    Threshold("p1", 1, "P1: fewer than one in twenty of its peers make the call."),
    Threshold("n1", 2, "N1: from a network that the principal never used."),
    Threshold("n2", 1, "N2: a network that nobody here used, or that lets hosts, tunnels or proxies."),
    Threshold("n3", 1, "N3: from a country that the principal never used."),
    Threshold("n4", 2, "N4: a key from a new network within an hour of another, or an instance's credentials from a new one."),
    Threshold("u1", 1, "U1: with a family of tools that is new for the principal."),
    Threshold("u2", 3, "U2: the user agent names an attack tool or distribution."),
    Threshold("b1", 2, "B1: five first calls of different APIs in an episode."),
    Threshold("b1_few", 1, "B1: three or four of them."),
    Threshold("s1", 2, "S1: six first calls of different APIs in 24 hours, over three episodes."),
    Threshold("b2", 1, "B2: four services, or four regions, all new for the principal."),
    Threshold("d1", 2, "D1: three APIs denied in an episode, by a principal that is seldom denied."),
    Threshold("d2", 1, "D2: a first call was denied."),
    Threshold("c1", 1, "C1: GetCallerIdentity for the first time, half an hour before."),
    Threshold("h1", 1, "H1: an hour of the week in which the person never worked."),
    Threshold("k1", 1, "K1: a long-lived key that slept for 30 days, or was never used."),
    Threshold("t1", 3, "T1: from an address on a Tor, malicious or custom list."),
    Threshold("root", 2, "R1: the root user, outside the console."),
    Threshold("e1", 1, "E1, taken off: a console session; B1, B2, S1, D1 and D2 then count nothing."),
    Threshold("e2", 2, "E2, taken off: the principal's usual infrastructure or posture tool from its usual network."),
    Threshold("e3", 2, "E3, taken off: three others made the call for the first time within 48 hours."),
    Threshold("e4", 2, "E4, taken off: a quarter of those with the same role name or permission set make the call."),
    Threshold("e5", 1, "E5, taken off: the same person made the call under another principal."),
    Threshold("e6", 1, "E6, taken off: the user or role was granted a policy or group in the last seven days."),
)
