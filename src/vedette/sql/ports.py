"""Ports as SQL sees them: which belong to services, which are sensitive, and which are dynamic."""

FIRST_UNPRIVILEGED = 1024
FIRST_EPHEMERAL = 32768

# Ports above 1023 on which servers usually listen; those below are known to belong to services (methods 1.2, rule service_port).
SERVICE_PORTS = (
    "1080, 1099, 1194, 1433, 1434, 1521, 1723, 1883, 2049, 2181, 2222, 2375, 2376, 2379, 2380, 3000, 3128, 3268, 3269, "
    "3306, 3389, 4369, 4444, 4789, 5000, 5044, 5060, 5222, 5432, 5601, 5671, 5672, 5900, 5984, 5985, 5986, 6000, 6379, "
    "6443, 6667, 7000, 7001, 7077, 7474, 8000, 8008, 8009, 8020, 8032, 8080, 8081, 8086, 8088, 8089, 8090, 8125, 8161, "
    "8200, 8300, 8301, 8443, 8500, 8600, 8888, 9000, 9042, 9090, 9091, 9092, 9093, 9100, 9160, 9200, 9300, 9418, 9999, "
    "10000, 10050, 10051, 10250, 10255, 11211, 15672, 25565, 27017, 27018, 28017"
)
# Ports on which a conversation is arranged whose own ports are chosen dynamically (methods 2.3).
CONTROL_PORTS = "21, 88, 111, 135, 389, 1099, 2049, 4369, 6123, 6379, 7077, 7946, 8020, 8032, 8301, 10001"
# Ports of databases, shells, remote control and the like.
SENSITIVE_PORTS = (
    "21, 22, 23, 25, 110, 111, 135, 139, 143, 389, 445, 873, 1433, 1521, 2049, 2375, 2376, 2379, 3306, 3389, 4369, 5432, "
    "5601, 5900, 5984, 5985, 5986, 6379, 6443, 7001, 8009, 8088, 8500, 9000, 9042, 9092, 9200, 9300, 10250, 11211, 15672, "
    "27017, 50070"
)
# Ports of resolvers, time and mail servers: an interface may spend nearly all its attempts on one of them.
SINGLE_PURPOSE_PORTS = ("53", "123", "25")
# Ports of crawlers, resolvers, time and mail servers, which reach many hosts of the internet (methods 2.1).
CRAWLER_PORTS = "25, 53, 80, 123, 443"
# Where traceroute sends UDP.
TRACEROUTE_PORTS = (33434, 33689)

# Ports that an application may choose as it likes.
DYNAMIC = f"(remote_port >= {FIRST_UNPRIVILEGED} and remote_port not in ({SENSITIVE_PORTS}))"


def serves(port: str) -> str:
    """Return the SQL that says whether a port belongs to a service.

    The list is long, so a port is looked up in it only where it may be there.
    """
    return (
        f"(case when {port} < {FIRST_UNPRIVILEGED} then true when {port} >= {FIRST_EPHEMERAL} then false "
        f"else {port} in ({SERVICE_PORTS}) end)"
    )
