"""``vedette scan``: read logs in bulk, detect, print the findings and then the run report."""

import inspect
import json
import sys
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vedette.cli.baseline import start_from
from vedette.errors import ConfigurationError, OutputError, ReaderGoneError
from vedette.list_kinds import LIST_KINDS
from vedette.terminal.command import (
    FAIL_ON_REACHED,
    STRICT_FAILED,
    Command,
    ConfigOption,
    FormatOption,
    StoreOption,
    application,
    chosen_format,
    named,
    output_file,
    print_findings,
    say,
    settings_of,
    shown_store,
    store_url,
)
from vedette.terminal.overwriting import check_outputs, used_by

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vedette.findings import Finding
    from vedette.logs.blob import Blob
    from vedette.pipeline.run import Progress
    from vedette.settings import Settings
    from vedette.sources import Span
    from vedette.text.report import RunReport

APPLICATION = application()
COMMAND = Command("scan", APPLICATION)

_WORTH_PROCESSES = 1 << 20  # stored bytes from which on several processes read faster


def _with_list_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command an option per kind of list, in front of ``inventory``; it gets them by the names of their settings."""
    signature = inspect.signature(command)
    options = [
        inspect.Parameter(
            item.setting,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[
                list[str] | None,
                typer.Option(f"--{item.option.replace('_', '-')}", metavar="[NAME=]FILE", callback=named, help=item.help),
            ],
        )
        for item in LIST_KINDS
    ]
    fixed = [item.replace(kind=inspect.Parameter.KEYWORD_ONLY) for item in signature.parameters.values() if item.name != "lists"]
    place = [item.name for item in fixed].index("inventory")
    command.__signature__ = signature.replace(parameters=[*fixed[:place], *options, *fixed[place:]])  # type: ignore[attr-defined]
    return command


@APPLICATION.command("scan")
@_with_list_options
def scan(
    sources: Annotated[
        list[str], typer.Argument(metavar="SOURCE", help="Files, folders, globs, s3://bucket/prefix, or - for standard input.")
    ],
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File to write findings to; - is standard output, the default.")
    ] = None,
    format_name: FormatOption = None,
    fail_on: Annotated[
        str | None,
        typer.Option(
            metavar="SEVERITY",
            help="Exit with status 10 if a finding is at least this severe: low, medium, high, critical or 0 to 10.",
        ),
    ] = None,
    inventory: Annotated[
        Path | None, typer.Option(metavar="DIR", callback=named, help="Folder of saved EC2 answers: describe-instances.json etc.")
    ] = None,
    geoip: Annotated[
        list[str] | None, typer.Option(metavar="FILE", callback=named, help="MaxMind-format database; may be repeated.")
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(metavar="FILE", callback=named, help="Start from the baseline of another store (vedette baseline export)."),
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only records from this time on, e.g. 2026-03-01 (UTC).")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Only records before this time.")] = None,
    store: StoreOption = None,
    run_report: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File to write the run report to, as JSON; - is standard output, with --output FILE."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with status 11 if a record or a file was bad, or misdated.")
    ] = False,
    engine: Annotated[str | None, typer.Option(metavar="NAME", help="duckdb (the default), or spark.")] = None,
    spark_master: Annotated[
        str | None, typer.Option(metavar="MASTER", help="Where Spark runs, e.g. local[4], spark://host:7077, yarn.")
    ] = None,
    spark_conf: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Setting of Spark itself; may be repeated.")
    ] = None,
    workers: Annotated[int | None, typer.Option(metavar="N", min=0, help="Processes that read logs; 0 is one per core.")] = None,
    endpoint: Annotated[str | None, typer.Option("--s3-endpoint", metavar="URL", help="URL of an S3-compatible server.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress bar and no run report.")] = False,
    config: ConfigOption = None,
    **lists: object,
) -> None:
    """Read logs in bulk, print the findings, then print the run report on standard error.

    Example: vedette scan ./AWSLogs --custom-list addresses.txt --format table
    """
    from vedette.findings.severity import parse_level
    from vedette.sources import Span
    from vedette.text.findings import check_format

    settings = settings_of(
        config,
        {
            **lists,
            "inventory": None if inventory is None else str(inventory),
            "geoip": geoip,
            "store": store,
            "workers": workers,
            "engine": engine,
            "spark_master": spark_master,
            "spark_conf": spark_conf,
            "s3_endpoint": endpoint,
        },
    )
    threshold = None if fail_on is None else parse_level(fail_on)
    output, report_file = _targets(output, run_report)
    targets = {"--output": output, "--run-report": report_file}
    exists = any(path is not None and path.exists() for path in targets.values())  # a new file is none of the logs
    check_outputs(targets, used_by(settings, config, sources=sources if exists else (), baseline=baseline))
    if format_name:
        check_format(format_name)
    span = Span(since=_time(since, "--since"), until=_time(until, "--until"))
    report, worst, failure = _run(settings, sources, span, format_name, output, baseline, quiet=quiet)
    failures = [failure] if failure is not None else []
    if run_report is not None and (unwritten := _written(report, report_file)) is not None:
        failures.append(unwritten)
    if not quiet:
        for line in report.lines():
            say(line)
    _raise(failures)
    if threshold is not None and worst is not None and worst >= threshold:
        raise typer.Exit(FAIL_ON_REACHED)
    if strict and report.flawed:
        raise typer.Exit(STRICT_FAILED)


def _targets(output: Path | None, run_report: Path | None) -> tuple[Path | None, Path | None]:
    """Return the files to write findings and the run report to, None for standard output, which takes only one of them."""
    findings, report = output_file(output), output_file(run_report)
    if run_report is not None and findings is None and report is None:
        raise ConfigurationError("--run-report -: findings go to standard output already; give --output FILE as well")
    return findings, report


def _run(
    settings: "Settings",
    sources: list[str],
    span: "Span",
    format_name: str | None,
    output: Path | None,
    baseline: Path | None,
    *,
    quiet: bool,
) -> tuple["RunReport", float | None, OutputError | None]:
    """Scan and print; return the report, the highest severity (None if nothing was found) and why printing failed, if it did."""
    blobs = _blobs(settings, sources, span)
    if settings.engine == "duckdb":
        import_module("vedette.logs.without_pandas")
        if settings.workers != 1 and sum(blob.size or 0 for blob in blobs) > _WORTH_PROCESSES:
            from vedette.logs.processes import warm

            warm()  # while this process imports the rest
    from vedette.pipeline import composition
    from vedette.pipeline.knowledge import complete, gather
    from vedette.store import Store
    from vedette.terminal.waiting import waiting

    with Store.open(store_url(settings.store)) if settings.store else Store.ephemeral() as opened:
        with waiting(_named_files(settings)):
            knowledge = gather(settings, opened)
        with composition.pipeline(settings, opened, knowledge, span=span) as running, _progress(quiet=quiet) as progress:
            if baseline is not None:
                start_from(baseline, opened, running.plan.place, lateness=running.slicing.lateness)
            report = running.bulk(blobs, progress)
        findings = sorted(
            opened.findings_of(running.findings),
            key=lambda finding: (-finding.summary.severity, finding.seen.first, finding.id),
        )
        worst = max((finding.summary.severity for finding in findings), default=None)
        complete(report, knowledge, settings)
    failure = _printed(findings, format_name, output, settings)
    if findings and failure is None and not quiet and chosen_format(format_name, output) == "table":
        keep = shown_store(settings) if settings.store else "FILE"
        hint = "" if settings.store else "keep findings with --store FILE, then "
        report.next_step = f"{hint}vedette explain {findings[0].id[:12]} --store {keep}"
    return report, worst, failure


def _blobs(settings: "Settings", sources: list[str], span: "Span") -> "list[Blob]":
    """Return the blobs of all sources; an empty source is an error before anything is read."""
    from vedette.aws import Connection
    from vedette.sources import list_blobs
    from vedette.terminal.waiting import waiting

    connection = Connection.of(settings)
    with waiting(sources):
        listed = [list(list_blobs(source, span, connection, settings.max_blob_bytes)) for source in sources]
    unique = {(blob.name, blob.version): blob for blob in chain.from_iterable(listed)}
    return list(unique.values())


def _named_files(settings: "Settings") -> "Iterator[str]":
    """Yield the files besides the logs that a run reads whole."""
    for name in (*(item.setting for item in LIST_KINDS), "geoip"):
        for text in map(str, getattr(settings, name)):
            yield text
            yield text.partition("=")[2]  # NAME=FILE


def _time(text: str | None, option: str) -> datetime | None:
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigurationError(f"{option}: {text!r} is not a time; write 2026-03-01 or 2026-03-01T12:00:00Z") from error
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time


def _raise(failures: "list[OutputError]") -> None:
    """Raise the first failure, after telling of the others."""
    for other in failures[1:]:
        say(f"vedette: {other}")
    if failures:
        raise failures[0]


def _printed(findings: "list[Finding]", format_name: str | None, output: Path | None, settings: "Settings") -> OutputError | None:
    """Print the findings; return the error if they cannot be printed, since the report is still to be written."""
    from vedette.text.report import counted

    try:
        print_findings(findings, format_name, output)
    except ReaderGoneError as error:
        return error
    except OutputError as error:
        if not findings:
            return error
        if settings.store:
            where = f"the findings are in the store: vedette findings list --store {shown_store(settings)}"
        else:
            where = f"{counted(len(findings), 'finding')} lost: scan again with --store FILE, which keeps them, or --output FILE"
        return OutputError(f"{error}; {where}")
    return None


def _written(report: "RunReport", path: Path | None) -> OutputError | None:
    """Write the run report to a file, or to standard output if there is none; return the error if it cannot be written."""
    from vedette.terminal.output import writing

    text = json.dumps(report.document(), indent=2) + "\n"
    try:
        if path is None:
            sys.stdout.write(text)
            sys.stdout.flush()
        else:
            with writing(path) as file:
                file.write(text)
    except OutputError as error:
        return error
    return None


@contextmanager
def _progress(*, quiet: bool) -> "Iterator[Progress]":
    if quiet or not sys.stderr.isatty():
        from vedette.pipeline.run import Silence

        yield Silence()
        return
    from vedette.terminal.progress import Bar

    with Bar() as bar:
        yield bar
