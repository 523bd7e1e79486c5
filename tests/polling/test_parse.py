"""Feeds of every format and every fault: ``tests/data/feeds/NAME.xml`` gives ``NAME.expected.json``."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.languages import Language
from monitor.polling.charset import decode
from monitor.polling.classic import read_with_feedparser
from monitor.polling.document import MOST_ENTRIES, NoFeed, prepare
from monitor.polling.parse import NotAFeed, ParsedFeed, draft, parse_feed
from monitor.polling.wellformed import read_well_formed

FEEDS = Path(__file__).parents[1] / "data" / "feeds"
URL = "https://given.example.org/news/feed.xml"
VISITED = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)


def parsed(body: bytes | str, **options: Any) -> ParsedFeed:
    raw = body.encode() if isinstance(body, str) else body
    result = parse_feed(raw, url=URL, now=VISITED, **options)
    assert isinstance(result, ParsedFeed), result
    return result


def rss(items: str, channel: str = "") -> str:
    return f'<rss version="2.0"><channel><title>T</title>{channel}{items}</channel></rss>'


def item(number: int = 1, **parts: str) -> str:
    return item_of({"guid": f"urn:{number}"} | parts)


def item_of(parts: Mapping[str, str]) -> str:
    parts = {"title": "A title", "guid": "urn:1"} | dict(parts)
    return "<item>" + "".join(f"<{name}>{value}</{name}>" for name, value in parts.items()) + "</item>"


def shown(result: ParsedFeed | NotAFeed) -> dict[str, Any]:
    if isinstance(result, NotAFeed):
        return _said({"not_a_feed": result.detail, "feeds_found": list(result.feeds_found)})
    found: dict[str, Any] = {
        "ttl_minutes": result.ttl and result.ttl / timedelta(minutes=1),
        "skip_hours": sorted(result.skip_hours),
        "skip_days": sorted(result.skip_days),
        "hub": result.hub,
        "self_url": result.self_url,
        "warnings": list(result.warnings),
    }
    entries = [
        _said(
            {
                "key": entry.key,
                "url": entry.url,
                "title": entry.title,
                "summary": entry.summary,
                "body": entry.body,
                "language": entry.language,
                "categories": list(entry.categories),
                "published_at": entry.published_at and entry.published_at.isoformat(),
                "modified_at": entry.modified_at and entry.modified_at.isoformat(),
            }
        )
        for entry in result.entries
    ]
    return {"title": result.title, "language": result.language, **_said(found), "entries": entries}


def _said(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}


PAIRS = sorted(path for path in FEEDS.iterdir() if not path.name.endswith(".expected.json"))


@pytest.mark.parametrize("path", PAIRS, ids=lambda path: path.stem)
def test_a_feed_reads_as_expected(path: Path) -> None:
    expected = json.loads(path.with_name(f"{path.stem}.expected.json").read_text("utf-8"))
    options = expected.pop("given", {})
    language = Language(options["language"]) if "language" in options else None
    content_type = options.get("content_type", "")
    result = parse_feed(path.read_bytes(), url=URL, content_type=content_type, language=language, now=VISITED)
    assert shown(result) == expected


@pytest.mark.parametrize("path", [path for path in PAIRS if path.suffix == ".xml"], ids=lambda path: path.stem)
def test_the_fast_reader_says_what_feedparser_says(path: Path) -> None:
    """feedparser is the judge: where the fast reader answers at all, the entries are the same."""
    document = prepare(decode(path.read_bytes()))
    if isinstance(document, NoFeed):
        return
    fast, judge = read_well_formed(document.text, URL), read_with_feedparser(document.text, URL)
    assert judge is not None
    if fast is not None:
        assert (fast.title, fast.language, fast.hub, fast.self_url) == (
            judge.title,
            judge.language,
            judge.hub,
            judge.self_url,
        )
        both = [[draft(raw, url=URL, language=None, now=VISITED).entry() for raw in f.entries] for f in (fast, judge)]
        assert both[0] == both[1]


@pytest.mark.parametrize(
    "unusual",
    [
        '<item xml:base="https://else.example.org/"><title>t</title><link>x</link></item>',
        '<item><title>t</title><link/><guid isPermaLink="true">https://x.example.org/1</guid></item>',
        "<item><title>one</title><title>two</title></item>",
        "<item><description>one</description><description>two, longer</description></item>",
        '<item xmlns:media="http://search.yahoo.com/mrss/"><title>t</title><media:description>d</media:description></item>',
        '<item xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>dc</dc:title><dc:description>d</dc:description></item>',
        "<item><title>t <b>bold</b></title></item>",
        "<item><title>t</title><link>http:///x.example.org/1</link></item>",
        "<item><title>t</title><pubDate>Mon, 23 Nov 2026 10:00:00 GMT</pubDate><pubDate>x</pubDate></item>",
        "<image><title>i</title><url>u</url></image><item><title>t</title></item>",
        '<item><title>t</title><content type="html">c</content></item>',
        "<group><item><title>inside a group</title></item></group>",
    ],
)
def test_what_is_unusual_still_reads_as_feedparser_reads_it(unusual: str) -> None:
    document = prepare(rss(unusual))
    assert not isinstance(document, NoFeed)
    fast, judge = read_well_formed(document.text, URL), read_with_feedparser(document.text, URL)
    assert judge is not None
    assert fast is None or fast.entries == judge.entries


def test_entries_beyond_the_cap_are_left_out() -> None:
    """FAULTS 28: a million entries, in bounded time."""
    million = rss("<item><title>x</title></item>" * 1_000_000)
    started = time.thread_time()
    result = parse_feed(million.encode(), url=URL, now=VISITED)
    assert isinstance(result, ParsedFeed)
    assert len(result.drafts) <= MOST_ENTRIES
    assert any("more than 5,000 entries" in warning for warning in result.warnings)
    assert time.thread_time() - started < 10


_MEASURED = """
import resource, sys, time
from datetime import UTC, datetime
from monitor.polling.parse import NotAFeed, parse_feed
options = {"url": "https://x.example.org/", "now": datetime.now(UTC)}
parse_feed(b"<rss><channel><item><title>warm</title></item></channel></rss>", **options)
body = sys.stdin.buffer.read()
before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.thread_time()
result = parse_feed(body, **options)
seconds = time.thread_time() - started
print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, isinstance(result, NotAFeed))
"""


@pytest.mark.parametrize(
    "subset",
    [
        "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol"}">' for n in range(30)),
        f'<!ENTITY l29 "{"x" * 1_000_000}">',
        '<!ENTITY l29 SYSTEM "file:///etc/passwd">',
        '<!ENTITY % p SYSTEM "http://127.0.0.1:9/p"> %p;',
        "<!ATTLIST rss version CDATA #IMPLIED>",
    ],
    ids=["billion laughs", "quadratic", "external", "parameter", "no entity at all"],
)
def test_a_document_type_of_its_own_is_refused_at_once(subset: str) -> None:
    """FAULTS 22: refused under a second and 100 MB."""
    bomb = f'<?xml version="1.0"?><!DOCTYPE rss [{subset}]>' + rss(item(title="&l29;" * 1000))
    answer = subprocess.run([sys.executable, "-c", _MEASURED], input=bomb.encode(), capture_output=True, check=True)
    seconds, kilobytes, refused = answer.stdout.decode().split()
    assert refused == "True"
    assert float(seconds) < 1
    assert int(kilobytes) < 100_000


@pytest.mark.parametrize(
    "document",
    [
        "<rss>" + "<a>" * 200_000,
        "<rss " + " ".join(f"a{n}=''" for n in range(100_000)) + "/>",
        "<rss>" + "<![CDATA[" * 100_000,
        "<rss>" + "<!" * 200_000,
        "<rss>" + "<" * 200_000,
        "<rss>" + "&" * 200_000,
        rss(item(description="&lt;b&gt;" * 50_000)),
        rss(item(title="&lt;p " + "a=1 " * 50_000)),
        rss(item() + "<item>" + "<category>c</category>" * 50_000 + "& </item>"),
        rss(item(author="a." * 100_000) + "&"),
        rss(item(title="t &", description="&lt;p " + "a=1 " * 50_000)),
        "{" * 100_000,
        '{"a":' * 100_000,
        "<!--" * 100_000 + "<rss/>",
        "<?" * 100_000 + "<rss/>",
    ],
    ids=lambda document: document[:12],
)
def test_heaps_of_markup_take_their_bytes_time(document: str) -> None:
    started = time.thread_time()
    result = parse_feed(document.encode(), url=URL, now=VISITED)
    if isinstance(result, ParsedFeed):
        assert result.entries is not None
    assert time.thread_time() - started < 3


def test_a_body_that_names_a_file_is_not_opened() -> None:
    """feedparser would take these bytes for a path."""
    assert parse_feed(b"/etc/passwd", url=URL, now=VISITED) == NotAFeed("the document is neither XML nor JSON")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"link": "https://x.example.org/a?utm_source=1"}, {"link": "https://x.example.org/a?utm_source=2"}),
        ({"description": "Text <script>t('1')</script>"}, {"description": "Text <script>t('2')</script>"}),
        ({"title": "A title"}, {"title": "A \u2060title "}),
        ({"description": "<p>A  b</p>"}, {"description": "<div class='x'>A b</div>"}),
        ({"category": "a"}, {"category": "b"}),
        ({"pubDate": "Mon, 23 Nov 2026 10:00:00 -0500"}, {"pubDate": "2026-11-23T15:00:00Z"}),
        ({"pubDate": "Mon, 23 Nov 2029 10:00:00 GMT"}, {"pubDate": "Mon, 23 Nov 2029 10:00:00 GMT"}),
    ],
)
def test_what_no_reader_sees_changes_no_hash(one: dict[str, str], other: dict[str, str]) -> None:
    """FAULTS 32: tracking, scripts and hidden characters are no edit; nor is a clamped date at a later visit."""
    escaped = [{name: value.replace("<", "&lt;") for name, value in parts.items()} for parts in (one, other)]
    first = parsed(rss(item_of(escaped[0]))).entries[0]
    later = parse_feed(rss(item_of(escaped[1])).encode(), url=URL, now=VISITED + timedelta(days=9))
    assert isinstance(later, ParsedFeed)
    assert first.content_hash == later.entries[0].content_hash


@pytest.mark.parametrize(
    "edit", [{"title": "Another"}, {"description": "More"}, {"pubDate": "Mon, 23 Nov 2026 10:00:00 GMT"}]
)
def test_an_edit_changes_the_hash_and_not_the_key(edit: dict[str, str]) -> None:
    """FAULTS 26."""
    before, after = parsed(rss(item())).entries[0], parsed(rss(item_of(edit))).entries[0]
    assert before.key == after.key
    assert before.content_hash != after.content_hash


def test_a_draft_has_the_fingerprint_of_all_that_the_feed_says() -> None:
    before, same, other = (parsed(rss(item(category=name))).drafts[0].fingerprint for name in ("a", "a", "b"))
    assert before == same != other


def test_an_own_language_wins_over_the_source_and_the_source_over_the_feed() -> None:
    feed = (
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en-US"><entry><id>1</id><title>One</title></entry>'
        '<entry xml:lang="es"><id>2</id><title>Dos</title></entry></feed>'
    )
    assert [entry.language for entry in parsed(feed, language=Language.FR).entries] == [Language.FR, Language.ES]
    assert [entry.language for entry in parsed(feed).entries] == [Language.EN, Language.ES]


@pytest.mark.parametrize(
    ("channel", "minutes"),
    [
        ("<ttl>60</ttl>", 60),
        ("<ttl>0</ttl>", None),
        ("<ttl>-5</ttl>", None),
        ("<ttl>99999999999999999999</ttl>", None),
        ("<ttl>soon</ttl>", None),
        ('<s:updatePeriod xmlns:s="http://purl.org/rss/1.0/modules/syndication/"> daily </s:updatePeriod>', 1440),
        ("<skipHours><hour>99</hour></skipHours>", None),
    ],
)
def test_how_often_a_feed_asks_to_be_visited(channel: str, minutes: int | None) -> None:
    result = parsed(rss(item(), channel))
    assert result.ttl == (timedelta(minutes=minutes) if minutes else None)
    assert result.skip_hours == frozenset()


_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_MARKUP = (
    "<item> </item> <title> </title> <link> </link> <guid> </guid> <description> </description> <entry> </entry> <b> "
    "<script> <![CDATA[ ]]> <!-- --> <?x?> &lt; &amp; &nbsp; &#8203; javascript:alert(1) https://x.example.org/ "
    "data:,x \u202e \x0b text 2026-11-23"
)
_PIECES = st.sampled_from([*_MARKUP.split(" "), " "])


def assert_fit_to_keep(result: ParsedFeed) -> None:
    entries = result.entries
    assert len({entry.key for entry in entries}) == len(entries)
    for entry in entries:
        assert entry.key
        assert entry.title
        assert entry.url == "" or entry.url.startswith(("http://", "https://"))
        for text in (entry.title, entry.summary, entry.body):
            assert not _HIDDEN.search(text)
            assert unicodedata.is_normalized("NFC", text)
        for moment in (entry.published_at, entry.modified_at):
            assert moment is None or (moment.tzinfo is UTC and moment <= VISITED + timedelta(days=1))


@given(st.lists(_PIECES, max_size=40).map("".join))
@settings(max_examples=150)
def test_whatever_stands_in_a_channel_the_entries_are_fit_to_keep(text: str) -> None:
    assert_fit_to_keep(parsed(rss(text)))


@given(
    st.binary(max_size=300) | st.text(max_size=200).map(lambda text: rss(item(title=text)).encode("utf-8", "replace"))
)
@settings(max_examples=150)
def test_any_bytes_have_an_outcome(body: bytes) -> None:
    result = parse_feed(body, url=URL, now=VISITED)
    if isinstance(result, ParsedFeed):
        assert_fit_to_keep(result)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "url", "title"]), inner),
        max_leaves=8,
    )
)
@settings(max_examples=100)
def test_any_json_feed_has_an_outcome(items: Any) -> None:
    feed = {"version": "https://jsonfeed.org/version/1.1", "items": items, "hubs": items, "title": items}
    result = parse_feed(json.dumps(feed).encode(), url=URL, now=VISITED)
    assert isinstance(result, ParsedFeed)
    assert_fit_to_keep(result)
