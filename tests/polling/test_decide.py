"""What is new, changed or known under another key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.nouns import Entry
from monitor.polling.decide import Decision, Known, decide, left_out, settle
from monitor.polling.parse import ParsedFeed, parse_feed

VISITED = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)


def entry(key: str, *, url: str | None = None, content: str | None = None) -> Entry:
    address = f"https://x.example.org/{key}" if url is None else url
    return Entry(key, address, f"Title of {key}", content_hash=content or f"hash of {key}")


def stored(*entries: Entry) -> dict[str, Known]:
    return {e.key: Known(e.key, e.url, e.content_hash, 1, number) for number, e in enumerate(entries)}


def keys(pairs: Sequence[tuple[Known, Entry]]) -> list[tuple[str, str]]:
    return [(known.key, entry.key) for known, entry in pairs]


FEED = [entry(name) for name in "abcdefghij"]


def test_a_first_visit_is_all_new() -> None:
    decision = decide({}, FEED)
    assert decision == Decision(new=tuple(FEED), overlap=0)


def test_the_same_again_is_all_unchanged() -> None:
    known = stored(*FEED)
    assert decide(known, FEED) == Decision(unchanged=tuple(known.values()), overlap=1)


def test_an_empty_visit_alarms_nobody() -> None:
    assert decide(stored(*FEED), []) == Decision(overlap=1)


def test_an_edit_is_a_change_and_never_new() -> None:
    """FAULTS 26."""
    known, edited = stored(*FEED), replace(FEED[0], content_hash="edited")
    decision = decide(known, [edited, *FEED[1:], entry("k")])
    assert keys(decision.changed) == [("a", "a")]
    assert [e.key for e in decision.new] == ["k"]
    assert len(decision.unchanged) == 9
    assert decision.overlap == pytest.approx(10 / 11)


@pytest.mark.parametrize(
    "rebuilt",
    [
        pytest.param(lambda e: replace(e, key=f"new-{e.key}"), id="GUIDs"),
        pytest.param(
            lambda e: replace(e, key=f"n-{e.key}", url=f"https://y.example.org/{e.key}"), id="GUIDs, addresses"
        ),
        pytest.param(lambda e: replace(e, key=f"n-{e.key}", content_hash=f"n {e.key}"), id="GUIDs, templates"),
        pytest.param(lambda e: replace(e, key=e.url, url=e.url.replace("https", "http")), id="scheme"),
    ],
)
def test_when_all_keys_change_at_once_the_items_are_recognised(rebuilt: object) -> None:
    """FAULTS 25: no flood of mail."""
    assert callable(rebuilt)
    decision = decide(stored(*FEED), [rebuilt(e) for e in FEED])
    assert decision.new == ()
    assert len(decision.rekeyed) == len(FEED)
    assert decision.overlap == 1


def rewritten(entry: Entry) -> Entry:
    """As a site that is rebuilt shows it: the same text under another key and address."""
    return replace(entry, key=f"n-{entry.key}", url=f"https://y.example.org/{entry.key}")


@pytest.mark.parametrize(
    ("entries", "rekeyed", "new"),
    [
        pytest.param([rewritten(e) for e in FEED[:5]], 5, 0, id="five entries are enough"),
        pytest.param([rewritten(e) for e in FEED[:4]], 0, 4, id="four are not"),
        pytest.param([*FEED[:2], *map(rewritten, FEED[2:])], 8, 0, id="four fifths unknown"),
        pytest.param([*FEED[:3], *map(rewritten, FEED[3:])], 0, 7, id="less than four fifths unknown"),
        pytest.param([*map(rewritten, FEED[:5]), *map(entry, "klmno")], 5, 5, id="half of them explained"),
        pytest.param([*map(rewritten, FEED[:4]), *map(entry, "klmnop")], 0, 10, id="less than half of them explained"),
        pytest.param(
            [*(replace(e, key=f"n-{e.key}") for e in FEED[:4]), *map(rewritten, FEED[4:8]), *FEED[8:]],
            8,
            0,
            id="those recognised in any case count as unknown",
        ),
        pytest.param(
            [replace(FEED[0], key="n-a"), *map(rewritten, FEED[1:3]), *map(entry, "klmno")],
            1,
            7,
            id="and as explained",
        ),
    ],
)
def test_where_a_storm_begins(entries: list[Entry], rekeyed: int, new: int) -> None:
    decision = decide(stored(*FEED), entries)
    assert (len(decision.rekeyed), len(decision.new)) == (rekeyed, new)


def test_in_a_storm_what_is_really_new_is_still_found() -> None:
    storm = [replace(e, key=f"new-{e.key}") for e in FEED]
    decision = decide(stored(*FEED), [entry("k"), *storm])
    assert [e.key for e in decision.new] == ["k"]


def test_after_a_long_absence_the_entries_are_new() -> None:
    """Two chance likenesses among ten do not make a storm."""
    later = [entry(name) for name in "klmnopqr"]
    alike = [entry("s", url=FEED[0].url), entry("t", content=FEED[1].content_hash)]
    decision = decide(stored(*FEED), [*later, *alike])
    assert len(decision.new) == 10
    assert decision.overlap == 0


def test_one_replaced_guid_is_recognised_by_content_and_address_together() -> None:
    decision = decide(stored(*FEED), [replace(FEED[0], key="z"), *FEED[1:]])
    assert keys(decision.rekeyed) == [("a", "z")]
    assert decision.new == ()


def test_in_quiet_times_the_address_alone_proves_nothing() -> None:
    """Courts link every entry to its docket: the older one is gone, the newer one has the same address."""
    docket = "https://court.example.org/docket/7"
    known = stored(entry("old", url=docket), *FEED)
    assert [e.key for e in decide(known, [entry("new", url=docket), *FEED]).new] == ["new"]


def test_items_that_are_still_shown_are_not_taken_for_another() -> None:
    """Two releases with the same text and address at the same time are two."""
    twin = replace(FEED[0], key="twin")
    assert [e.key for e in decide(stored(*FEED), [*FEED, twin]).new] == ["twin"]


def test_what_is_not_unique_is_not_recognised() -> None:
    same = [entry(name, url="", content="the same") for name in "abcdefgh"]
    decision = decide(stored(*same), [replace(e, key=f"new-{e.key}") for e in same])
    assert len(decision.new) == 8


_ENTRIES = st.lists(
    st.builds(
        Entry,
        key=st.sampled_from("abcdefghijkl"),
        url=st.sampled_from(["", "https://x.example.org/1", "https://x.example.org/2"]),
        title=st.just("t"),
        content_hash=st.sampled_from("123456"),
    ),
    unique_by=lambda e: e.key,
)


@given(_ENTRIES, _ENTRIES)
@settings(max_examples=300)
def test_every_entry_is_in_one_place_and_the_next_visit_agrees(before: list[Entry], after: list[Entry]) -> None:
    known = stored(*before)
    decision = decide(known, after)
    placed = [e.key for e in decision.new] + [e.key for _, e in (*decision.changed, *decision.rekeyed)]
    assert sorted(placed + [item.key for item in decision.unchanged]) == sorted(e.key for e in after)
    items = [item.item_id for item, _ in (*decision.changed, *decision.rekeyed)]
    assert len({*items, *(item.item_id for item in decision.unchanged)}) == len(items) + len(decision.unchanged)
    assert 0 <= decision.overlap <= 1
    again = decide(stored(*after), after)
    assert len(again.unchanged) == len(after)


def _feed(*titles: str) -> ParsedFeed:
    items = "".join(f"<item><guid>urn:{n}</guid><title>{title}</title></item>" for n, title in enumerate(titles))
    body = f'<rss version="2.0"><channel>{items}</channel></rss>'.encode()
    result = parse_feed(body, url="https://x.example.org/feed", now=VISITED)
    assert isinstance(result, ParsedFeed)
    return result


def _remembered(feed: ParsedFeed) -> Mapping[str, Known]:
    known = stored(*feed.entries)
    return {draft.key: replace(known[draft.key], fingerprint=draft.fingerprint) for draft in feed.drafts}


def test_settling_drafts_decides_as_entries_do() -> None:
    before, after = _feed("One", "Two", "Three"), _feed("One", "Two, edited", "Three", "Four")
    known = _remembered(before)
    assert settle(known, after.drafts) == decide(known, after.entries)
    decision = settle(known, after.drafts)
    assert [e.title for _, e in decision.changed] == ["Two, edited"]
    assert [e.title for e in decision.new] == ["Four"]


def test_settling_reads_no_text_of_what_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    feed = _feed("One", "Two")
    known = _remembered(feed)
    monkeypatch.setattr("monitor.polling.parse.plain_text", None)
    monkeypatch.setattr("monitor.polling.parse.tidy_paragraphs", None)
    assert len(settle(known, feed.drafts).unchanged) == 2


def dated(name: str, day: int) -> Known:
    return Known(
        name, f"https://x.example.org/{name}", f"hash of {name}", 1, day, published_at=VISITED.replace(day=day)
    )


DATED = {item.key: item for item in (dated(name, day) for day, name in enumerate("abcdefgh", start=1))}


@pytest.mark.parametrize(
    ("shown", "missing"),
    [
        ("abcdefgh", ""),
        ("defghi", ""),  # a, b and c have made room
        ("abcdeghi", "f"),
        ("adefgh", ""),  # b may have made room: a is pinned to the top
        ("abefgh", ""),  # so are two
        ("abcgh", "def"),
        ("ab", ""),
        ("", ""),
    ],
)
def test_what_is_left_out_between_older_ones_is_missing(shown: str, missing: str) -> None:
    decision = decide(DATED, [entry(name) for name in shown])
    assert "".join(item.key for item in left_out(DATED, decision)) == missing


def test_what_was_missed_before_or_has_no_date_is_not_missed_again() -> None:
    known = DATED | {"f": replace(DATED["f"], missed=True), "g": replace(DATED["g"], published_at=None)}
    assert left_out(known, decide(known, [entry(name) for name in "abcdeh"])) == ()
