"""The command line: verbs, one module each with the constant ``COMMAND``, found by ``registry.discover``.

Results go to standard output, messages to standard error. A command imports what it needs when it runs, so that ``--help``
answers at once. Exit statuses are those of ``errors`` and ``terminal.command``.
"""

import sys
from typing import Annotated, cast

import typer

from vedette.errors import VedetteError
from vedette.registry import discover
from vedette.terminal.command import INTERRUPTED, Command


def _version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        typer.echo(f"vedette {version('vedette')}")
        raise typer.Exit


def build() -> typer.Typer:
    """Return the application with all commands."""
    application = typer.Typer(
        name="vedette",
        help="Find reconnaissance against AWS accounts in CloudTrail and VPC Flow Logs.\n\n"
        "Example: vedette scan ./AWSLogs --custom-list addresses.txt",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )

    @application.callback()
    def _root(
        version: Annotated[
            bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
        ] = False,
    ) -> None:
        """Accept the options that come before a command."""

    for _, value in discover(__name__, "COMMAND"):
        command = cast("Command", value)
        groups = command.application.registered_groups or len(command.application.registered_commands) > 1
        application.add_typer(command.application, name=command.name if groups else None)
    return application


def main(arguments: list[str] | None = None) -> None:
    """Run the command line with the given arguments, else those of the process, and exit; an error gives the exit status."""
    try:
        build()(arguments)
    except VedetteError as error:
        _say(f"vedette: {error}")
        sys.exit(error.exit_status)
    except KeyboardInterrupt:
        _say("vedette: interrupted")
        sys.exit(INTERRUPTED)


def _say(text: str) -> None:
    from vedette.text.safe import clean

    for line in text.splitlines():  # messages contain untrusted names
        print(clean(line), file=sys.stderr)  # noqa: T201
