"""The tables: rows hold the state of everything (docs/tables.md tells each one in a line).

Every time is an aware UTC datetime. The unique keys are what makes each step of the flow safe to repeat.
SQLModel's table classes do not validate on init: values are checked at the edges, before they come here.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, Column, Computed, Index, MetaData, Text, TypeDecorator, UniqueConstraint, text
from sqlmodel import Field, SQLModel
from sqlmodel.sql.sqltypes import UTCDateTime

from monitor.texts import pack, unpack

SQLModel.metadata.naming_convention = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
).naming_convention


# Links in mails name rows by id. SQLite gives the id of a deleted last row to the next one, unless told not to:
# an old link would then open somebody else's subscription.
_NEVER_REUSED = {"sqlite_autoincrement": True}


class Said(TypeDecorator[str]):
    """A text of ours as ``texts.pack`` keeps it: whoever reads the row can say it in any language."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:  # noqa: ARG002 (SQLAlchemy's signature)
        """What the row holds."""
        return None if value is None else pack(value)

    def process_result_value(self, value: str | None, dialect: Any) -> str | None:  # noqa: ARG002 (SQLAlchemy's signature)
        """The text again."""
        return None if value is None else unpack(value)


def _json(default: str) -> Column[Any]:
    return Column(JSON, nullable=False, server_default=text(f"'{default}'"))


class PillarRow(SQLModel, table=True):
    """One of the Roadmap's six priorities."""

    __tablename__ = "pillar"

    id: str = Field(primary_key=True)
    position: int
    names: dict[str, str] = Field(sa_column=_json("{}"))
    applied_hash: str = ""


class TopicRow(SQLModel, table=True):
    """Something a person can follow, in one pillar."""

    __tablename__ = "topic"

    id: str = Field(primary_key=True)
    pillar_id: str = Field(foreign_key="pillar.id", index=True)
    position: int
    names: dict[str, str] = Field(sa_column=_json("{}"))
    threshold: float
    needs_neighbours: bool
    active: bool = True
    applied_hash: str = ""


class WatchRow(SQLModel, table=True):
    """One query that finds items for a topic; ``applied_hash`` is the config file's content last applied."""

    __tablename__ = "watch"
    __table_args__ = (UniqueConstraint("topic_id", "key"),)

    id: int | None = Field(default=None, primary_key=True)
    topic_id: str = Field(foreign_key="topic.id")
    key: str
    position: int
    language: str
    query: str = Field(sa_type=Text)
    note: str = Field(sa_type=Text)
    version: int = 1
    active: bool = True
    updated_at: datetime
    applied_hash: str = ""


