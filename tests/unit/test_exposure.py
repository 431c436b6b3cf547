"""Which ports answer the internet: days merged, the configuration beside them, the digest, and the command that prints it."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commands import run
from hypothesis import given
from hypothesis import strategies as st
from inventories import ENI, INSTANCE, REMOTE, answers, group, interface, permission, save
from moto.server import ThreadedMotoServer

from vedette import aws
from vedette.cli.exposure import read_ports
from vedette.epoch import moment
from vedette.errors import ConfigurationError, EngineError
from vedette.exposure import Exposure, Port, digest, exposures, remembered
from vedette.exposure.digest import LINES
from vedette.exposure.listing import COLUMNS, render, values
from vedette.exposure.ports import ANSWERS, PROBES
from vedette.inventory import Inventory
from vedette.settings import load
from vedette.simulate.world import simulate
from vedette.state import all_states
from vedette.state_files.generation import Generation, Part
from vedette.state_files.location import Bucket, Folder
from vedette.store import Store

DAY = 20_525  # 2026-03-13
NOON = DAY * 86_400_000_000 + 43_200_000_000
HOSTILE = "\x1b[31m=1+1\u202e\x07"


def answer(**said: object) -> dict[str, object]:
    """A row of exposed_ports."""
    usual = {
        "day": DAY,
        "account_id": "123456789012",
        "region": "us-east-1",
        "interface_id": ENI,
        "instance_id": INSTANCE,
        "address": "10.0.1.10",
        "port": 9200,
        "protocol": 6,
        "level": 4,
        "conversations": 3,
        "clients": 0b101,
        "first_us": NOON,
        "last_us": NOON + 60_000_000,
    }
    return usual | said


def probe(**said: object) -> dict[str, object]:
    """A row of scanner_probes."""
    usual = {"remote_address": REMOTE, "verdict": "unknown", "probes": 2}
    return {name: value for name, value in answer().items() if name not in {"conversations", "clients"}} | usual | said


def state(folder: Path, tables: Mapping[str, Iterable[dict[str, object]]]) -> Generation:
    """Write a file a row, and return the generation that names them."""
    parts: dict[str, tuple[Part, ...]] = {}
    for table, rows in tables.items():
        written = []
        for number, row in enumerate(rows):
            name = f"{table}-{number}.parquet"
            pq.write_table(pa.Table.from_pylist([row], schema=all_states()[table].schema), folder / name)
            written.append(Part(path=name, table=table, day=int(str(row["day"])), rows=1))
        parts[table] = tuple(written)
    return Generation(number=1, states=parts)


def one(folder: Path, tables: Mapping[str, Iterable[dict[str, object]]], least: int = 3) -> Port:
    (found,) = remembered(state(folder, tables), Folder(folder), least=least)
    return found


def test_days_of_a_port_are_one_port(tmp_path: Path) -> None:
    later = NOON + 86_400_000_000
    rows = [
        answer(level=3, instance_id=None),
        answer(day=DAY + 1, clients=0b110, first_us=later, last_us=later, address="10.0.1.11"),
    ]
    found = one(tmp_path, {ANSWERS: rows})
    assert (found.level, found.conversations, found.clients, found.instance_id) == (4, 6, 3, INSTANCE)
    assert (found.first_seen, found.last_seen) == (moment(NOON), moment(later))
    assert found.addresses == ("10.0.1.10", "10.0.1.11")


@pytest.mark.parametrize("other", [{"port": 9201}, {"protocol": 17}, {"interface_id": "eni-0b"}], ids=str)
def test_another_port_is_another(tmp_path: Path, other: dict[str, object]) -> None:
    assert len(remembered(state(tmp_path, {ANSWERS: [answer(), answer(**other)]}), Folder(tmp_path))) == 2


def test_scanners_are_those_that_the_port_answered_with_the_worst_word_about_them(tmp_path: Path) -> None:
    rows = [
        probe(),
        probe(day=DAY + 1, verdict="malicious"),
        probe(remote_address="198.51.100.8", verdict="research"),
        probe(remote_address="198.51.100.9", level=1),
    ]
    tables = {ANSWERS: [answer()], PROBES: rows}
    assert one(tmp_path, tables).scanners == {REMOTE: "malicious", "198.51.100.8": "research"}
    assert one(tmp_path, tables, least=1).scanners == {REMOTE: "malicious", "198.51.100.8": "research"}


def test_a_port_that_only_lets_in_is_remembered_where_it_is_asked_for(tmp_path: Path) -> None:
    tables = {PROBES: [probe(level=1), probe(port=22, level=0)]}
    assert remembered(state(tmp_path, tables), Folder(tmp_path)) == []
    found = one(tmp_path, tables, least=1)
    assert (found.port, found.level, found.scanners, found.conversations) == (9200, 1, {REMOTE: "unknown"}, 2)


@pytest.mark.parametrize("spoil", ["gone", "junk", "other columns"])
def test_a_broken_file_is_one_clear_error(tmp_path: Path, spoil: str) -> None:
    generation = state(tmp_path, {ANSWERS: [answer()]})
    file = tmp_path / f"{ANSWERS}-0.parquet"
    if spoil == "gone":
        file.unlink()
    elif spoil == "junk":
        file.write_bytes(b"PAR1" + bytes(100))
    else:
        pq.write_table(pa.table({"day": [1]}), file)
    with pytest.raises(EngineError, match=rf"{ANSWERS}-0\.parquet"):
        remembered(generation, Folder(tmp_path))


@given(st.integers(min_value=-(2**63), max_value=2**63 - 1))
def test_every_number_is_a_time(microseconds: int) -> None:
    assert moment(microseconds).tzinfo is UTC


@pytest.fixture
def inventory(tmp_path: Path) -> Callable[..., Inventory]:
    """Load the inventory with one instance, open to the internet at 9200, with some answers replaced."""

    def load(**replaced: object) -> Inventory:
        members = {
            "groups": ("describe-security-groups", "SecurityGroups"),
            "interfaces": ("describe-network-interfaces", "NetworkInterfaces"),
        }
        documents = answers()
        for name, value in replaced.items():
            file, member = members[name]
            documents[file] = {member: value}
        return Inventory.load(save(tmp_path / "inventory", documents))

    return load


def port(**said: object) -> Port:
    usual: dict[str, object] = {
        "account_id": "123456789012",
        "region": "us-east-1",
        "interface_id": ENI,
        "instance_id": "",
        "addresses": ("10.0.1.10",),
        "protocol": 6,
        "port": 9200,
        "level": 4,
        "conversations": 3,
        "clients": 2,
        "first_seen": moment(NOON),
        "last_seen": moment(NOON),
        "scanners": {REMOTE: "unknown"},
    }
    return Port(**(usual | said))  # type: ignore[arg-type]  # a value for each of its fields


def test_the_rule_that_opens_a_proved_port_is_named(inventory: Callable[..., Inventory]) -> None:
    (found,) = exposures([port()], inventory(), ())
    assert (found.instance_id, found.name, found.role) == (INSTANCE, "search", "instance")
    assert (found.evidence, found.verdict, found.rule) == ("served", "allow", "sg-1 ingress tcp 9200 from 0.0.0.0/0")
    assert found.sources == ("0.0.0.0/0",)
    assert found.command.startswith("aws ec2 revoke-security-group-ingress ")


def test_of_several_rules_the_widest_decides(inventory: Callable[..., Inventory]) -> None:
    rules = [permission(cidr="198.51.100.0/24"), permission(ports=(9000, 9300), cidr="0.0.0.0/0"), permission(cidr6="::/0")]
    (found, *rest) = exposures([port()], inventory(groups=[group("sg-1", *rules)]), ())
    assert found.rule == "sg-1 ingress tcp 9000-9300 from 0.0.0.0/0"
    assert set(found.sources) == {"198.51.100.0/24", "0.0.0.0/0"}  # the port has no IPv6 address
    assert [(item.ports, item.evidence, item.proved) for item in rest] == [((9000, 9300), "configured", 1)]


@pytest.mark.parametrize(
    ("said", "verdict", "rule"),
    [
        ({"port": 22}, "deny", "no rule of sg-1 allows tcp 22 from 198.51.100.7"),
        ({"port": 22, "scanners": {}}, "deny", "no rule opens it to the internet"),
        ({"interface_id": "eni-0f"}, "unknown", "eni-0f is not in the inventory"),
    ],
)
def test_a_port_that_answered_against_the_configuration_says_so(
    inventory: Callable[..., Inventory], said: dict[str, object], verdict: str, rule: str
) -> None:
    found = exposures([port(**said)], inventory(), ())
    proved = next(item for item in found if item.evidence == "served")
    assert (proved.verdict, proved.rule) == (verdict, rule)


def test_a_port_behind_a_balancer_has_no_public_path(inventory: Callable[..., Inventory]) -> None:
    (found,) = exposures([port(scanners={})], inventory(interfaces=[interface(public=None)]), ())
    assert (found.verdict, found.rule) == ("deny", "no public path: load balancer, proxy or VPN")


def test_what_is_open_without_traffic_is_told_apart(inventory: Callable[..., Inventory]) -> None:
    (found,) = exposures([], inventory(), ())
    assert (found.evidence, found.ports, found.first_seen, found.verdict) == ("configured", (9200, 9200), None, "allow")
    assert exposures([], inventory(interfaces=[interface(public=None)]), ()) == []


def test_a_port_that_only_let_scanners_in_is_not_proved(inventory: Callable[..., Inventory]) -> None:
    assert [item.evidence for item in exposures([port(level=1)], inventory(), ())] == ["accepted_only", "configured"]


@pytest.mark.parametrize(
    ("expected", "told"), [([(None, 9200)], True), ([(INSTANCE, 9200)], True), ([("i-0b", 9200), (None, 443)], False)]
)
def test_expected_ports_are_marked(
    inventory: Callable[..., Inventory], expected: list[tuple[str | None, int]], told: bool
) -> None:
    assert [item.expected for item in exposures([port()], inventory(), expected)] == [told]


def hostile() -> Exposure:
    (found,) = exposures([port(instance_id=HOSTILE)], None, ())
    return replace(found, name=HOSTILE, rule=HOSTILE, verdict="allow", addresses=(HOSTILE,), ports=(0, 65535))


@pytest.mark.parametrize("width", [20, 80, 200])
def test_the_table_fits_the_terminal_and_cleans_what_it_shows(inventory: Callable[..., Inventory], width: int) -> None:
    rows = [*exposures([port()], inventory(), [(None, 9200)]), *exposures([], inventory(), ()), hostile()]
    text = "".join(render(rows, "table", width))
    assert max(map(len, text.splitlines())) <= max(width, 80)
    assert not set(text) & set("\x1b\x07\u202e")


def test_a_table_as_it_is_printed(inventory: Callable[..., Inventory]) -> None:
    scanners = {"198.51.100.7": "unknown", "198.51.100.8": "research", "198.51.100.9": "research"}
    rows = exposures(
        [port(scanners=scanners)], inventory(groups=[group("sg-1", permission(ports=(9200, 9201), cidr="0.0.0.0/0"))]), ()
    )
    assert "".join(render(rows, "table", 80)) == (
        "PORT              EVIDENCE       FIRST SEEN (UTC)  LAST SEEN (UTC)   SCANNERS\n"
        "i-0a  search  10.0.1.10  203.0.113.10  us-east-1\n"
        "  9200/tcp        served         2026-03-13 12:00  2026-03-13 12:00         3\n"
        "    3 conversations; at least 2 clients; scanners: 2 research, 1 unknown\n"
        "    configuration: allow, sg-1 ingress tcp 9200-9201 from 0.0.0.0/0\n"
        "  9200-9201/tcp   configured     -                 -                        -\n"
        "    open to 0.0.0.0/0; 1 port of the range answered\n"
        "    configuration: allow, sg-1 ingress tcp 9200-9201 from 0.0.0.0/0\n"
    )


def test_json_ndjson_and_csv_say_the_same(inventory: Callable[..., Inventory]) -> None:
    rows = exposures([port()], inventory(), ())
    (document,) = json.loads("".join(render(rows, "json")))
    assert [json.loads(line) for line in "".join(render(rows, "ndjson")).splitlines()] == [document]
    (line,) = csv.DictReader(io.StringIO("".join(render(rows, "csv"))))
    assert [*line] == [*document] == [name for name, _ in COLUMNS]
    assert (line["from_port"], line["scanners_unknown"], line["expected"]) == ("9200", "1", "false")
    assert json.loads("".join(render([], "json"))) == []


def test_csv_cells_are_no_formulas() -> None:
    (line,) = csv.DictReader(io.StringIO("".join(render([replace(hostile(), name="=1+1")], "csv"))))
    assert line["name"] == "'=1+1"
    assert values(hostile())["protocol"] == "tcp"


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="choose one of csv, json, ndjson, table"):
        render([], "xml")


def day(number: int) -> datetime:
    return moment(number * 86_400_000_000)


def test_the_digest_counts_scanners_of_the_days_of_the_run(tmp_path: Path) -> None:
    rows = [probe(verdict="research", remote_address=f"198.51.100.{number}") for number in range(14)]
    rows += [
        probe(verdict="research", remote_address="198.51.100.1", first_us=NOON + 1),  # again
        probe(verdict="research", remote_address="198.51.100.99", day=DAY - 1),  # another run
        probe(verdict="research", remote_address="198.51.100.99", level=1),  # not answered
        probe(verdict="unknown", port=22),  # a finding
        probe(verdict="unknown", port=443),
        probe(verdict="research", port=443, instance_id=None, interface_id="eni-0b"),
    ]
    lines = digest(state(tmp_path, {PROBES: rows}), day(DAY), day(DAY), location=Folder(tmp_path), expected=[(None, 443)])
    assert lines == ("port 9200 of i-0a is visible to 14 research scanners", "2 expected public ports answered 1 scanner")


def test_the_digest_is_bounded_and_says_what_it_leaves_out(tmp_path: Path) -> None:
    rows = [probe(verdict="research", port=number) for number in range(1, 41)] + [probe(port=443)]
    lines = digest(state(tmp_path, {PROBES: rows}), day(DAY), day(DAY), location=Folder(tmp_path), expected=[(None, 443)])
    assert len(lines) == LINES
    assert lines[-2] == "22 more ports visible to research scanners; vedette exposure lists them"


def test_a_state_in_a_bucket_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, number = server.get_host_and_port()
    given = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "VEDETTE_S3_ENDPOINT": f"http://{host}:{number}",
        "VEDETTE_STATE_FOLDER": "s3://state/case",
        "VEDETTE_REGION": "us-east-1",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    aws._client.cache_clear()
    try:
        connection = aws.Connection(region="us-east-1", s3_endpoint=given["VEDETTE_S3_ENDPOINT"])
        aws.s3(connection).create_bucket(Bucket="state")
        generation = state(tmp_path, {ANSWERS: [answer()]})
        with Bucket("s3://state/case", connection).writing(f"{ANSWERS}-0.parquet") as file:
            file.write((tmp_path / f"{ANSWERS}-0.parquet").read_bytes())
        store = str(tmp_path / "case.db")
        with Store.open(f"sqlite:///{store}") as opened:
            opened.commit(findings=[], receipts=[], generation=generation, report=None)
        ended = run("exposure", "--store", store)
    finally:
        server.stop()
        aws._client.cache_clear()
    assert (ended.status, json.loads(ended.out)["from_port"]) == (0, 9200)


def test_files_that_a_scan_replaced_meanwhile_are_looked_for_once_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "case.db.state"
    folder.mkdir()
    newer = replace(state(folder, {ANSWERS: [answer()]}), number=2)
    older = Generation(number=1, states={ANSWERS: (replace(newer.states[ANSWERS][0], path="gone.parquet"),)})
    with Store.open(f"sqlite:///{tmp_path}/case.db") as opened:
        opened.commit(findings=[], receipts=[], generation=older, report=None)
        given = iter([older, newer])
        monkeypatch.setattr(opened, "generation", lambda: next(given))
        (found,) = read_ports(opened, load(None, {"store": f"sqlite:///{tmp_path}/case.db"}), 3)
    assert found.port == 9200


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A day of an account whose search server an unknown scanner finds, and whose website a research scanner does."""
    folder = tmp_path_factory.mktemp("made")
    simulate(["probed-search", "probe-research"], folder, days=1)
    return folder


