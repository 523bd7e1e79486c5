"""Which entries of a visit are new, changed, or known under another key: a pure comparison with what is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.core.nouns import Entry
from monitor.polling.keys import canonical_url
from monitor.polling.parse import Draft

_STORM_SHARE = 0.8
_STORM_ENTRIES = 5
_STORM_EXPLAINED = 0.5
_OLDER_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Known:
    """What the store knows of an item: enough to recognise it. ``fingerprint`` is that of its last draft, or empty.

    ``missed`` is set where the source has left the item out before.
    """

    key: str
    url: str
    content_hash: str
    revision: int
    item_id: int
    fingerprint: str = ""
    published_at: datetime | None = None
    missed: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What a visit found. Each entry and each known item is in one place at most.

    ``rekeyed`` are known items that now come under another key; where the content hashes differ too, they have
    changed as well. ``overlap`` is the share of the entries, 0 to 1, that were known; 1 where there are none.
    """

    new: tuple[Entry, ...] = ()
    changed: tuple[tuple[Known, Entry], ...] = ()
    unchanged: tuple[Known, ...] = ()
    rekeyed: tuple[tuple[Known, Entry], ...] = ()
    overlap: float = 1.0

    @property
    def shown(self) -> tuple[Known, ...]:
        """The known items that the source shows."""
        return (*self.unchanged, *(item for item, _ in self.changed), *(item for item, _ in self.rekeyed))


def left_out(known: Mapping[str, Known], decision: Decision) -> tuple[Known, ...]:
    """Known items that the source no longer shows, though it shows three or more that are older.

    They did not make room for newer ones, so they may have been withdrawn; whether they were, their pages tell.
    Some sources pin an old entry or two to the top, hence three. Items without a date are never told to be missing.
    """
    shown = {item.key for item in decision.shown}
    ages = sorted(item.published_at for item in decision.shown if item.published_at)
    if len(ages) < _OLDER_SHOWN:
        return ()
    third = ages[_OLDER_SHOWN - 1]
    absent = (item for item in known.values() if item.key not in shown and not item.missed)
    return tuple(item for item in absent if item.published_at and item.published_at > third)


def settle(known: Mapping[str, Known], drafts: Sequence[Draft], seen: Collection[str] = ()) -> Decision:
    """As ``decide``, but the text of a draft is read only where its fingerprint is not the one stored with its item.

    Args:
        known: As for ``decide``; items without a fingerprint cost a reading.
        drafts: The drafts of this visit, with distinct keys.
        seen: The keys of known items that are shown as they were, and have no drafts.
    """
    shown = [_as_known(known[key]) for key in seen]
    return decide(known, [*shown, *(_read_if_changed(known.get(draft.key), draft) for draft in drafts)])


def _read_if_changed(item: Known | None, draft: Draft) -> Entry:
    return _as_known(item) if item and item.fingerprint == draft.fingerprint else draft.entry()


def _as_known(item: Known) -> Entry:
    return Entry(item.key, item.url, "", content_hash=item.content_hash)


def decide(known: Mapping[str, Known], entries: Sequence[Entry]) -> Decision:
    """Compare the entries of a visit with the known items of the same source.

    An entry is known by its key; a different content hash makes it changed, never new. Among the entries with
    unknown keys the storm guard looks for known items whose keys are gone from the source:

    - always, by the same content *and* the same address: a GUID was replaced;
    - when four fifths or more of at least five keys are unknown at once, also by the same content, else by the
      same address, provided that this explains half of them or more: a site was rebuilt and gives its items new
      GUIDs. Where it does not, the service was away for long, and the entries are new.

    A feature counts only where it is unique on both sides.

    The address alone is not enough in quiet times, because some sources give many items one address (courts
    link every entry to its docket), nor is ever the title (516 White House titles are of several items).

    Args:
        known: By key, the source's items that may recur: those with the keys of ``entries``, and the last ones
            stored, at least as many as the feed is long. The guard recognises only what is in here.
        entries: The entries of this visit, with distinct keys.
    """
    by_key = [(known.get(entry.key), entry) for entry in entries]
    met = [(item, entry) for item, entry in by_key if item]
    rekeyed, new = _recognised(known, entries, [entry for item, entry in by_key if item is None])
    return Decision(
        new=tuple(new),
        changed=tuple((item, entry) for item, entry in met if item.content_hash != entry.content_hash),
        unchanged=tuple(item for item, entry in met if item.content_hash == entry.content_hash),
        rekeyed=tuple(rekeyed),
        overlap=(len(met) + len(rekeyed)) / len(entries) if entries else 1.0,
    )


def _recognised(
    known: Mapping[str, Known], entries: Sequence[Entry], unknown: list[Entry]
) -> tuple[list[tuple[Known, Entry]], list[Entry]]:
    if not unknown:
        return [], unknown
    present = {entry.key for entry in entries}
    gone = [item for item in known.values() if item.key not in present]
    shared = {item.content_hash for item in gone} & {entry.content_hash for entry in unknown}
    replaced, gone, unknown = _paired(
        gone, unknown, lambda it: it.content_hash in shared and (it.content_hash, canonical_url(it.url))
    )
    if len(entries) < _STORM_ENTRIES or len(unknown) + len(replaced) < _STORM_SHARE * len(entries):
        return replaced, unknown
    by_content, gone, rest = _paired(gone, unknown, lambda it: it.content_hash)
    by_address, gone, rest = _paired(gone, rest, lambda it: canonical_url(it.url))
    explained = [*replaced, *by_content, *by_address]
    is_storm = len(explained) >= _STORM_EXPLAINED * (len(unknown) + len(replaced))
    return (explained, rest) if is_storm else (replaced, unknown)


def _paired(
    gone: list[Known], unknown: list[Entry], feature: Callable[[Known | Entry], Hashable]
) -> tuple[list[tuple[Known, Entry]], list[Known], list[Entry]]:
    """Pair what has the same feature, where it is unique on both sides; and what is left of both."""
    if not gone or not unknown:
        return [], gone, unknown
    items = {feature(item): item for item in gone}
    unique = _once(map(feature, gone)) & _once(map(feature, unknown))
    pairs = [(items[feature(entry)], entry) for entry in unknown if feature(entry) in unique]
    taken = {item.key for item, _ in pairs}
    return (
        pairs,
        [item for item in gone if item.key not in taken],
        [entry for entry in unknown if feature(entry) not in unique],
    )


def _once(features: Iterable[Hashable]) -> set[Hashable]:
    return {feature for feature, count in Counter(features).items() if count == 1 and feature}
