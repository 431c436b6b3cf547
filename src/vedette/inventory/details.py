"""Describe instances as findings show them: as the instanceDetails of the contract (1.2, 7.3)."""

from collections.abc import Iterable
from datetime import UTC, datetime

from vedette.inventory.saved import Instance, NetworkInterface


def instance_details(
    instance: Instance | None, instance_id: str, interfaces: Iterable[NetworkInterface], image_description: str | None
) -> dict[str, object]:
    """Return an instance in the exported form, with keys in the order of real findings; unknown values are None."""
    known = instance or Instance(instance_id=instance_id)
    profile = known.iam_instance_profile
    return {
        "imageId": known.image_id,
        "instanceId": instance_id,
        "instanceType": known.instance_type,
        "outpostArn": known.outpost_arn,
        "launchTime": _time(known.launch_time),
        "platform": known.platform,
        "productCodes": [
            {"productCodeId": code.product_code_id, "productCodeType": code.product_code_type} for code in known.product_codes
        ],
        "iamInstanceProfile": {"arn": profile.arn, "id": profile.id} if profile else None,
        "networkInterfaces": [_interface(item) for item in interfaces],
        "tags": [{"key": tag.key, "value": tag.value} for tag in known.tags],
        "instanceState": known.state.name if known.state else None,
        "availabilityZone": known.placement.availability_zone if known.placement else _zone(interfaces),
        "imageDescription": image_description,
    }


def _interface(item: NetworkInterface) -> dict[str, object]:
    association = item.association
    return {
        "ipv6Addresses": [str(address.ipv6_address) for address in item.ipv6_addresses if address.ipv6_address],
        "networkInterfaceId": item.network_interface_id,
        "privateDnsName": item.private_dns_name,
        "privateIpAddress": _text(item.private_ip_address),
        "privateIpAddresses": [
            {"privateDnsName": address.private_dns_name, "privateIpAddress": _text(address.private_ip_address)}
            for address in item.private_ip_addresses
        ],
        "publicDnsName": association.public_dns_name if association else None,
        "publicIp": _text(association.public_ip) if association else None,
        "securityGroups": [{"groupId": group.group_id, "groupName": group.group_name} for group in item.groups],
        "subnetId": item.subnet_id,
        "vpcId": item.vpc_id,
    }


def _text(address: str | None) -> str | None:
    return None if address is None else str(address)


def _zone(interfaces: Iterable[NetworkInterface]) -> str | None:
    return next((item.availability_zone for item in interfaces if item.availability_zone), None)


def _time(text: str | None) -> str | None:
    """Return a time in the form of findings (UTC, milliseconds); return text that is not a time unchanged."""
    try:
        time = datetime.fromisoformat(text or "")
    except ValueError:
        return text
    time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03}Z"
