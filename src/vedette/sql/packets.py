"""What the size and the flags of packets tell: bytes of IP, and bits of TCP's flags."""

TCP, UDP = 6, 17

SYN, RST, ACK = 2, 4, 16
SYN_ACK = SYN | ACK

# IPv6 has so many more bytes per packet than IPv4.
IPV6_BYTES = 20
# A packet of nothing but headers without options: an acknowledgement or a refusal.
EMPTY_BYTES = 40
# A packet that opens a connection has at least one option. Linux and Windows send 60 bytes at most, macOS and the BSDs 64.
OPTION_BYTES = 4
LEAST_SYN_BYTES = EMPTY_BYTES + OPTION_BYTES
SYN_BYTES = 64
# Larger packets on average carry data.
DATA_BYTES = 80

# An attempt that is never answered is repeated so often at most.
ATTEMPT_PACKETS = 6
# One direction begins so much before the other where it opened the conversation.
LEAD_US = 2_000_000

# A client port is told from others by one of so many bits; data was sent to it in so many packets at least.
CLIENT_BITS = 60
CLIENT_PACKETS = 3

# Where sums of packets and of bytes stop: no traffic reaches it in five minutes, and what is computed of them (products with the
# bytes of a packet) still fits into 64 bits.
LARGEST_TOTAL = 1 << 55


def total(amount: str) -> str:
    """Return the SQL of a sum of amounts of at least 0 that no number of records makes overflow: it stops at ``LARGEST_TOTAL``.

    DuckDB sums in 128 bits. For Spark, where a sum that does not fit into 64 is null (``vedette.engine.dialect``), it is counted
    whether there is anything to sum.
    """
    return (
        f"coalesce(case when sum({amount}) <= {LARGEST_TOTAL} then cast(sum({amount}) as bigint) end, "
        f"case when count({amount}) > 0 then {LARGEST_TOTAL} end)"
    )


def header(ipv6: str) -> str:
    """Return the SQL of the bytes that a packet has more than one of IPv4."""
    return f"case when {ipv6} then {IPV6_BYTES} else 0 end"


def sized(size: int) -> str:
    """Return the SQL of a size of IPv4 or of IPv6, by the column ``ipv6``."""
    return f"(case when ipv6 then {size + IPV6_BYTES} else {size} end)"


CLIENTS = f"""bit_or(case when not forward and packets >= {CLIENT_PACKETS} and bytes > {DATA_BYTES} * packets
                       then one_bit(client_port % {CLIENT_BITS}) else 0 end)"""
"""SQL of a bit for each of some client ports to which data was sent (methods 1.3: many clients make a listener)."""
