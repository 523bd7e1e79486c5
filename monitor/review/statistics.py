"""How reviewing goes: precision of each watch, agreement, backlog, time to review, over a stretch of days."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations
from math import sqrt
from statistics import quantiles

from sqlmodel import Session

from monitor.review.filters import Word
from monitor.store.review_figures import Judged, Said, first_judged, judged_matches, open_by_topic, said_by_reviewers

MOST_READ = 20_000
"""Of the verdicts of a stretch of days, the latest so many are read."""


@dataclass(frozen=True, slots=True)
class Precision:
    """How much of what a watch found was found relevant; ``least`` is the lower end of the 95 % interval (Wilson)."""

    topic: str
    watch: str
    judged: int
    relevant: int
    least: float

    @property
    def share(self) -> float:
        """The part that is relevant."""
        return self.relevant / self.judged


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often two reviewers who judged the same match said the same; ``kappa`` is that beyond chance (Scott's pi)."""

    pairs: int
    agreed: int
    kappa: float | None

    @property
    def share(self) -> float | None:
        """The part of the pairs that agree; None where there are no pairs."""
        return self.agreed / self.pairs if self.pairs else None


@dataclass(frozen=True, slots=True)
class Statistics:
    """The figures of the last ``days`` days.

    Attributes:
        days: How many days.
        precision: Of each watch whose finds were judged, the least precise first.
        agreement: Between reviewers.
        backlog: Matches worth a digest that nobody has judged, by topic.
        judged: How many matches each reviewer judged.
        usual: How long a match waited for its first verdict, in the middle.
        slow: The time within which nine of ten got theirs.
    """

    days: int
    precision: tuple[Precision, ...]
    agreement: Agreement
    backlog: Mapping[str, int]
    judged: Mapping[str, int]
    usual: timedelta | None
    slow: timedelta | None


def review_statistics(session: Session, now: datetime, *, days: int = 90) -> Statistics:
    """The figures of the last days, from at most ``MOST_READ`` verdicts."""
    since = now - timedelta(days=days)
    said = said_by_reviewers(session, since, limit=MOST_READ)
    waits = sorted(first.at - first.seen_at for first in first_judged(session, since, limit=MOST_READ))
    return Statistics(
        days=days,
        precision=precision_of_watches(judged_matches(session, since, limit=MOST_READ)),
        agreement=agreement_of(said),
        backlog=open_by_topic(session, since),
        judged=dict(Counter(one.reviewer for one in said).most_common()),
        usual=_tenths(waits, 5),
        slow=_tenths(waits, 9),
    )


def precision_of_watches(matches: Iterable[Judged]) -> tuple[Precision, ...]:
    """The precision of each watch, by the matches that it gave evidence for; the least precise first."""
    counts: dict[tuple[str, str], Counter[bool]] = defaultdict(Counter)
    for match in matches:
        for watch in match.watches:
            counts[match.topic, watch][is_relevant(match.word)] += 1
    found = (_precision(topic, watch, count[True], count.total()) for (topic, watch), count in counts.items())
    return tuple(sorted(found, key=lambda one: (one.share, -one.judged, one.topic, one.watch)))


def is_relevant(word: str) -> bool:
    """Whether a verdict says that the match is what the topic is about."""
    return word != Word.NOISE


def agreement_of(said: Iterable[Said]) -> Agreement:
    """The agreement of all pairs of reviewers on the matches that both judged, by what each said last."""
    by_match: dict[int, dict[str, bool]] = defaultdict(dict)
    for one in said:
        by_match[one.match_id][one.reviewer] = is_relevant(one.word)
    pairs = [pair for words in by_match.values() for pair in combinations(words.values(), 2)]
    agreed = sum(first == second for first, second in pairs)
    return Agreement(len(pairs), agreed, _kappa(pairs, agreed))


def _kappa(pairs: Sequence[tuple[bool, bool]], agreed: int) -> float | None:
    if not pairs:
        return None
    yes = sum(first + second for first, second in pairs) / (2 * len(pairs))
    chance = yes**2 + (1 - yes) ** 2
    return None if chance == 1 else (agreed / len(pairs) - chance) / (1 - chance)


def _precision(topic: str, watch: str, relevant: int, judged: int) -> Precision:
    return Precision(topic, watch, judged, relevant, wilson(relevant, judged))


def wilson(hits: int, tries: int) -> float:
    """The lower end of Wilson's interval for a share: of 1 hit in 1 try it is 0.21, of 100 in 100 it is 0.96."""
    share, z = hits / tries, 1.96
    middle = share + z * z / (2 * tries)
    spread = z * sqrt(share * (1 - share) / tries + z * z / (4 * tries * tries))
    return (middle - spread) / (1 + z * z / tries)


def _tenths(waits: Sequence[timedelta], tenths: int) -> timedelta | None:
    """The time within which so many tenths of the waits were over."""
    if len(waits) < 2:
        return waits[0] if waits else None
    seconds = [wait.total_seconds() for wait in waits]
    return timedelta(seconds=quantiles(seconds, n=10, method="inclusive")[tenths - 1])
