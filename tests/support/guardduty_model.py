"""What boto3 makes of a GuardDuty answer, and what of it the service's model does not know."""

import json
from collections.abc import Iterator
from typing import Any

Document = dict[str, Any]


def parse(body: Document) -> tuple[Document, Any]:
    """Parse a GetFindings answer as boto3 does."""
    import botocore.parsers
    import botocore.session

    shape = botocore.session.get_session().get_service_model("guardduty").operation_model("GetFindings").output_shape
    response = {"status_code": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(body).encode()}
    return botocore.parsers.create_parser("rest-json").parse(response, shape), shape


def unknown(value: object, shape: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401 - botocore has no types
    """Yield the paths of a document that a service shape does not know, or knows as another type."""
    kinds = {"string": str, "double": float | int, "integer": int, "boolean": bool, "structure": dict, "list": list, "map": dict}
    if not isinstance(value, kinds[shape.type_name]):
        yield f"{path}: {value!r} is no {shape.type_name}"
    elif isinstance(value, dict) and shape.type_name == "structure":
        members = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        for name, item in value.items():
            if name in members:
                yield from unknown(item, members[name], f"{path}.{name}")
            else:
                yield f"{path}.{name}"
    elif isinstance(value, list):
        for item in value:
            yield from unknown(item, shape.member, f"{path}[]")
