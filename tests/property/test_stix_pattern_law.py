"""Law: a STIX 2 pattern takes time in proportion to its length, whatever is repeated in it, and a bundle a bounded amount."""

import random
import time
from importlib import import_module

import pytest
from interrupting import without_collections
from list_files import bundle, indicator, load, networks
from stix2patterns.v20.grammars.STIXPatternLexer import STIXPatternLexer as Lexer20
from stix2patterns.v21.grammars.STIXPatternLexer import STIXPatternLexer as Lexer21

from vedette.intel.formats.stix2 import LIST_FORMAT
from vedette.intel.stix_tokens import MOST_NESTED, Allowance, UnreadableError

ADDRESS = "ipv4-addr:value = '203.0.113.7'"
SMALL, LARGE = 300, 1_200  # how often a piece is repeated
QUICK_SECONDS = 0.2  # of CPU, for the large pattern: less is not worth a comparison
SHAPES = {
    "escaped quotes in a string without end": ("[ipv4-addr:value = '203.0.113.7", r"\'", ""),
    "escaped backslashes and quotes": ("[ipv4-addr:value = '203.0.113.7", r"\\\'", ""),
    "string without end behind a wrong sign": ("[a:b = ,", r"\'", "'"),
    "comments without end": ("[a:b = ,", "/* ", ""),
    "comments without end that hold strings": ("[a:b = ,", "/* '' ", ""),
    "comments": (f"[{ADDRESS} ", "/*'*/", "]"),
    "line comments": (f"[{ADDRESS} ", "//'\n", "]"),
    "quotes": ("[a:b = ,", "'", ""),
    "wrong escapes": ("[a:b = ,", r"'\n", ""),
    "hexadecimal literals": ("[a:b = ,", "h'00", ""),
    "binary literals": ("[a:b = ,", "b'AA//", ""),
    "timestamps": ("[a:b = ,", "t'2024-01-01T00:00:00.000", ""),
    "numbers": ("[a:b = ,", "1.", "]"),
    "identifiers": ("[", "a-", ":b = 1]"),
    "blanks": ("[", " ", "x"),
    "letters beyond ASCII": ("[a:b = '", "é", "']"),
    "round brackets": ("[", "(", ""),
    "square brackets": ("", "[", ""),
    "path": ("[a:b", ".a[*]", " = 1]"),
    "alternatives": (f"[{ADDRESS}", " OR a:b=1 AND c:d=2", "]"),
    "alternatives in brackets": (f"[{ADDRESS}", " OR (((((((a:b=1)))))))", "]"),
    "observations": (f"[{ADDRESS}]", " OR [a:b=1] AND [a:b=1] FOLLOWEDBY [a:b=1]", ""),
    "qualifiers": (f"[{ADDRESS}]", " REPEATS 2 TIMES", ""),
    "members of a set": ("[ipv4-addr:value IN ('192.0.2.1'", ",'192.0.2.1'", ")]"),
}
PIECES = (
    "'",
    "'",
    "\\",
    "\\'",
    "\\\\",
    "/*",
    "*/",
    "//",
    "/",
    "*",
    "\n",
    "a",
    "h",
    "b'AA//'",
    "t",
    "é",
    "[",
    "(",
    "=",
    " ",
    "a:b",
    "0",
)


def repeated(name: str, times: int) -> str:
    before, piece, after = SHAPES[name]
    return before + piece * times + after


def seconds(*patterns: str) -> float:
    data = bundle(*map(indicator, patterns)).encode()
    with without_collections():
        started = time.thread_time()
        assert list(LIST_FORMAT.parse(data))
        return time.thread_time() - started


@pytest.mark.parametrize("name", SHAPES)
def test_a_pattern_takes_linear_time(name: str) -> None:
    small, large = repeated(name, SMALL), repeated(name, LARGE)
    ratio = 16.0
    for _ in range(3):
        longer = seconds(large)
        if longer < QUICK_SECONDS or (ratio := min(ratio, longer / seconds(small))) < 8:
            return
    pytest.fail(f"four times the text took {ratio:.1f} times as long")


@pytest.mark.parametrize("lexer", [Lexer20, Lexer21])
def test_no_string_or_comment_without_end_reaches_the_grammar(lexer: type) -> None:
    stream = import_module("antlr4").InputStream
    chance, allowed = random.Random(7), 0
    for _ in range(400):
        pattern = "".join(chance.choices(PIECES, k=chance.randint(1, 12)))
        tokens = lexer(stream(pattern)).getAllTokens()
        signs = {(token.text, pattern[token.stop + 1 : token.stop + 2]) for token in tokens}
        endless = ("/", "*") in signs or any(sign == "'" for sign, _ in signs)
        try:
            Allowance().take(pattern)
        except UnreadableError:
            assert endless, pattern
        else:
            allowed += 1
            assert not endless, pattern
    assert 50 < allowed < 350


def test_all_patterns_of_a_bundle_share_what_may_be_parsed() -> None:
    pattern = "[a:b = 1 OR c:d = 2]"  # 14 tokens, and 5 for itself
    allowance = Allowance(tokens=3 * 19 + 1)
    for _ in range(3):
        allowance.take(pattern)
    for spoiled in (pattern, "[", pattern):
        with pytest.raises(UnreadableError, match="words and signs in the patterns of the list"):
            allowance.take(spoiled)


@pytest.mark.parametrize("letter", ["é", "\U0001f600", "1 ", "=", "/**/"])
def test_what_costs_the_lexer_a_step_counts(letter: str) -> None:
    with pytest.raises(UnreadableError, match="words and signs"):
        Allowance(tokens=1_000).take(f"[a:b = '' {letter * 1_000}")


def test_a_pattern_may_be_nested_and_long() -> None:
    nested = "[" + "(" * (MOST_NESTED // 2) + ADDRESS + ")" * (MOST_NESTED // 2) + "]"
    chain = "[" + " OR ".join(f"ipv4-addr:value = '198.51.100.{number}'" for number in range(256)) + "]"
    quoted = "[ipv4-addr:value = '203.0.113.8' /* it's */ OR file:name = 'a\\'b\\\\' OR a:b = b'AA//']"
    assert len(networks(load(bundle(indicator(nested), indicator(chain), indicator(quoted))))) == 258
