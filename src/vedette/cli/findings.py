"""``vedette findings``: the findings of a store."""

import sys
from typing import Annotated

import typer

from vedette.errors import ConfigurationError
from vedette.terminal.command import (
    Command,
    ConfigOption,
    FormatOption,
    StoreOption,
    application,
    open_store,
    print_findings,
    terminal_width,
)

APPLICATION = application()
COMMAND = Command("findings", APPLICATION)


@APPLICATION.callback()
def findings() -> None:
    """List and show the findings of a store."""


@APPLICATION.command("list")
def list_findings(
    finding_type: Annotated[str | None, typer.Option("--type", metavar="TYPE", help="Only this finding type.")] = None,
    severity: Annotated[
        str | None,
        typer.Option(metavar="SEVERITY", help="Only findings at least this severe: low, medium, high, critical or 0 to 10."),
    ] = None,
    account: Annotated[str | None, typer.Option(metavar="ID", help="Only findings of this account.")] = None,
    archived: Annotated[
        bool, typer.Option("--archived", help="Only archived findings; by default only those that are not archived.")
    ] = False,
    limit: Annotated[
        int, typer.Option(metavar="N", min=1, max=1_000_000_000, help="At most this many findings, the newest.")
    ] = 100,
    format_name: FormatOption = None,
    store: StoreOption = None,
    config: ConfigOption = None,
) -> None:
    """List findings, the last updated first.

    Example: vedette findings list --store case.db --severity medium
    """
    from vedette.findings.severity import parse_level

    lowest = None if severity is None else parse_level(severity)
    with open_store(config, store) as opened:
        print_findings(
            opened.findings(
                finding_type=finding_type, minimum_severity=lowest, account_id=account, archived=archived, limit=limit
            ),
            format_name,
        )


@APPLICATION.command("show")
def show_finding(
    finding_id: Annotated[str, typer.Argument(metavar="FINDING_ID", help="The id, or its first digits.")],
    format_name: FormatOption = None,
    store: StoreOption = None,
    config: ConfigOption = None,
) -> None:
    """Show one finding in full.

    Example: vedette findings show 1fd62b1c --store case.db
    """
    from vedette.text.explanation import show

    if not finding_id.strip():
        raise ConfigurationError("no finding is named: give its id, or its first digits")
    with open_store(config, store) as opened:
        finding = opened.finding(finding_id)
    if format_name in {None, "table"}:
        sys.stdout.writelines(show(finding, terminal_width()))
    else:
        print_findings([finding], format_name)
