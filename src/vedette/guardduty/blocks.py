"""Blocks of the GuardDuty document that sightings are made of: caller, call, place, instance, port, partition. Pure."""

from vedette.findings.rows import Row, degrees, text

# Names of ports as GuardDuty writes them (contract 1.7).
_PORT_NAMES = {21: "FTP", 22: "SSH", 25: "SMTP", 53: "DNS", 80: "HTTP", 443: "HTTPS", 3389: "RDP", 5985: "WinRM"}


def access_key_of(row: Row) -> dict[str, object]:
    """Return GuardDuty's accessKeyDetails of a row."""
    details = {
        "accessKeyId": row.get("access_key_id"),
        "principalId": row.get("principal_id"),
        "userType": row.get("identity_type"),
        "userName": row.get("user_name"),
    }
    return {name: text(value) for name, value in details.items() if value is not None}


def call_of(row: Row) -> dict[str, object]:
    """Return GuardDuty's awsApiCallAction of a row."""
    call: dict[str, object] = {
        "api": text(row.get("event_name") or row.get("operation")),
        "serviceName": text(row.get("event_source")),
    }
    address, version = text(row.get("remote_address")), row.get("address_version")
    if version in (4, 6):
        call |= {"callerType": "Remote IP", "remoteIpDetails": {f"ipAddressV{version}": address, **place_of(row)}}
    else:
        call |= {"callerType": "Domain", "domainDetails": {"domain": address}}
    for name, column in (("errorCode", "error_code"), ("userAgent", "user_agent")):
        if value := text(row.get(column)):
            call[name] = value
    return call


def place_of(row: Row) -> dict[str, object]:
    """Return the blocks of remoteIpDetails that a geolocation database fills; without one they are empty."""
    owner = row.get("asn_org")  # also stands for provider and organisation without an ISP database (contract 7.2)
    organization = {
        "asn": row.get("asn"),
        "asnOrg": owner,
        "isp": owner if row.get("isp") is None else row.get("isp"),
        "org": owner if row.get("org") is None else row.get("org"),
    }
    location = {"lat": degrees(row.get("latitude")), "lon": degrees(row.get("longitude"))}
    return {
        "organization": {name: text(value) for name, value in organization.items() if value is not None},
        "country": {"countryName": text(row.get("country_name"))},
        "city": {"cityName": text(row.get("city_name"))},
        "geoLocation": {name: value for name, value in location.items() if value is not None},
    }


def partition(region: str) -> str:
    """Return the AWS partition of a region."""
    return "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"


def port_details(port: int) -> dict[str, object]:
    """Return a port with GuardDuty's name for it."""
    return {"port": port, "portName": _PORT_NAMES.get(port, "Unknown")}


def ip_details(address: str) -> dict[str, object]:
    """Return an address under the name of its family."""
    return {"ipAddressV6" if ":" in address else "ipAddressV4": address}


def instance_resource(row: Row, address: str) -> dict[str, object]:
    """Return GuardDuty's resource of an instance, as far as flow records describe it; an inventory adds the rest."""
    interface: dict[str, object] = {"networkInterfaceId": text(row.get("interface_id"))}
    if ":" in address:
        interface["ipv6Addresses"] = [address]
    else:
        interface["privateIpAddress"] = address
        interface["privateIpAddresses"] = [{"privateIpAddress": address}]
    for name, column in (("subnetId", "subnet_id"), ("vpcId", "vpc_id")):
        if value := text(row.get(column)):
            interface[name] = value
    details: dict[str, object] = {"networkInterfaces": [interface]}
    if instance := text(row.get("instance_id")):
        details["instanceId"] = instance
    return {"resourceType": "Instance", "instanceDetails": details}
