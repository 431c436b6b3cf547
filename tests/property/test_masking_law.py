"""No form of URL, and no setting of Spark, shows its secret: not where it is shown itself, and not in any message."""

import os
from itertools import product
from pathlib import Path
from unittest.mock import patch
from urllib.parse import quote

import pytest
from baselines import learn, learned
from commands import run
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.aws import Connection, s3
from vedette.errors import VedetteError
from vedette.settings import load, origins
from vedette.store import Store
from vedette.urls import is_url, masked, masked_setting, masked_text, secrets_of, without

pytest_plugins = ["databases"]

SCHEMES = [
    "postgresql", "postgresql+psycopg", "postgres", "PostgreSQL", "mysql", "http", "https", "s3", "s3a", "ftp", "sqlite", "file",
    "git+ssh",
]  # fmt: skip
MARK = "hunter22"
# A secret with characters that mean something in a URL, whose pieces are each long enough to be recognised.
PIECES = st.lists(st.sampled_from(["kiwi77", "lemon88", "mango99"]), min_size=0, max_size=2)
SIGNS = st.sampled_from(["@", ":", "/", "?", "#", "&", "=", "%", "+", "!", "$", "'", '"', "\\", "%40", "@@", "://", "ü", ";"])
SECRETS = st.builds(lambda pieces, sign: sign.join([MARK, *pieces]) + (sign if not pieces else ""), PIECES, SIGNS)
HOSTS = st.sampled_from(["host", "db.example.com", "127.0.0.1:1", "[::1]:1", ""])
PATHS = st.sampled_from(["", "/", "/db", "/a/b", "/db?sslmode=require", "/db?connect_timeout=1&user=x"])
FORMS = st.sampled_from(["user:{}@", "{}@", ":{}@", "user%40x:{}@", "user.name+x:{}@"])
PARAMETERS = st.sampled_from(
    [
        "password",
        "sslpassword",
        "PASSWORD",
        "pass%77ord",
        "token",
        "api_key",
        "X-Amz-Signature",
        "sig",
        "code",
        "options",
        "q",
        "",
    ]
)


def encoded(secret: str) -> str:
    return quote(secret, safe="")


@st.composite
def urls(draw: st.DrawFn) -> tuple[str, str]:
    """Draw a URL and the secret in it: as user information, raw or encoded, or as the value of a parameter."""
    scheme, secret = draw(st.sampled_from(SCHEMES)), draw(SECRETS)
    if draw(st.booleans()):
        written = draw(st.sampled_from([secret, encoded(secret)]))
        form, host = draw(FORMS), draw(HOSTS.filter(bool))
        scheme = "https" if form == "{}@" and scheme.lower().startswith("postgres") else scheme  # a user there is no secret
        form = "user:{}@" if scheme[:2] == "s3" else form  # without a colon, it is a bucket and a key
        return f"{scheme}://{form.format(written)}{host}{draw(PATHS)}", secret
    written = encoded(secret).replace("%2F", draw(st.sampled_from(["/", "%2F"])))
    name = draw(PARAMETERS)
    before = draw(st.sampled_from(["?", "?sslmode=require&", "?a=1;"]))
    scheme = scheme if scheme[:2] != "s3" else "https"  # a key has no parameters
    return f"{scheme}://user@host/db{before}{f'{name}=' if name else ''}{written}", secret


def shows(text: str, secret: str) -> list[str]:
    """Return the pieces of a secret that a text shows."""
    return [piece for piece in (MARK, "kiwi77", "lemon88", "mango99") if piece in secret and piece in text]


@given(urls())
@settings(max_examples=300)
def test_no_url_shows_its_secret(drawn: tuple[str, str]) -> None:
    url, secret = drawn
    assert MARK in url
    assert is_url(url)
    assert shows(masked(url), secret) == []
    assert masked(url).startswith(url.partition("://")[0] + "://")
    assert masked(masked(url)) == masked(url)
    for text in (
        url,
        f"{url} cannot be read",
        f"'{url}': no",
        f"({url})",
        f"a={url},b",
        f"see\n{url}\nthere",
        f"{url} and {url}",
    ):
        assert shows(masked_text(text), secret) == [], text
    assert shows(without(f"role {secret} or {encoded(secret)} is unknown", secrets_of(url)), secret) == []


