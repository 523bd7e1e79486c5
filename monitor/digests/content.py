"""What a digest says, as frozen values; ``render`` turns them into a mail and knows no database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from monitor.core.languages import Language


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of plain text; ``highlighted`` where it is what a watch found."""

    text: str
    highlighted: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A named address: the agency that published the same news elsewhere, say."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Twin:
    """The same news in another language, from the same agency."""

    language: Language
    headline: str
    url: str


@dataclass(frozen=True, slots=True)
class Story:
    """One piece of news under a topic.

    Attributes:
        headline: Plain text, in ``source_language``.
        url: Where it was published.
        agency: Who published it.
        country: An ISO 3166 code, ``INT`` or ``EU``.
        source_language: The language of headline and sentence, or None if it is not known.
        first_seen_at: When the service found it, aware UTC.
        published_at: When the source says it was published, aware UTC, or None.
        sentence: The sentence that matched, with the terms highlighted; empty if the headline is all there is.
        terms: What it matched on, such as ``("NORAD modernization",)``; tells the reader why it is here.
        score: 0 to 1; None where no score is given: a reader's own keyword is true of an item or not.
        also_from: The same news from other agencies.
        twin: The same news in the reader's language, when that is another.
    """

    headline: str
    url: str
    agency: str
    country: str
    source_language: Language | None
    first_seen_at: datetime
    published_at: datetime | None = None
    sentence: tuple[Span, ...] = ()
    terms: tuple[str, ...] = ()
    score: float | None = 1.0
    also_from: tuple[Link, ...] = ()
    twin: Twin | None = None


@dataclass(frozen=True, slots=True)
class Mention:
    """News that only names the topic in passing; folded into one line."""

    headline: str
    url: str
    agency: str
    language: Language | None = None


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A story that is told under another topic of the same digest: that topic's name, and the sentence on this one."""

    topic: str
    headline: str
    url: str
    language: Language | None = None
    sentence: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class TopicSection:
    """A topic with its stories, newest first.

    Attributes:
        id: The topic's id.
        name: Its name in the reader's language.
        stories: What is told here.
        passing: What only names the topic.
        elsewhere: What belongs here too but is told under another topic; ``repeats.tell_once`` fills it.
        more: How many stories the web copy alone shows.
        total: All stories of the topic in the window, wherever they are told.
    """

    id: str
    name: str
    stories: tuple[Story, ...]
    passing: tuple[Mention, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()
    more: int = 0
    total: int = field(init=False, repr=False, compare=False)
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # A section is looked up once a reader, and to hash all that it says takes longer than the rest of a digest.
        said = (self.id, self.name, self.stories, self.passing, self.elsewhere, self.more)
        object.__setattr__(self, "_hash", hash(said))
        object.__setattr__(self, "total", len(self.stories) + len(self.elsewhere) + self.more)

    def __hash__(self) -> int:
        return self._hash


@dataclass(frozen=True, slots=True)
class PillarSection:
    """A priority of the Roadmap with those of its topics that have news."""

    name: str
    topics: tuple[TopicSection, ...]


@dataclass(frozen=True, slots=True)
class ChangedStory:
    """A story of an earlier digest that its agency has since changed, or withdrawn."""

    headline: str
    url: str
    agency: str
    at: datetime
    withdrawn: bool = False
    language: Language | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """How well the window was watched, so that silence can be told from blindness.

    Attributes:
        checked: How many sources were visited in the window.
        failing: Names of those that could not be read.
        quiet: Names of those that published unusually little.
        silent_topics: Names of the reader's topics that had no news for 90 days.
    """

    checked: int
    failing: tuple[str, ...] = ()
    quiet: tuple[str, ...] = ()
    silent_topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sender:
    """Who mails: what CASL (Canada) and CAN-SPAM (United States) require every mail to say."""

    organisation: str
    postal_address: str
    contact: str


@dataclass(frozen=True, slots=True)
class DigestContent:
    """All that one digest says to one reader.

    Attributes:
        window_start: The start of the window, aware UTC.
        window_end: The end of the window, aware UTC.
        language: The reader's language.
        zone: The reader's IANA time zone; days are told in it.
        pillars: The news, in the order of the Roadmap.
        sender: Who mails.
        manage_url: Topics, schedule and language; signed for this reader, as are the next two.
        unsubscribe_url: A page with the one button that ends the subscription.
        web_url: The same digest in the browser, in full.
        changed: What became of the news of earlier digests.
        coverage: How well the window was watched, or None to leave it out.
        topics: The topics of all pillars, in order.
        total: All stories of the window, shown or not, each counted once.
    """

    window_start: datetime
    window_end: datetime
    language: Language
    zone: str
    pillars: tuple[PillarSection, ...]
    sender: Sender
    manage_url: str
    unsubscribe_url: str
    web_url: str
    changed: tuple[ChangedStory, ...] = ()
    coverage: Coverage | None = None
    topics: tuple[TopicSection, ...] = field(init=False, repr=False, compare=False)
    total: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        topics = tuple([topic for pillar in self.pillars for topic in pillar.topics])
        object.__setattr__(self, "topics", topics)
        object.__setattr__(self, "total", sum([len(topic.stories) + topic.more for topic in topics]))
