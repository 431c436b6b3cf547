"""Request everything for an inventory from EC2, and save the responses as the AWS command line would, with a manifest."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import cast

import msgspec

from vedette.aws import Connection, explained, region_of, response
from vedette.errors import ConfigurationError, SourceError
from vedette.inventory.files import MANIFEST, Manifest
from vedette.inventory.kinds import AWS_PREFIX_LISTS, ENTRIES, IMAGES, INSTANCES, KINDS, PREFIX_LISTS, Kind, kind_of
from vedette.inventory.saved import Item
from vedette.private import make_folder, replacing

_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]+)+-\d+")
_ACCOUNT = re.compile(r"\d{12}")
_FILTER_VALUES = 200  # the most values that EC2 accepts in a filter
# Requested separately, or contained in another response.
_SPECIAL = frozenset({ENTRIES.name, IMAGES.name, AWS_PREFIX_LISTS.name})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """One snapshot that was written: its folder, and notes on requests that failed."""

    folder: Path
    account_id: str
    region: str
    files: int
    notes: tuple[str, ...]


def pull(connection: Connection, regions: Sequence[str], out: Path, taken_at: datetime) -> Iterator[Pulled]:
    """Save the responses of each region to ``out/<account>/<region>/``; without regions, use that of the connection.

    A region is written only once all of its responses have arrived, so a failure keeps what was saved before.

    Raises:
        ConfigurationError: a region's name is invalid, or the folder cannot be written.
        SourceError: EC2 cannot be reached, or denies a request that the inventory needs.
    """
    chosen = tuple(dict.fromkeys(regions)) or (region_of(connection),)
    if wrong := [name for name in chosen if not _REGION.fullmatch(name)]:
        raise ConfigurationError(f"{', '.join(map(repr, wrong))}: not the name of an AWS region")
    account_id = _account(replace(connection, region=chosen[0]))
    for region in chosen:
        documents, notes = _documents(replace(connection, region=region))
        manifest = Manifest(taken_at=taken_at, account_id=account_id, region=region, notes=tuple(notes))
        folder = out / account_id / region
        try:
            _write(folder, documents, manifest)
        except OSError as error:
            raise ConfigurationError(f"{folder}: cannot be written ({error.strerror})") from error
        yield Pulled(folder=folder, account_id=account_id, region=region, files=len(documents), notes=tuple(notes))


def _account(connection: Connection) -> str:
    with explained("the account of the credentials", "sts:GetCallerIdentity"):
        account_id = str(response("sts", "get_caller_identity", connection, {}).get("Account", ""))
    if not _ACCOUNT.fullmatch(account_id):
        raise SourceError(f"the account of the credentials: the service returned {account_id!r}, which is not an account ID")
    return account_id


def _documents(connection: Connection) -> tuple[dict[str, Mapping[str, object]], list[str]]:
    """Return the responses by file name, and the errors of requests that are not essential."""
    documents: dict[str, Mapping[str, object]] = {}
    notes: list[str] = []
    for kind in KINDS:
        if kind.name not in _SPECIAL:
            try:
                documents[f"{kind.name}.json"] = _ask(connection, kind, {})
            except SourceError as error:
                if kind.without:
                    raise
                notes.append(str(error))
    for name in _ids(documents.get(f"{PREFIX_LISTS.name}.json"), "PrefixLists", "PrefixListId"):
        try:
            found = _ask(connection, ENTRIES, {"PrefixListId": name})
            documents[f"{ENTRIES.name}-{name}.json"] = {"PrefixListId": name, **found}
        except SourceError as error:
            notes.append(f"{name}: {error}")
    try:
        documents[f"{IMAGES.name}.json"] = _images(connection, documents[f"{INSTANCES.name}.json"])
    except SourceError as error:
        notes.append(str(error))
    return documents, notes


def _ask(connection: Connection, kind: Kind[Item], parameters: Mapping[str, object]) -> dict[str, object]:
    permission = "ec2:" + "".join(word.capitalize() for word in kind.name.split("-"))
    with explained(f"{kind.name} in {connection.region}", permission):
        return response("ec2", kind.name.replace("-", "_"), connection, parameters)


def _images(connection: Connection, instances: Mapping[str, object]) -> dict[str, object]:
    """Request the images of the instances; images that no longer exist are left out."""
    reservations = cast("list[dict[str, list[dict[str, object]]]]", instances.get(INSTANCES.member) or [])
    names = sorted({str(item["ImageId"]) for group in reservations for item in group.get("Instances", []) if "ImageId" in item})
    images: list[object] = []
    for start in range(0, len(names), _FILTER_VALUES):
        chosen = [{"Name": "image-id", "Values": names[start : start + _FILTER_VALUES]}]
        found = _ask(connection, IMAGES, {"Filters": chosen, "IncludeDeprecated": True})
        images += cast("list[object]", found.get(IMAGES.member) or [])
    return {IMAGES.member: images}


def _ids(document: Mapping[str, object] | None, member: str, name: str) -> list[str]:
    items = cast("list[Mapping[str, object]]", (document or {}).get(member) or [])
    return [str(item[name]) for item in items if name in item]


def _write(folder: Path, documents: Mapping[str, Mapping[str, object]], manifest: Manifest) -> None:
    """Write a snapshot in place of the previous one, which is left alone until all of the new one is on the disk.

    Files get their names one after the other, the manifest last. Drafts without a manifest show that this was interrupted.
    """
    make_folder(folder)
    with ExitStack() as drafts:  # which get their names in reverse order
        for name, document in {MANIFEST: msgspec.to_builtins(manifest), **documents}.items():
            file = drafts.enter_context(replacing(folder / name))
            file.write(msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n")
        for path in list(folder.iterdir()):
            if path.name == MANIFEST or (path.name not in documents and kind_of(path.name) is not None):
                path.unlink()
