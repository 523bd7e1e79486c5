"""The tables: rows hold the state of everything (docs/tables.md tells each one in a line).

Every time is an aware UTC datetime. The unique keys are what makes each step of the flow safe to repeat.
SQLModel's table classes do not validate on init: values are checked at the edges, before they come here.
"""

from __future__ import annotations

from monitor.store.tables.installation import EventRow, KeptRow, SlotRow, TallyRow
from monitor.store.tables.items import ItemRow, RevisionRow, StoryRow
from monitor.store.tables.mail import (
    ChannelRow,
    DigestItemRow,
    DigestPersonalRow,
    DigestRow,
    LetterRow,
    Outgoing,
    PushRow,
)
from monitor.store.tables.matches import IS_NEWS, MatchRow, SavedViewRow, VerdictRow
from monitor.store.tables.sources import HostTurnRow, HubRow, PollRow, SourceRow
from monitor.store.tables.staff import ApiTokenRow, SignInRow, StaffRow, StaffSessionRow
from monitor.store.tables.subscribers import (
    AddressChangeRow,
    BounceRow,
    PersonalWatchRow,
    SignupRow,
    SubscriberRow,
    SubscriptionRow,
)
from monitor.store.tables.watchlist import PillarRow, TopicRow, WatchDraftRow, WatchRow, WatchVersionRow

__all__ = [
    "IS_NEWS",
    "AddressChangeRow",
    "ApiTokenRow",
    "BounceRow",
    "ChannelRow",
    "DigestItemRow",
    "DigestPersonalRow",
    "DigestRow",
    "EventRow",
    "HostTurnRow",
    "HubRow",
    "ItemRow",
    "KeptRow",
    "LetterRow",
    "MatchRow",
    "Outgoing",
    "PersonalWatchRow",
    "PillarRow",
    "PollRow",
    "PushRow",
    "RevisionRow",
    "SavedViewRow",
    "SignInRow",
    "SignupRow",
    "SlotRow",
    "SourceRow",
    "StaffRow",
    "StaffSessionRow",
    "StoryRow",
    "SubscriberRow",
    "SubscriptionRow",
    "TallyRow",
    "TopicRow",
    "VerdictRow",
    "WatchDraftRow",
    "WatchRow",
    "WatchVersionRow",
]
