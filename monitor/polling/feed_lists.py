"""Taking the feeds of an OPML list into the store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlmodel import Session, select

from monitor.core.languages import Language
from monitor.core.nouns import SourceKind, SourceSpec
from monitor.core.sources_file import check_country
from monitor.polling.examine import Offer, spec_of
from monitor.polling.opml import FeedList
from monitor.store.sources import store_new_source
from monitor.store.tables import SourceRow


def new_feeds(session: Session, listed: FeedList, *, country: str, language: Language) -> Iterator[SourceSpec]:
    """The sources that the feeds of a list would become, without those whose address is there already.

    Args:
        session: An open transaction.
        listed: The list.
        country: The country of all of them.
        language: The language of those that do not say.

    Raises:
        Refused: The country is none.
    """
    check_country(country)
    rows = session.exec(select(SourceRow.slug, SourceRow.url)).all()
    taken, known = {slug for slug, _ in rows}, {url for _, url in rows}
    for outline in listed.outlines:
        feed = Offer(outline.url, SourceKind.FEED, outline.folder or outline.title, outline.language, ())
        spec = spec_of(feed, agency="", country=country, language=outline.language or language, taken=taken)
        if spec is not None and spec.url not in known:
            taken.add(spec.slug)
            yield spec


def import_feeds(
    session: Session, listed: FeedList, *, country: str, language: Language, actor: str, now: datetime
) -> list[SourceSpec]:
    """Add the feeds of a list; those that are there already are left alone. What was added.

    Raises:
        Refused: The country is none.
    """
    added = list(new_feeds(session, listed, country=country, language=language))
    for spec in added:
        store_new_source(session, spec, actor=actor, now=now)
    return added