@given(urls())
@settings(max_examples=12)
def test_no_setting_and_no_wrong_setting_shows_a_secret(drawn: tuple[str, str]) -> None:
    url, secret = drawn
    given = {"store": url, "s3_endpoint": url, "state_folder": url, "spark_master": url, "custom_lists": [url], "inventory": url}
    given["spark_conf"] = [f"spark.jars.repositories={url}", f"spark.hadoop.fs.s3a.secret.key={secret}"]
    shown = str(origins(None, given))
    assert shows(shown, secret) == []
    assert shows(str(origins(None, {"spark_conf": [f"spark.x:{encoded(secret)}=1"]})), secret) == []
    for name, value in (("spark_conf", [f"spark.hadoop.fs.s3a.secret.key:{encoded(secret)}"]), ("workers", url)):
        with pytest.raises(VedetteError) as raised:
            load(None, {name: value})
        assert shows(masked_text(str(raised.value)), secret) == []


SPARK = [
    "fs.s3a.secret.key",
    "fs.s3a.access.key",
    "ssl.keyPassword",
    "x.token",
    "auth.value",
    "fs.azure.sas.c.a",
    "client.credential",
    "signature",
    "private.pem",
    "session.id",
    "passphrase",
]


@given(st.sampled_from(SPARK), SECRETS)
def test_no_setting_of_spark_shows_a_secret(name: str, secret: str) -> None:
    for text in (
        f"spark.hadoop.{name}={secret}",
        f"spark.driver.extraJavaOptions=-Da=b -D{name}={secret.replace(' ', '')} -Dc=d",
    ):
        assert shows(masked_setting(text), secret) == []
    assert masked_setting("spark.executor.memory=4g") == "spark.executor.memory=4g"
    assert masked_setting("spark.sql.shuffle.partitions=8") == "spark.sql.shuffle.partitions=8"


def test_a_setting_of_spark_that_is_none_shows_a_name_only() -> None:
    for text in (f"spark.x:{MARK}", f"spark.x {MARK}", f"spark.x\n{MARK}=1", f":{MARK}", f"spark.x:{MARK}=a"):
        assert MARK not in masked_setting(text)
        assert "spark.x" in masked_setting(text) or text[0] == ":"


def test_what_is_no_secret_stays() -> None:
    for text in (
        "postgresql+psycopg://vedette@db.example.com:5432/findings?sslmode=require",
        "s3://bucket/AWSLogs/a@b/c?d#e.json.gz",
        "sqlite:////home/user@example.com/case.db",
        "case.db",
        "/var/lib/a@b/case.db",
        "u:p@h",
        "https://feeds.example.com/list.txt",
    ):
        assert masked(text) == text
        assert (
            masked_text(f"the store {text} cannot be opened (it is a folder)")
            == f"the store {text} cannot be opened (it is a folder)"
        )
    assert masked("postgresql://vedette:x@h/db") == "postgresql://vedette:***@h/db"


COMMANDS = [
    ("findings", "list"), ("explain", "0123"), ("exposure",), ("baseline", "show"), ("baseline", "export", "b.zip"),
    ("lists", "ls"), ("lists", "add", "list.txt"), ("what-if", "threshold=3"), ("scan", "log.json", "-q"),
]  # fmt: skip
STORES = [
    "postgresql://user:{}@127.0.0.1:1/db",
    "postgresql://user:{}@127.0.0.1:abc/db",
    "postgresql://127.0.0.1:1/db?password={}",
    "postgresql://127.0.0.1:1/db?user=a&sslpassword={}&sslmode=require",
    "postgresql://user:{}@no.such.host.invalid/db",
    "postgresql://user:{}@[::1/db",
    "mysql://user:{}@127.0.0.1/db",
    "postgresql:/user:{}@127.0.0.1/db",
    " postgresql://user:{}@127.0.0.1/db",
    "sqlite+pysqlcipher://:{}@/case.db",
]
RAW = [MARK, "hunter22@lemon88", "hunter22/lemon88", "hunter22:lemon88", "hunter22?lemon88=1", "%68unter22%40lemon88"]


