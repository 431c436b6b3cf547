"""GuardDuty's structures as tables: their members in order, and what each member holds when it is unknown.

Source: contract 1.2 and 1.4. ``complete`` fills in a document from a table; members that the table lacks are dropped, so that no
form can emit what the service model does not know.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Absent:
    """A member that is left out when unknown; its own shape when known (None: any value)."""

    shape: object = None


@dataclass(frozen=True, slots=True)
class Null:
    """A structure that is null when unknown."""

    shape: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Many:
    """A list of structures, empty when unknown; shape None: of plain values."""

    shape: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Map:
    """A map with any keys, empty when unknown."""


# In the tables below, None stands for a value that is null when unknown, "" for a text that is empty when unknown, and a mapping
# for a structure that is always present.
_IP = {"ipAddressV4": Absent(), "ipAddressV6": Absent()}
_PORT = {"port": None, "portName": "Unknown"}
# Real findings always have all four blocks (contract 7.2). A place that is unknown is null, not the zero meridian.
_REMOTE_IP = {
    **_IP,
    "organization": {"asn": "", "asnOrg": "", "isp": "", "org": ""},
    "country": {"countryName": ""},
    "city": {"cityName": ""},
    "geoLocation": {"lat": None, "lon": None},
}
_NETWORK_INTERFACE = {
    "ipv6Addresses": Many(),
    "networkInterfaceId": None,
    "privateDnsName": None,
    "privateIpAddress": None,
    "privateIpAddresses": Many({"privateDnsName": None, "privateIpAddress": None}),
    "publicDnsName": None,
    "publicIp": None,
    "securityGroups": Many({"groupId": None, "groupName": None}),
    "subnetId": None,
    "vpcId": None,
}
_INSTANCE = {
    "imageId": None,
    "instanceId": None,
    "instanceType": None,
    "outpostArn": None,
    "launchTime": None,
    "platform": None,
    "productCodes": Many({"productCodeId": None, "productCodeType": None}),
    "iamInstanceProfile": Null({"arn": None, "id": None}),
    "networkInterfaces": Many(_NETWORK_INTERFACE),
    "tags": Many({"key": None, "value": None}),
    "instanceState": None,
    "availabilityZone": None,
    "imageDescription": None,
}
RESOURCE: Mapping[str, object] = {
    "resourceType": None,
    "accessKeyDetails": Absent({"accessKeyId": None, "principalId": None, "userType": None, "userName": None}),
    "instanceDetails": Absent(_INSTANCE),
}
ACTIONS: Mapping[str, Mapping[str, object]] = {
    "awsApiCallAction": {
        "api": None,
        "serviceName": None,
        "callerType": None,
        "errorCode": Absent(),
        "userAgent": Absent(),
        "domainDetails": Absent({"domain": None}),
        "remoteIpDetails": Absent(_REMOTE_IP),
        "remoteAccountDetails": Absent({"accountId": None, "affiliated": None}),
        "affectedResources": Map(),
    },
    "networkConnectionAction": {
        "connectionDirection": "UNKNOWN",
        "localIpDetails": Absent(_IP),
        "localNetworkInterface": Absent(),
        "remoteIpDetails": Absent(_REMOTE_IP),
        "remotePortDetails": Absent(_PORT),
        "localPortDetails": Absent(_PORT),
        "protocol": None,
        "blocked": None,
    },
    "portProbeAction": {
        "blocked": None,
        "portProbeDetails": Many(
            {"localPortDetails": _PORT, "localIpDetails": Absent(_IP), "remoteIpDetails": _REMOTE_IP},
        ),
    },
}


def complete(shape: Mapping[str, object], given: Mapping[str, object]) -> dict[str, object]:
    """Return the members of ``shape`` in its order with the values of ``given``; the rest hold what the shape has for unknown."""
    result: dict[str, object] = {}
    for name, part in shape.items():
        value = given.get(name)
        if isinstance(part, Absent):
            if value is not None:
                result[name] = _member(part.shape, value)
        else:
            result[name] = _member(part, value)
    return result


def _member(part: object, value: object) -> object:
    if isinstance(part, Null):
        return complete(part.shape, value) if isinstance(value, Mapping) else None
    if isinstance(part, Many):
        items = value if isinstance(value, list | tuple) else ()
        if part.shape is None:
            return list(items)
        return [complete(part.shape, item) for item in items if isinstance(item, Mapping)]
    if isinstance(part, Map):
        return dict(value) if isinstance(value, Mapping) else {}
    if isinstance(part, Mapping):
        return complete(part, value if isinstance(value, Mapping) else {})
    return part if value is None else value