def test_a_scan_tells_the_digest_and_its_store_the_ports(made: Path, tmp_path: Path) -> None:
    store, report = str(tmp_path / "case.db"), tmp_path / "report.json"
    lists = ["--scanner-list", f"{made}/lists/scanner.txt", "--research-list", f"{made}/lists/research.txt"]
    given = [*lists, "--inventory", f"{made}/inventory", "--store", store, "--run-report", str(report)]
    ended = run("scan", f"{made}/AWSLogs", *given, "--workers", "1")
    assert ended.status == 0
    told = [line for line in ended.err.splitlines() if line.startswith("digest: ")]
    assert told == [f"digest: {line}" for line in json.loads(report.read_text())["digest"]]
    assert "digest: port 22 of i-0376c12099a68081b is visible to 1 research scanner" in told

    ended = run("exposure", "--store", store, "--inventory", f"{made}/inventory")
    rows = [json.loads(line) for line in ended.out.splitlines()]
    (search,) = [row for row in rows if row["from_port"] == 9200 and row["evidence"] == "served"]
    assert (search["instance_id"], search["scanners_unknown"], search["verdict"]) == ("i-0083aafa781959a9b", 1, "allow")
    assert any(row["evidence"] == "configured" for row in rows)
    assert ended.status == 0

    ended = run("exposure", "--store", store, "--format", "table", "--all")
    assert "  9200/tcp        served " in ended.out
    assert max(map(len, ended.out.splitlines())) <= 80


def test_a_store_without_flow_records_says_so(tmp_path: Path) -> None:
    (tmp_path / "office.txt").write_text("198.51.100.7\n")
    store = str(tmp_path / "case.db")
    assert run("exposure", "--store", store).status == 6
    run("lists", "add", str(tmp_path / "office.txt"), "--store", store)
    ended = run("exposure", "--store", store)
    assert (ended.status, ended.out) == (8, "")
    assert "knows no ports: nothing was scanned with it; run vedette scan LOGS --store" in ended.err
