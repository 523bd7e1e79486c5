"""Who may visit a host now: claims of sources under a lease, and turns at hosts for single requests.

All of a host belongs to one worker at a time, in whichever process it is: that is what a site notices.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, case, delete, func, or_, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from monitor.errors import Conflict
from monitor.store.events import record_event
from monitor.store.one_by_one import Turn, wait_for_turn
from monitor.store.sources import find_source
from monitor.store.tables import HostTurnRow, ItemRow, SourceRow
from monitor.store.upsert import insert_or_update
from monitor.store.visits import SourceState
from monitor.texts import marked as _


def ask_for_visit(session: Session, slug: str, *, lease: timedelta, actor: str, now: datetime) -> list[int]:
    """Have a source visited now: its id, claimed for the caller to visit, or none while its host rests.

    A host that was asked a moment ago is left alone: then the source is due, and the schedule visits it next.

    Raises:
        NotFound: There is no such source.
        Conflict: It is paused, or has ended.
    """
    row = find_source(session, slug)
    if row.state != "active":
        raise Conflict(_("source %(slug)s is %(state)s; resume it first", slug=slug, state=row.state))
    record_event(session, now, actor=actor, action=_("asked for a visit of"), noun="source", noun_id=slug)
    claimed = claim_due_sources(session, now, limit=1, per_host=1, lease=lease, slug=slug)
    if not claimed:
        waiting = update(SourceRow).where(col(SourceRow.id) == row.id, col(SourceRow.next_poll_at) > now)
        session.connection().execute(waiting.values(next_poll_at=now))
    return [source_id for ids in claimed.values() for source_id in ids]


def claim_due_sources(
    session: Session, now: datetime, *, limit: int, per_host: int, lease: timedelta, slug: str | None = None
) -> dict[str, list[int]]:
    """Take due sources, and lease them so that no other worker visits them meanwhile.

    They are taken host by host, since those of one host are visited over one connection; the host comes first of which
    a source has waited longest. The cap per host is applied before the limit: a host with a thousand due feeds cannot
    starve the others. A host of which some source is on lease is left alone: nobody else sends it requests.

    Args:
        session: An open writing transaction.
        now: The time by which a source must be due, aware UTC.
        limit: How many to take at most.
        per_host: How many of one host to take at most.
        lease: For how long the claim holds, should the worker die.
        slug: Take this source alone, due or not.

    Returns:
        The ids of the sources taken, by host.
    """
    wanted = col(SourceRow.slug) == slug if slug else col(SourceRow.next_poll_at) <= now
    return _claim(session, now, wanted, limit=limit, per_host=per_host, lease=lease)


def claim_for_articles(
    session: Session, now: datetime, *, limit: int, per_host: int, lease: timedelta
) -> dict[str, list[int]]:
    """Take sources with items whose pages are still to be read, as ``claim_due_sources`` does those to be visited."""
    waiting = select(ItemRow.id).where(ItemRow.source_id == SourceRow.id, ItemRow.article_state == "wanted").exists()
    rested = or_(col(SourceRow.articles_after).is_(None), col(SourceRow.articles_after) <= now)
    return _claim(session, now, and_(waiting, rested), limit=limit, per_host=per_host, lease=lease)


def claim_for_push(session: Session, source_id: int, now: datetime, *, lease: timedelta) -> bool:
    """Take a source to which something was pushed; where its host is being visited, it is due at once instead."""
    wanted = col(SourceRow.id) == source_id
    if _claim(session, now, wanted, limit=1, per_host=1, lease=lease):
        return True
    session.connection().execute(update(SourceRow).where(wanted).values(next_poll_at=now))
    return False


def _claim(
    session: Session, now: datetime, wanted: Any, *, limit: int, per_host: int, lease: timedelta
) -> dict[str, list[int]]:
    wait_for_turn(session, Turn.CLAIM)  # two claims at once could each take a source of one host
    leased = aliased(SourceRow)
    busy = select(leased.host).where(col(leased.lease_until) > now)
    in_turn = select(HostTurnRow.host).where(HostTurnRow.until > now)
    free_host = and_(col(SourceRow.host).not_in(busy), col(SourceRow.host).not_in(in_turn))
    due = and_(col(SourceRow.state) == "active", free_host, wanted)
    host, at = col(SourceRow.host), col(SourceRow.next_poll_at)
    rank = func.row_number().over(partition_by=host, order_by=at).label("rank")
    waiting_since = func.min(at).over(partition_by=host).label("waiting_since")
    ranked = select(col(SourceRow.id), host, rank, waiting_since).where(due).subquery()
    by_host = (ranked.c.waiting_since, ranked.c.host, ranked.c.rank)
    fair = select(ranked.c.id).where(ranked.c.rank <= per_host).order_by(*by_host).limit(limit)
    # Asked again while taking: on PostgreSQL another worker may have leased one between the two statements.
    free = or_(col(SourceRow.lease_until).is_(None), col(SourceRow.lease_until) <= now)
    taken = update(SourceRow).where(col(SourceRow.id).in_(fair), free).values(lease_until=now + lease)
    claimed: dict[str, list[int]] = {}
    rows: Any = session.connection().execute(taken.returning(col(SourceRow.id), col(SourceRow.host)))
    for source_id, host in rows:
        claimed.setdefault(host, []).append(source_id)
    return claimed


def release_leases(session: Session, sources: Sequence[SourceState], *, not_before: datetime | None = None) -> None:
    """Give claimed sources back unvisited, unless somebody else has claimed them meanwhile.

    Args:
        session: An open writing transaction.
        sources: The sources, as they were when they were claimed.
        not_before: Leave them alone until then, aware UTC; what is due later stays so.
    """
    if not sources:
        return
    due = col(SourceRow.next_poll_at)
    later = {"next_poll_at": case((due < not_before, not_before), else_=due)} if not_before else {}
    ours = and_(col(SourceRow.id) == bindparam("claimed"), col(SourceRow.lease_until) == bindparam("until"))
    rows = [{"claimed": source.id, "until": source.lease_until} for source in sources]
    session.connection().execute(update(SourceRow).where(ours).values(lease_until=None, **later), rows)


def take_turn(session: Session, host: str, now: datetime, *, until: datetime) -> bool:
    """Take a host for one request; False while somebody else is there, by such a turn or by the lease of a source.

    Args:
        session: An open writing transaction.
        host: A name or an address, in lower case.
        now: The present, aware UTC.
        until: When the turn ends, should whoever took it die.
    """
    wait_for_turn(session, Turn.CLAIM)
    leased = select(SourceRow.id).where(SourceRow.host == host, col(SourceRow.lease_until) > now)
    taken = select(HostTurnRow.host).where(HostTurnRow.host == host, HostTurnRow.until > now)
    if session.exec(leased.limit(1)).first() or session.exec(taken).first():
        return False
    insert_or_update(session, HostTurnRow, [{"host": host, "until": until}], unique=["host"])
    return True


def end_turn(session: Session, host: str, until: datetime, *, rested_at: datetime) -> None:
    """Give back a host that was taken ``until`` then, unless somebody else has it by now; first it is to rest."""
    ours = and_(col(HostTurnRow.host) == host, col(HostTurnRow.until) == until)
    session.connection().execute(update(HostTurnRow).where(ours).values(until=rested_at))


def prune_turns(session: Session, now: datetime) -> int:
    """Forget the turns that are over; the number forgotten."""
    return session.connection().execute(delete(HostTurnRow).where(col(HostTurnRow.until) <= now)).rowcount
