"""Calls of CloudTrail as SQL sees them: which count, which are equal, and at which hour of the week they are made."""

# Calls of APIs that manage something; data events say of themselves what they are.
MANAGEMENT_CALLS = """coalesce(event_type, 'AwsApiCall') = 'AwsApiCall'
  and coalesce(event_category, 'Management') = 'Management' and coalesce(management_event, true)"""

# Calls of five minutes that are equal in all these columns are one row.
EQUAL_IN = (
    *("account_id", "region", "event_source", "event_name", "read_only", "request_attribute", "error_code", "source_address"),
    *("user_agent", "identity_type", "principal_id", "user_name", "principal", "principal_kind", "access_key_id"),
    *("session_name", "source_identity", "from_console", "ec2_role_delivery"),
)

# What the discovery types are about.
CATEGORIES = ("network", "resource", "user")

# How long a policy or group that was granted explains new calls (methods 5.4, E6).
GRANT_DAYS = 7


def hour_of_week(hour: str, later: int) -> str:
    """Return the SQL of the hour of the day, UTC, ``later`` hours after ``hour`` (since 1970); 24 more at weekends.

    The first of January 1970 was a Thursday.
    """
    return f"cast((case when ({hour} // 24) % 7 in (2, 3) then 24 else 0 end) + ({hour} + {later}) % 24 as varchar)"
