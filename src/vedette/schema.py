"""Define the two Arrow schemas that readers write and the engine reads, with one sentence per column.

Text columns with repeating values are dictionary-encoded by the readers, so that work is done once per distinct value.
"""

import pyarrow as pa

_TEXT = pa.dictionary(pa.int32(), pa.string())
_TIME = pa.timestamp("us", tz="UTC")

# name, type, meaning
CLOUDTRAIL_COLUMNS: tuple[tuple[str, pa.DataType, str], ...] = (
    ("event_time", _TIME, "When the call was made; null if the record's time is unreadable."),
    ("event_id", pa.string(), "The record's eventID; null in records that lack one."),
    ("account_id", _TEXT, "recipientAccountId, or else the caller's account, or else the account in the object's key."),
    ("region", _TEXT, "awsRegion, or else the region in the object's key."),
    ("event_source", _TEXT, "eventSource as written, e.g. ec2.amazonaws.com."),
    ("event_name", _TEXT, "eventName as written, including version suffixes."),
    ("event_type", _TEXT, "eventType, e.g. AwsApiCall."),
    ("event_category", _TEXT, "eventCategory: Management, Data, Insight, NetworkActivity; null in old records."),
    ("read_only", pa.bool_(), "readOnly, from a boolean or its text; null if absent."),
    ("management_event", pa.bool_(), "managementEvent; null if absent."),
    ("error_code", _TEXT, "errorCode; null if the call succeeded."),
    ("source_address", _TEXT, "sourceIPAddress as written: an address, a service name or AWS Internal."),
    ("user_agent", _TEXT, "userAgent as written; untrusted text."),
    ("vpc_endpoint_id", _TEXT, "vpcEndpointId, if the call came through an endpoint."),
    ("from_console", pa.bool_(), "sessionCredentialFromConsole; null if absent."),
    ("request_attribute", _TEXT, "requestParameters.attribute if it is text (DescribeInstanceAttribute …)."),
    ("request_name", _TEXT, "requestParameters.userName, or else roleName, if it is text (AttachUserPolicy …)."),
    ("identity_type", _TEXT, "userIdentity.type."),
    ("identity_arn", _TEXT, "userIdentity.arn."),
    ("identity_account_id", _TEXT, "userIdentity.accountId."),
    ("principal_id", _TEXT, "accessKeyDetails.principalId (contract 7.1)."),
    ("access_key_id", _TEXT, "accessKeyDetails.accessKeyId."),
    ("user_name", _TEXT, "accessKeyDetails.userName: the role's name for an assumed role, Root for the root user."),
    ("principal", _TEXT, "The stable principal key (methods 5.1), without the session name."),
    ("principal_kind", _TEXT, "user, root, sso, instance, workload, role, federated, account, service or unknown."),
    ("session_name", _TEXT, "The role session's name, if there is one; untrusted text."),
    ("issuer_arn", _TEXT, "sessionContext.sessionIssuer.arn."),
    ("invoked_by", _TEXT, "userIdentity.invokedBy: the AWS service that made the call on somebody's behalf."),
    ("credentials_created_at", _TIME, "sessionContext.attributes.creationDate."),
    ("ec2_role_delivery", _TEXT, "sessionContext.ec2RoleDelivery: the IMDS version from which the credentials came."),
    ("source_identity", _TEXT, "sessionContext.sourceIdentity."),
    ("object", _TEXT, "Name of the blob that holds the record."),
    ("position", pa.int64(), "Index of the record in its blob, from 0."),
)

FLOW_COLUMNS: tuple[tuple[str, pa.DataType, str], ...] = (
    ("start_time", _TIME, "First packet of the aggregation window; from the object's key if the record has none."),
    ("end_time", _TIME, "Last packet of the aggregation window; start_time if the record has none."),
    ("version", pa.int32(), "Version field; null if the format lacks it."),
    ("account_id", _TEXT, "Owner of the interface, or else the account in the object's key."),
    ("region", _TEXT, "Region field, or else the region in the object's key."),
    ("interface_id", _TEXT, "Network interface (eni-…)."),
    ("instance_id", _TEXT, "Instance of the interface; null for requester-managed interfaces and before version 3."),
    ("vpc_id", _TEXT, "VPC of the interface."),
    ("subnet_id", _TEXT, "Subnet of the interface."),
    ("src_address", _TEXT, "Source as seen at the interface; null if it is not an address."),
    ("dst_address", _TEXT, "Destination as seen at the interface; null if it is not an address."),
    ("src_port", pa.int32(), "Source port, 0 for protocols without ports; null if impossible."),
    ("dst_port", pa.int32(), "Destination port, likewise."),
    ("protocol", pa.int32(), "IANA protocol number."),
    ("packets", pa.int64(), "Packets in the window."),
    ("bytes", pa.int64(), "Bytes in the window, IP headers included."),
    ("action", _TEXT, "ACCEPT or REJECT."),
    ("log_status", _TEXT, "OK; NODATA and SKIPDATA records are counted by the reader and kept with null addresses."),
    ("tcp_flags", pa.int32(), "Bitwise OR of the TCP flags seen; null before version 3."),
    ("packet_src_address", _TEXT, "pkt-srcaddr: original source behind NAT; null if absent."),
    ("packet_dst_address", _TEXT, "pkt-dstaddr, likewise."),
    ("flow_direction", _TEXT, "ingress or egress at the interface; null before version 5."),
    ("traffic_path", pa.int32(), "Path code of egress traffic; null before version 5."),
    ("packet_src_service", _TEXT, "pkt-src-aws-service."),
    ("packet_dst_service", _TEXT, "pkt-dst-aws-service."),
    ("reject_reason", _TEXT, "reject-reason (version 8)."),
    ("object", _TEXT, "Name of the blob that holds the record."),
    ("position", pa.int64(), "Index of the record in its blob, from 0 (header lines not counted)."),
)


def _schema(columns: tuple[tuple[str, pa.DataType, str], ...]) -> pa.Schema:
    return pa.schema([pa.field(name, kind, metadata={"meaning": meaning}) for name, kind, meaning in columns])


CLOUDTRAIL = _schema(CLOUDTRAIL_COLUMNS)
FLOWS = _schema(FLOW_COLUMNS)

# The column with a record's event time, per table.
TIME_COLUMN = {"cloudtrail": "event_time", "flows": "start_time"}
TABLES: dict[str, pa.Schema] = {"cloudtrail": CLOUDTRAIL, "flows": FLOWS}

# The columns in which copies of a record agree, per table.
IDENTITY: dict[str, tuple[str, ...]] = {
    "cloudtrail": ("account_id", "event_id"),
    "flows": (
        *("interface_id", "start_time", "end_time", "src_address", "dst_address", "src_port", "dst_port", "protocol"),
        *("packets", "bytes", "action", "flow_direction"),
    ),
}