def told(command: tuple[str, ...], store: str) -> str:
    ended = run(*command, "--store", store)
    assert ended.status in {2, 6}, (store, ended.err)
    assert ended.err.count("\n") == 1, (store, ended.err)
    return ended.out + ended.err


def test_no_command_shows_the_secret_of_its_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log.json").write_text('{"Records": []}')
    (tmp_path / "list.txt").write_text("198.51.100.7\n")
    cases = [(store.format(secret), secret) for store, secret in product(STORES, RAW)]
    for number, (store, secret) in enumerate(cases):
        text = told(COMMANDS[number % len(COMMANDS)], store)
        assert shows(text, secret) == [], text
    for command in COMMANDS:
        assert shows(told(command, STORES[0].format(MARK)), MARK) == []


@pytest.mark.parametrize(
    "words",
    [
        ["findings", "list", "{}"],
        ["{}"],
        ["scan", "{}"],
        ["scan", "--engine", "{}", "x"],
        ["scan", ".", "--config", "{}"],
        ["scan", ".", "--fail-on", "{}"],
        ["scan", ".", "--since", "{}"],
        ["scan", ".", "--custom-list", "{}"],
        ["findings", "list", "--limit", "{}"],
        ["findings", "list", "--format", "{}", "--store", "x.db"],
        ["lists", "add", "{}", "--store", "x.db"],
        ["explain", "{}"],
        ["inventory", "load", "{}"],
        ["what-if", "{}"],
        ["what-if", "x={}"],
    ],
)
def test_a_url_in_the_wrong_place_shows_no_secret(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ended = run(*(word.format(f"postgresql://user:{MARK}@host/db?token={MARK}") for word in words))
    assert ended.status != 0
    assert ended.err
    assert MARK not in ended.out + ended.err


def test_the_settings_that_are_printed_show_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    url = f"https://user:{MARK}@example.com/x?token={MARK}"
    variables = dict.fromkeys(("VEDETTE_STORE", "VEDETTE_S3_ENDPOINT", "VEDETTE_SPARK_MASTER", "VEDETTE_STATE_FOLDER"), url)
    (tmp_path / "vedette.toml").write_text(
        f"spark_conf = ['spark.hadoop.fs.s3a.secret.key={MARK}', 'spark.executor.memory=4g']\ntor_lists = ['{url}']\n"
    )
    with patch.dict(os.environ, variables):
        ended = run("settings")
    assert ended.status == 0
    assert MARK not in ended.out + ended.err
    assert ended.out.count("***") >= 2 * 5
    assert "spark.executor.memory=4g" in ended.out


def test_a_server_that_is_not_there_is_told_without_its_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    for endpoint in (
        f"http://user:{MARK}@127.0.0.1:1",
        f"user:{MARK}@127.0.0.1",
        f"http://user:{MARK}@[::1",
    ):
        ended = run("scan", "s3://bucket/logs", "--s3-endpoint", endpoint)
        assert ended.status in {2, 3}
        assert MARK not in ended.err
    with pytest.raises(VedetteError) as raised:
        s3(Connection(region="us-east-1", s3_endpoint=f"http://user:{MARK}@[::1"))
    assert MARK not in str(raised.value)


def test_what_to_do_next_is_told_without_the_secret(postgresql_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vedette.toml").write_text("state_folder = 'state'\n")
    url = postgresql_url.replace("postgres@", f"postgres:{MARK}@") + f"&sslpassword={MARK}"
    with Store.open(url) as store:
        assert MARK not in store.place
    for command in (("baseline", "show"), ("exposure",)):
        ended = run(*command, "--store", url)
        assert ended.status == 8
        assert "--store 'postgresql+psycopg://postgres:***@/" in ended.err
        assert MARK not in ended.err
    learn(url, "alice", tmp_path)
    assert MARK not in (tmp_path / "state" / "owner.json").read_text()
    assert learned(url) == ["alice"]
