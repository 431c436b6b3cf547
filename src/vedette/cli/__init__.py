"""The command line: verbs, one module each with the constant ``COMMAND``, found by ``registry.discover``.

Results go to standard output, messages to standard error. A command imports what it needs when it runs, so that ``--help``
answers at once. Exit statuses are those of ``errors`` and ``terminal.command``.
"""

import sys
from dataclasses import dataclass
from traceback import format_exception
from typing import Annotated, Protocol, cast, runtime_checkable

import typer

from vedette.errors import ReaderGoneError, VedetteError
from vedette.private import private_umask
from vedette.registry import discover
from vedette.terminal.command import INTERRUPTED, UNEXPECTED, Command
from vedette.terminal.ending import Ending
from vedette.terminal.streams import standard_streams


@runtime_checkable
class _ToldByTyper(Protocol):
    """An error of usage: Typer's own, or Click's in earlier versions of Typer."""

    message: str
    exit_code: int

    def show(self) -> None:
        """Print it with the usage of the command."""


@dataclass(slots=True)
class Options:
    """The options that come before a command."""

    debug: bool = False


def _version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        typer.echo(f"vedette {version('vedette')}")
        raise typer.Exit


def build(options: Options | None = None) -> typer.Typer:
    """Return the application with all commands; it puts into ``options`` what comes before a command."""
    given = options or Options()
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
        version: Annotated[  # noqa: ARG001  # it has printed and ended
            bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
        ] = False,
        debug: Annotated[
            bool, typer.Option("--debug", help="Show of an error where it comes from, and what the engine said, with its SQL.")
        ] = False,
    ) -> None:
        """Accept the options that come before a command."""
        given.debug = debug

    for _, value in discover(__name__, "COMMAND"):
        command = cast("Command", value)
        groups = command.application.registered_groups or len(command.application.registered_commands) > 1
        application.add_typer(command.application, name=command.name if groups else None)
    return application


def main(arguments: list[str] | None = None) -> None:
    """Run the command line with the given arguments, else those of the process, and exit; an error gives the exit status."""
    with private_umask(), standard_streams(), Ending(is_last=arguments is None) as ending:
        status = _run(arguments, ending)
    sys.exit(status)


def _run(arguments: list[str] | None, ending: Ending) -> int:
    """Run a command and return the exit status, after telling what went wrong."""
    options = Options()
    error: BaseException | None = None
    try:
        status = _called(build(options), arguments)
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as caught:  # noqa: BLE001  # whatever is left becomes a sentence and a status
        error = caught
        status = caught.exit_status if isinstance(caught, VedetteError) else UNEXPECTED
    if ending.status or isinstance(error, KeyboardInterrupt) or status == INTERRUPTED:
        _say(f"vedette: {ending.word if ending.status else 'interrupted'}")
        return ending.status or INTERRUPTED
    if error is not None:
        _tell(error, debug=options.debug)
    return status


def _called(command: typer.Typer, arguments: list[str] | None) -> int:
    from vedette.urls import masked_text

    try:
        status = command(arguments, standalone_mode=False)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    except Exception as error:
        if not isinstance(error, _ToldByTyper):
            raise
        error.message = masked_text(error.message)  # which may be a URL that stood in the wrong place
        error.show()
        return error.exit_code
    return status if isinstance(status, int) else 0


def _tell(error: BaseException, *, debug: bool) -> None:
    if debug:
        _say("".join(format_exception(error)))
    if isinstance(error, VedetteError):
        if not isinstance(error, ReaderGoneError):
            _say(f"vedette: {error}")
    elif isinstance(error, OSError) and error.strerror:
        _say(f"vedette: {error.strerror}" + (f": {str(error.filename)!r}" if error.filename else ""))
    elif isinstance(error, MemoryError):
        _say("vedette: out of memory: too little is left for this command")
    else:
        hint = "" if debug else "; please report what vedette --debug COMMAND shows"
        _say(f"vedette: unexpected error ({type(error).__name__}){hint}")


def _say(text: str) -> None:
    from vedette.text.safe import clean
    from vedette.urls import masked_text

    for line in masked_text(text).splitlines():  # messages contain untrusted names
        indent = line[: len(line) - len(line.lstrip(" "))]
        print(indent + clean(line), file=sys.stderr)  # noqa: T201