class WatchVersionRow(SQLModel, table=True):
    """A watch as it was from a time on, and who made it so; the latest is what the watch is now.

    ``reason`` is empty for an edit, ``retired``, or ``rolled back to 3``.
    """

    __tablename__ = "watch_version"
    __table_args__ = (UniqueConstraint("watch_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    watch_id: int = Field(foreign_key="watch.id", ondelete="CASCADE")
    number: int
    language: str
    query: str = Field(sa_type=Text)
    note: str = Field(sa_type=Text)
    active: bool
    actor: str
    at: datetime
    reason: str = ""


class WatchDraftRow(SQLModel, table=True):
    """A watch as an editor would have it, before it is published; ``based_on`` is the version that was live, or 0."""

    __tablename__ = "watch_draft"
    __table_args__ = (UniqueConstraint("topic_id", "key"),)

    id: int | None = Field(default=None, primary_key=True)
    topic_id: str = Field(foreign_key="topic.id")
    key: str
    language: str
    query: str = Field(sa_type=Text)
    note: str = Field(sa_type=Text)
    based_on: int
    actor: str
    updated_at: datetime


class SourceRow(SQLModel, table=True):
    """A feed, or a page without a feed, of one agency in one language, with the state of its polling.

    ``asked`` is how often the feed asked to be visited when it was last read; a 304 does not repeat it.
    """

    __tablename__ = "source"
    __table_args__: ClassVar[Any] = (
        Index(
            "ix_source_due",
            "next_poll_at",
            sqlite_where=text("state = 'active'"),
            postgresql_where=text("state = 'active'"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    slug: str = Field(unique=True)
    url: str = Field(unique=True, sa_type=Text)
    host: str = Field(index=True)
    agency: str
    country: str
    language: str
    kind: str
    selectors: dict[str, str] = Field(sa_column=_json("{}"))
    last_verified: str = ""
    note: str = Field(default="", sa_type=Text)
    applied_hash: str = ""

    state: str = "active"
    etag: str | None = None
    last_modified: str | None = None
    body_hash: str | None = None
    asked: dict[str, Any] = Field(sa_column=_json("{}"))
    permanent_url_seen: str | None = Field(default=None, sa_type=Text)
    permanent_url_count: int = 0
    next_poll_at: datetime
    lease_until: datetime | None = None
    interval_seconds: int
    failures: int = 0
    health: str = "new"
    last_error: str = Field(default="", sa_type=Said)
    added_at: datetime
    last_polled_at: datetime | None = None
    last_success_at: datetime | None = None
    articles_after: datetime | None = None
    told_at: datetime | None = None
    told_count: int = 0


class PollRow(SQLModel, table=True):
    """One visit to a source and what came of it."""

    __tablename__ = "poll"
    __table_args__ = (Index("ix_poll_source_id_started_at", "source_id", "started_at"),)

    id: int | None = Field(default=None, primary_key=True)
    source_id: int = Field(foreign_key="source.id", ondelete="CASCADE")
    started_at: datetime = Field(index=True)
    duration_ms: int
    outcome: str
    detail: str = Field(default="", sa_type=Said)
    http_status: int | None = None
    body_bytes: int = 0
    entries: int = 0
    new_items: int = 0
    changed_items: int = 0
    overlap: float | None = None


class HubRow(SQLModel, table=True):
    """The hub that pushes what a source publishes (WebSub): ``offered``, ``asked``, ``active`` or ``refused``.

    It calls back under ``token`` and signs what it pushes with ``secret``. ``ask_at`` is when it is to be asked next,
    first or again.
    """

    __tablename__ = "hub"

    id: int | None = Field(default=None, primary_key=True)
    source_id: int = Field(foreign_key="source.id", unique=True, ondelete="CASCADE")
    hub: str = Field(sa_type=Text)
    topic: str = Field(sa_type=Text)
    token: str = Field(unique=True)
    secret: str
    state: str = "offered"
    ask_at: datetime = Field(index=True)
    expires_at: datetime | None = None
    pushed_at: datetime | None = None
    last_error: str = Field(default="", sa_type=Text)


class StoryRow(SQLModel, table=True):
    """The items that tell the same news; they name it, and the first published leads."""

    __tablename__ = "story"

    id: int | None = Field(default=None, primary_key=True)
    created_at: datetime


class ItemRow(SQLModel, table=True):
    """One publication found at a source.

    ``matched_revision`` is the last revision that the watchlist has seen: an item with
    ``matched_revision < revision`` waits for matching, whatever happened to the process that should have done it.
    ``article_state`` is ``wanted`` while its page is still to be read for the full text, then ``read`` or ``failed``;
    ``none`` where the feed gives the text itself. ``revised_at`` is when the present text was first seen.
    ``fingerprint`` is that of the entry as last written, by which it is known again without being read. ``news_at``
    is the time that people sort it by: when it was published or, where its source does not tell, first seen.
    """

    __tablename__ = "item"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("source_id", "key"),
        Index("ix_item_source_id_id", "source_id", "id"),
        Index("ix_item_news_at_id", "news_at", "id"),
        Index(
            "ix_item_wanted",
            "source_id",
            sqlite_where=text("article_state = 'wanted'"),
            postgresql_where=text("article_state = 'wanted'"),
        ),
        Index(
            "ix_item_unmatched",
            "id",
            sqlite_where=text("matched_revision < revision"),
            postgresql_where=text("matched_revision < revision"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    source_id: int = Field(foreign_key="source.id")
    key: str = Field(sa_type=Text)
    url: str = Field(sa_type=Text, index=True)
    title: str = Field(sa_type=Text)
    summary: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text)
    language: str
    categories: list[str] = Field(sa_column=_json("[]"))
    published_at: datetime | None = None
    first_seen_at: datetime = Field(index=True)
    revised_at: datetime
    content_hash: str = Field(index=True)
    fingerprint: str = ""
    revision: int = 1
    matched_revision: int = 0
    story_id: int | None = Field(default=None, foreign_key="story.id", index=True)
    article_state: str = "none"
    article_fetched_at: datetime | None = None
    article_hash: str = ""
    canonical_url: str = Field(default="", sa_type=Text)
    twins: dict[str, str] = Field(sa_column=_json("{}"))
    missed_at: datetime | None = None
    withdrawn_at: datetime | None = None
    news_at: datetime | None = Field(
        default=None, sa_column=Column(UTCDateTime(), Computed("coalesce(published_at, first_seen_at)"))
    )


class RevisionRow(SQLModel, table=True):
    """An item's text as last seen at a time, and when it was found to have been replaced."""

    __tablename__ = "revision"
    __table_args__ = (UniqueConstraint("item_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    item_id: int = Field(foreign_key="item.id", ondelete="CASCADE")
    number: int
    seen_at: datetime
    replaced_at: datetime = Field(index=True)
    title: str = Field(sa_type=Text)
    summary: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text)
    published_at: datetime | None = None
    content_hash: str


IS_NEWS = "worthy AND verdict <> 'noise' AND lost_at IS NULL"
"""What makes a match news, to be told to anybody: enough of it, not called noise, and still found by the watchlist."""

_FILTERED = ("language", "score", "worthy", "item_id")
"""What the filters of the match log look at besides topic, source and verdict."""


def _only(condition: str) -> dict[str, Any]:
    """What makes an index partial."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


class MatchRow(SQLModel, table=True):
    """An item's match with a topic; ``evidence`` lists watch, version, term, field, start and end.

    ``source_id``, ``news_at`` and ``language`` are the item's, ``verdict`` is the word of the latest verdict (empty for
    none): pages of a million matches are found and counted in an index. ``assignee`` is the address of whoever is to
    judge it. ``lost_at`` is since when the watchlist finds it no more: it is kept for its verdicts, or for the ledger.
    """

    __tablename__ = "match"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("item_id", "topic_id"),
        Index("ix_match_topic_id_id", "topic_id", "id"),
        Index("ix_match_news", "news_at", "id", **_only(IS_NEWS)),
        Index(
            "ix_match_topic_news",
            "topic_id",
            "news_at",
            "id",
            "source_id",
            **_only(IS_NEWS),
        ),
        # The match log walks one of these, the most selective, and finds all that a filter asks for in it.
        Index("ix_match_log", "news_at", "id", "topic_id", "source_id", "verdict", *_FILTERED),
        Index("ix_match_log_topic", "topic_id", "news_at", "id", "source_id", "verdict", *_FILTERED),
        Index("ix_match_log_source", "source_id", "news_at", "id", "topic_id", "verdict", *_FILTERED),
        Index(
            "ix_match_log_verdict",
            "verdict",
            "news_at",
            "id",
            "topic_id",
            "source_id",
            *_FILTERED,
            **_only("verdict <> ''"),
        ),
        Index("ix_match_log_assignee", "assignee", "news_at", "id", **_only("assignee <> ''")),
    )

    id: int | None = Field(default=None, primary_key=True)
    item_id: int = Field(foreign_key="item.id", ondelete="CASCADE")
    topic_id: str = Field(foreign_key="topic.id")
    score: float
    worthy: bool
    evidence: list[dict[str, Any]] = Field(sa_column=_json("[]"))
    item_revision: int
    watchlist_version: str
    matched_at: datetime
    source_id: int = Field(foreign_key="source.id")
    news_at: datetime
    language: str = Field(default="", sa_column_kwargs={"server_default": ""})
    verdict: str = Field(default="", sa_column_kwargs={"server_default": ""})
    assignee: str = Field(default="", sa_column_kwargs={"server_default": ""})
    lost_at: datetime | None = None


class VerdictRow(SQLModel, table=True):
    """A reviewer's word on a match: ``relevant``, ``noise`` or ``starred``; of several, the latest counts.

    ``word`` is empty for a note on a match that nobody has judged. ``batch`` names what was done at one stroke, so that
    it can be undone at one stroke.
    """

    __tablename__ = "verdict"
    __table_args__ = (
        Index("ix_verdict_match_id_id", "match_id", "id"),
        Index("ix_verdict_reviewer_id", "reviewer", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    match_id: int = Field(foreign_key="match.id", ondelete="CASCADE")
    reviewer: str
    word: str
    note: str = Field(default="", sa_type=Text)
    at: datetime = Field(index=True)
    batch: str = ""


class SavedViewRow(SQLModel, table=True):
    """A filter of the match log under a name, of one person; ``query`` is its query string."""

    __tablename__ = "saved_view"
    __table_args__ = (UniqueConstraint("owner", "name"), _NEVER_REUSED)

    id: int | None = Field(default=None, primary_key=True)
    owner: str
    name: str
    query: str = Field(sa_type=Text)
    saved_at: datetime


class SubscriberRow(SQLModel, table=True):
    """A person with an address; ``digested_until`` ends the last window; none before the first.

    ``state`` is ``active``, ``unsubscribed`` or ``suppressed`` (mail to the address bounces); who has not
    confirmed yet is a ``signup``. ``link_generation`` rises when the address changes: links in older mails are void.
    """

    __tablename__ = "subscriber"
    __table_args__: ClassVar[Any] = (
        Index(
            "ix_subscriber_due",
            "next_digest_at",
            sqlite_where=text("state = 'active'"),
            postgresql_where=text("state = 'active'"),
        ),
        _NEVER_REUSED,
    )

    id: int | None = Field(default=None, primary_key=True)
    address: str = Field(unique=True)
    state: str
    language: str
    frequency: str
    weekday: int
    hour: int
    zone: str
    created_at: datetime
    confirmed_at: datetime | None = None
    consent: dict[str, str] = Field(sa_column=_json("{}"))
    digested_until: datetime | None = None
    next_digest_at: datetime
    paused_until: datetime | None = None
    link_generation: int = 1


class SubscriptionRow(SQLModel, table=True):
    """A topic that a subscriber chose."""

    __tablename__ = "subscription"

    subscriber_id: int = Field(foreign_key="subscriber.id", primary_key=True, ondelete="CASCADE")
    topic_id: str = Field(foreign_key="topic.id", primary_key=True)


class Outgoing(SQLModel):
    """What the rows of all kinds of mail have in common: the state of their delivery.

    ``state`` runs ``built`` → ``sending`` → ``sent`` or ``failed``; ``cancelled`` where nobody may get it any more,
    ``bounced`` where it came back after it had been sent. ``first_attempt_at`` is what retries are counted from: the
    days that a mail waited for a service that was down, or paused, are not held against it.
    """

    state: str
    message_id: str = Field(unique=True)
    subject: str = Field(default="", sa_type=Text)
    built_at: datetime
    attempts: int = 0
    next_attempt_at: datetime
    first_attempt_at: datetime | None = None
    sent_at: datetime | None = None
    last_error: str = Field(default="", sa_type=Said)


def _due_index(table: str) -> Index:
    waiting = text("state IN ('built', 'sending')")
    return Index(f"ix_{table}_due", "next_attempt_at", sqlite_where=waiting, postgresql_where=waiting)


class DigestRow(Outgoing, table=True):
    """One e-mail of one subscriber for one window of time; its state is ``empty`` when the window held nothing."""

    __tablename__ = "digest"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("subscriber_id", "window_end"),
        _due_index("digest"),
        _NEVER_REUSED,
    )

    id: int | None = Field(default=None, primary_key=True)
    subscriber_id: int = Field(foreign_key="subscriber.id", ondelete="CASCADE")
    window_start: datetime
    window_end: datetime


class DigestItemRow(SQLModel, table=True):
    """The ledger: which match went to whom, in which digest."""

    __tablename__ = "digest_item"
    __table_args__: ClassVar[Any] = {"sqlite_with_rowid": False}  # the key is all that a row holds

    digest_id: int = Field(foreign_key="digest.id", primary_key=True, ondelete="CASCADE")
    match_id: int = Field(foreign_key="match.id", primary_key=True, index=True)


class DigestPersonalRow(SQLModel, table=True):
    """The ledger of a subscriber's own keywords: which item went to them for which, as the keyword was then."""

    __tablename__ = "digest_personal"

    digest_id: int = Field(foreign_key="digest.id", primary_key=True, ondelete="CASCADE")
    item_id: int = Field(foreign_key="item.id", primary_key=True, index=True)
    watch_id: int = Field(primary_key=True)
    query: str = Field(sa_type=Text)
    evidence: list[dict[str, Any]] = Field(sa_column=_json("[]"))


class PersonalWatchRow(SQLModel, table=True):
    """A keyword of a subscriber's own, in the query language of the watches."""

    __tablename__ = "personal_watch"
    __table_args__ = (UniqueConstraint("subscriber_id", "language", "query"), _NEVER_REUSED)

    id: int | None = Field(default=None, primary_key=True)
    subscriber_id: int = Field(foreign_key="subscriber.id", ondelete="CASCADE")
    language: str
    query: str = Field(sa_type=Text)
    created_at: datetime


class SignupRow(SQLModel, table=True):
    """A request to subscribe that waits for its confirmation: one an address and day, the latest choice counts."""

    __tablename__ = "signup"
    __table_args__ = (UniqueConstraint("address", "day"), _NEVER_REUSED)

    id: int | None = Field(default=None, primary_key=True)
    address: str
    day: date
    choice: dict[str, Any] = Field(sa_column=_json("{}"))
    consent: dict[str, str] = Field(sa_column=_json("{}"))
    requested_at: datetime = Field(index=True)
    confirmed_at: datetime | None = None


class AddressChangeRow(SQLModel, table=True):
    """A subscriber's wish to get their mail elsewhere; done when both addresses have confirmed it."""

    __tablename__ = "address_change"
    __table_args__: ClassVar[Any] = (_NEVER_REUSED,)

    id: int | None = Field(default=None, primary_key=True)
    subscriber_id: int = Field(foreign_key="subscriber.id", ondelete="CASCADE", index=True)
    new_address: str
    requested_at: datetime
    old_confirmed_at: datetime | None = None
    new_confirmed_at: datetime | None = None


class LetterRow(Outgoing, table=True):
    """A mail for one occasion: a confirmation, a link. What it says follows from ``kind`` and ``payload`` when sent."""

    __tablename__ = "letter"
    __table_args__: ClassVar[Any] = (_due_index("letter"), _NEVER_REUSED)

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    address: str = Field(index=True)
    subscriber_id: int | None = Field(default=None, foreign_key="subscriber.id", ondelete="CASCADE", index=True)
    language: str
    payload: dict[str, Any] = Field(sa_column=_json("{}"))


class ChannelRow(SQLModel, table=True):
    """An address that is told of news as it comes in: a webhook of somebody's program, or a chat (a secret then).

    ``secret`` signs what a program is sent. ``topics`` are those that it is told of; none for all.
    """

    __tablename__ = "channel"
    __table_args__: ClassVar[Any] = (_NEVER_REUSED,)

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    url: str = Field(sa_type=Text)
    secret: str
    topics: list[str] = Field(sa_column=_json("[]"))
    active: bool = True
    created_at: datetime


class PushRow(Outgoing, table=True):
    """A match that a channel is told of; the log of what was sent where, and what became of it."""

    __tablename__ = "push"
    __table_args__: ClassVar[Any] = (UniqueConstraint("channel_id", "match_id"), _due_index("push"), _NEVER_REUSED)

    id: int | None = Field(default=None, primary_key=True)
    channel_id: int = Field(foreign_key="channel.id", ondelete="CASCADE")
    match_id: int = Field(foreign_key="match.id", ondelete="CASCADE", index=True)


class BounceRow(SQLModel, table=True):
    """A subscriber's mail that came back: ``hard``, ``soft`` or a ``complaint``.

    ``reference`` names the mail as its return path does; ``fingerprint`` is that of the report: one that is read twice
    counts once.
    """

    __tablename__ = "bounce"

    id: int | None = Field(default=None, primary_key=True)
    subscriber_id: int = Field(foreign_key="subscriber.id", ondelete="CASCADE", index=True)
    at: datetime
    kind: str
    reference: str
    detail: str = Field(sa_type=Text)
    fingerprint: str = Field(unique=True)


class TallyRow(SQLModel, table=True):
    """How often something was asked for in a stretch of time, for the limits of the public forms."""

    __tablename__ = "tally"

    name: str = Field(primary_key=True)
    starts_at: datetime = Field(primary_key=True, index=True)
    count: int


class HostTurnRow(SQLModel, table=True):
    """A host that somebody asks for something, or that rests after that; then nobody else does."""

    __tablename__ = "host_turn"

    host: str = Field(primary_key=True)
    until: datetime


class SlotRow(SQLModel, table=True):
    """A tick of the schedule that has fired; it fires once however many schedulers run."""

    __tablename__ = "slot"

    job: str = Field(primary_key=True)
    scheduled_at: datetime = Field(primary_key=True)
    fired_at: datetime


class EventRow(SQLModel, table=True):
    """The audit trail: who changed a watch, a source or a subscriber, and when."""

    __tablename__ = "event"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(index=True)
    actor: str
    action: str
    noun: str
    noun_id: str
    detail: dict[str, Any] = Field(sa_column=_json("{}"))


class KeptRow(SQLModel, table=True):
    """A fact about the installation itself, by name, such as the version of the watchlist last matched with."""

    __tablename__ = "kept"

    name: str = Field(primary_key=True)
    value: str = Field(sa_type=Text)


class StaffRow(SQLModel, table=True):
    """A person who works with the service, with a role (``monitor.core.roles``); they sign in through their address."""

    __tablename__ = "staff"
    __table_args__: ClassVar[Any] = (_NEVER_REUSED,)

    id: int | None = Field(default=None, primary_key=True)
    address: str = Field(unique=True)
    role: str
    added_at: datetime


class SignInRow(SQLModel, table=True):
    """A request to sign in; its id travels signed in a link, which works once and not for long.

    ``role`` is empty, but for the link that makes the first operator. ``next`` is the page that was asked for.
    """

    __tablename__ = "sign_in"
    __table_args__: ClassVar[Any] = (_NEVER_REUSED,)

    id: int | None = Field(default=None, primary_key=True)
    address: str
    role: str = ""
    next: str = Field(default="/", sa_type=Text)
    requested_at: datetime = Field(index=True)
    expires_at: datetime
    used_at: datetime | None = None


class StaffSessionRow(SQLModel, table=True):
    """A browser in which somebody of the staff is signed in; of the cookie only a hash is kept."""

    __tablename__ = "staff_session"
    __table_args__: ClassVar[Any] = (_NEVER_REUSED,)

    id: int | None = Field(default=None, primary_key=True)
    staff_id: int = Field(foreign_key="staff.id", ondelete="CASCADE", index=True)
    token_hash: str = Field(unique=True)
    device: str = ""
    created_at: datetime
    seen_at: datetime
    expires_at: datetime = Field(index=True)


class ApiTokenRow(SQLModel, table=True):
    """A key with which a program acts for somebody of the staff, with this role at most; only a hash is kept."""

    __tablename__ = "api_token"
    __table_args__: ClassVar[Any] = (_NEVER_REUSED,)

    id: int | None = Field(default=None, primary_key=True)
    staff_id: int = Field(foreign_key="staff.id", ondelete="CASCADE", index=True)
    name: str
    role: str
    token_hash: str = Field(unique=True)
    created_at: datetime
    used_at: datetime | None = None
