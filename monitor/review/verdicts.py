"""Judging matches: one or many at a stroke, with a note, and back again."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import Session

from monitor.core.roles import Role, role_of
from monitor.errors import NotFound, Refused
from monitor.review.filters import Word
from monitor.store.events import record_event
from monitor.store.staff import find_staff
from monitor.store.verdicts import add_verdicts, delete_verdicts, known_matches, last_batch, latest_verdicts
from monitor.store.verdicts import assign as write_assignee
from monitor.texts import marked as _

MOST_AT_ONCE = 1_000
LONGEST_NOTE = 2_000
UNDO_WITHIN = timedelta(hours=12)


def judge(
    session: Session, ids: Sequence[int], word: str, *, reviewer: str, now: datetime, note: str | None = None
) -> list[int]:
    """Give matches a verdict, all at one stroke; those that really are there.

    Args:
        session: An open writing transaction.
        ids: Which matches.
        word: The verdict, or empty to leave what was said before and only note something.
        reviewer: Who says so.
        now: The present, aware UTC.
        note: Why; None keeps the note that is there.

    Raises:
        Refused: There are too many matches, no such verdict, or the note is too long.
        NotFound: None of the matches exists.
    """
    _check(ids, word, note)
    known = known_matches(session, list(dict.fromkeys(ids)))
    if not known:
        raise NotFound(_("There is no such match."))
    notes = {} if note is not None else latest_verdicts(session, list(known))
    batch = secrets.token_hex(8)
    rows = [
        {
            "match_id": match_id,
            "reviewer": reviewer,
            "word": word or before,
            "note": notes[match_id].note if match_id in notes else (note or "").strip(),
            "at": now,
            "batch": batch,
        }
        for match_id, before in known.items()
    ]
    add_verdicts(session, rows)
    return list(known)


def undo(session: Session, *, reviewer: str, now: datetime) -> list[int]:
    """Take back what a reviewer said last, all of the stroke; the matches that it was about, none where there is none.

    What was said before counts again. Only the last hours can be undone: a verdict of last week is not a slip.
    """
    last = last_batch(session, reviewer, now - UNDO_WITHIN)
    matches = [match_id for _id, match_id in last]
    if matches:
        delete_verdicts(session, [verdict_id for verdict_id, _match in last], matches)
        detail = {"matches": matches[:100], "count": len(matches)}
        record_event(session, now, actor=reviewer, action=_("undone"), noun="verdict", noun_id="", detail=detail)
    return matches


def assign(session: Session, ids: Sequence[int], assignee: str, *, actor: str, now: datetime) -> int:
    """Say who is to judge matches, nobody where empty; how many there are of these.

    Raises:
        Refused: There are too many, or the assignee is not on the staff or may not judge.
    """
    _check(ids, "", None)
    person = find_staff(session, assignee) if assignee else None
    if assignee and (person is None or role_of(person.role) < Role.REVIEWER):
        raise Refused(
            _(
                "assignee %(assignee)s: nobody of this address may review; `monitor staff list` lists them",
                assignee=repr(assignee),
            )
        )
    count = write_assignee(session, list(ids), assignee)
    detail = {"to": assignee, "count": count}
    record_event(session, now, actor=actor, action=_("assigned"), noun="match", noun_id="", detail=detail)
    return count


def _check(ids: Sequence[int], word: str, note: str | None) -> None:
    if not 0 < len(ids) <= MOST_AT_ONCE:
        raise Refused(_("ids: %(count)s matches; name from 1 to %(most)s", count=len(ids), most=MOST_AT_ONCE))
    if word and word not in set(Word):
        raise Refused(_("word %(word)s: write one of %(known)s", word=repr(word[:40]), known=", ".join(Word)))
    if note and (len(note) > LONGEST_NOTE or not note.replace("\n", "").replace("\r", "").isprintable()):
        raise Refused(_("note: write at most %(most)s characters that can be seen", most=LONGEST_NOTE))
