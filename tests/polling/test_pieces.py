"""A feed whose known entries are left out before parsing holds what it holds when it is read as a whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.polling.parse import Draft, NotAFeed, ParsedFeed, parse_feed
from monitor.polling.pieces import cut

FEEDS = sorted(
    path
    for path in (Path(__file__).parents[1] / "data" / "feeds").iterdir()
    if not path.name.endswith(".expected.json")
)
URL = "https://news.example.gov/feed"
NOW = datetime(2026, 11, 23, 23, 0, tzinfo=UTC)


def read(body: bytes, known: dict[str, str] | None = None) -> ParsedFeed | NotAFeed:
    return parse_feed(body, url=URL, now=NOW, recall=lambda _count: known or {})


def feed(*items: str, opening: str = '<rss version="2.0"><channel>') -> bytes:
    return f"{opening}<title>News</title>{''.join(items)}</channel></rss>".encode()


def item(number: int, text: str = "text", more: str = "") -> str:
    return (
        f"<item><guid>tag:{number}</guid><title>Title {number}</title><link>https://news.example.gov/{number}</link>"
        f"<description><![CDATA[<p>{text}</p>]]></description>{more}</item>\n"
    )


def remembered(body: bytes, which: Callable[[int], bool] = lambda _number: True) -> tuple[dict[str, str], list[Draft]]:
    """What the store knows after a visit, of the entries chosen; and all of the feed's drafts."""
    whole = read(body)
    assert isinstance(whole, ParsedFeed)
    known = {draft.fingerprint: draft.key for number, draft in enumerate(whole.drafts) if which(number)}
    return known, list(whole.drafts)


@pytest.mark.parametrize("path", FEEDS, ids=lambda path: path.name)
def test_every_feed_reads_the_same_without_what_is_known(path: Path) -> None:
    body = path.read_bytes()
    if isinstance(read(body), NotAFeed):
        assert read(body, {"00": "something"}) == read(body)
        return
    known, drafts = remembered(body, lambda number: number % 2 == 0)
    partly = read(body, known)
    assert isinstance(partly, ParsedFeed)
    assert set(partly.seen) <= set(known.values())
    rest = [draft for draft in drafts if draft.key not in partly.seen]
    assert [(draft.key, draft.fingerprint, draft.entry()) for draft in partly.drafts] == [
        (draft.key, draft.fingerprint, draft.entry()) for draft in rest
    ]


def test_what_is_known_is_not_parsed() -> None:
    known, _ = remembered(feed(item(1), item(2)))
    later = read(feed(item(3), item(1), item(2)), known)
    assert isinstance(later, ParsedFeed)
    assert ([draft.key for draft in later.drafts], later.seen) == (["tag:3"], ("tag:1", "tag:2"))
    nothing_new = read(feed(item(2), item(1)), known)
    assert isinstance(nothing_new, ParsedFeed)
    assert (nothing_new.drafts, nothing_new.seen) == ((), ("tag:2", "tag:1"))


def test_a_changed_character_is_a_draft_again() -> None:
    known, _ = remembered(feed(item(1), item(2)))
    later = read(feed(item(1), item(2, "corrected")), known)
    assert isinstance(later, ParsedFeed)
    assert [draft.entry().summary for draft in later.drafts] == ["corrected"]


def test_another_opening_or_address_makes_all_new() -> None:
    """What stands around an entry, its language and the base of its links, bears on what it says."""
    known, _ = remembered(feed(item(1)))
    other = read(feed(item(1), opening='<rss version="2.0" xml:lang="fr"><channel>'), known)
    assert isinstance(other, ParsedFeed)
    assert len(other.drafts) == 1
    elsewhere = parse_feed(feed(item(1)), url=f"{URL}/moved", now=NOW, recall=lambda _count: known)
    assert isinstance(elsewhere, ParsedFeed)
    assert len(elsewhere.drafts) == 1


def test_an_entry_that_repeats_a_known_key_changes_nothing() -> None:
    """Else two entries of one key would take turns as each other's revisions."""
    body = feed(item(1), item(1, "another text"))
    known, drafts = remembered(body)
    assert len(drafts) == 1
    again = read(feed(item(1), item(1, "another text"), item(2)), known)
    assert isinstance(again, ParsedFeed)
    assert ([draft.key for draft in again.drafts], again.seen) == (["tag:2"], ("tag:1",))


@pytest.mark.parametrize(
    "odd",
    [
        item(2, "an </item> in the text"),
        item(2, "an <item> in the text"),
        f"<!-- {item(2)} -->",
        item(2, more="<!-- </item> -->"),
        "<item/>",
        f"<media>{item(2)}</media>",
    ],
    ids=["end in a text", "start in a text", "comment", "comment within", "empty", "within another"],
)
def test_what_cannot_be_cut_with_certainty_is_read_whole(odd: str) -> None:
    known, _ = remembered(feed(item(1)))
    body = feed(item(1), odd, item(3))
    whole, partly = read(body), read(body, known)
    assert isinstance(whole, ParsedFeed)
    assert isinstance(partly, ParsedFeed)
    assert {draft.key for draft in whole.drafts} == {draft.key for draft in partly.drafts} | set(partly.seen)
    assert "tag:3" in {draft.key for draft in partly.drafts}


def test_neither_rdf_nor_prefixed_feeds_are_cut() -> None:
    assert cut("<rdf:RDF><item></item></rdf:RDF>", URL) is None
    assert cut("<a:feed><a:entry></a:entry></a:feed>", URL) is None
    assert cut("<rss><channel></channel></rss>", URL) is None
