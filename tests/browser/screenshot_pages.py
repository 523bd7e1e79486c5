"""Which pages ``screenshots.py`` takes, where they are in the demo's installation, and what is done on them first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from playwright.sync_api import Page
from sqlmodel import Session, col, select, update

from monitor.app import App
from monitor.clock import utc_now
from monitor.core.languages import Language
from monitor.core.nouns import Watch
from monitor.core.roles import Role
from monitor.core.schedule import Schedule
from monitor.delivery.outbox import Outbox
from monitor.staff.people import add_staff
from monitor.staff.sign_in import Opened, printed_link, sign_in
from monitor.store.signups import save_signup
from monitor.store.staff import load_staff
from monitor.store.tables import DigestRow, ItemRow, LetterRow, MatchRow, SignInRow, SourceRow, SubscriberRow, WatchRow
from monitor.store.watch_drafts import save_draft
from monitor.subscriptions.address import request_address_change, waiting_change
from monitor.subscriptions.choices import Choice
from monitor.subscriptions.keywords import add_keyword
from monitor.subscriptions.links import Doors
from monitor.texts import Text
from monitor.tokens import Purpose
from monitor.web.access import declared_routes
from monitor.web.app import create_web

OPERATOR = "operator@example.org"
LANGUAGES = (Language.EN, Language.FR)
NO_PAGES = ("/api", "/static", "/healthz", "/readyz", "/metrics", "/openapi", "/websub")
NO_PAGE_ENDS = ("/export", ".opml", ".toml", ".{kind}", ".ris", ".bib", "/counts", "/progress", "/html")
"""What routes give that is no page: downloads, feeds, parts of pages, and mails in a frame."""

SAMPLE = (
    "Canada and the United States modernize NORAD\n"
    "Ministers announced today that over-the-horizon radars in the Arctic will be built by 2028. They also "
    "discussed the North Warning System."
)


@dataclass(frozen=True)
class Shown:
    """A page to be taken in one language, after something was done on it; ``cookie`` is that of an operator."""

    name: str
    path: str
    language: str
    cookie: str = ""
    act: Callable[[Page], None] | None = None


def press(page: Page) -> None:
    """Press the first button of the page."""
    page.locator("main form button").first.click()


def mistake(page: Page) -> None:
    """Send the sign-up form with mistakes."""
    page.fill("#address", "claire.lefebvre")
    page.check("input[name=scope][value=some]")
    page.click("main form button[type=submit]")


def sign_up(page: Page) -> None:
    """Send the sign-up form as it should be."""
    page.fill("#address", "claire.lefebvre@example.org")
    page.click("main form button[type=submit]")


def try_keyword(page: Page) -> None:
    """Try a keyword in the preferences."""
    page.fill("#query", "hydrogen OR hydrogène")
    page.click("button[value=keyword-preview]")


def preview(page: Page) -> None:
    """Type into the editor of a watch, and wait for the preview."""
    page.fill("#query", 'norad OR "over the horizon radar" OR arctic')
    page.wait_for_timeout(2_500)


def misspell(page: Page) -> None:
    """Type a query that cannot be understood."""
    page.fill("#query", "norad AND (radar")
    page.wait_for_timeout(2_000)


def try_on_text(page: Page) -> None:
    """Test the watch on a pasted text."""
    page.click("details:has(#sample) summary")
    page.fill("#sample", SAMPLE)
    page.click("button[value=test]")
    page.wait_for_timeout(1_500)


Act = Callable[[Page], None] | None
PUBLIC: tuple[tuple[str, str, Act], ...] = (
    ("home", "/", None),
    ("topic", "/topics/{topic_id}", None),
    ("topic-with-little-news", "/topics/five-eyes", None),
    ("pillar", "/pillars/{pillar_id}", None),
    ("item", "/items/{reference}", None),
    ("item-changed", "/items/{changed}", None),
    ("search", "/search", None),
    ("search-found", "/search?q=canada+NOT+santa&since=2020-01-01", None),
    ("search-nothing", "/search?q=%22nothing+of+the+kind%22", None),
    ("search-wrong", "/search?q=norad+AND+(arctic&topic=norad&until=1026-11-23", None),
    ("subscribe", "/subscribe?topic=norad", None),
    ("subscribe-wrong", "/subscribe", mistake),
    ("subscribe-sent", "/subscribe", sign_up),
    ("confirm", "/confirm/{signup}", None),
    ("confirmed", "/confirm/{signup}", press),
    ("lost-link", "/preferences", None),
    ("preferences", "/preferences/{reader}", None),
    ("preferences-trying", "/preferences/{reader}", try_keyword),
    ("preferences-digests", "/preferences/{reader}/digests", None),
    ("preferences-delete", "/preferences/{reader}/delete", None),
    ("digest", "/digests/{digest}", None),
    ("address", "/address/old/{change}", None),
    ("unsubscribe", "/unsubscribe/{leaver}", None),
    ("unsubscribed", "/unsubscribe/{leaver}", press),
    ("not-found", "/nowhere", None),
    ("sign-in", "/sign-in", None),
    ("sign-in-link", "/sign-in/{sign_in}", None),
)
"""Names of the public's pages, their addresses, and what is done on them."""

STAFF: tuple[tuple[str, str, Act], ...] = (
    ("staff-source", "/sources/{slug}", None),
    ("staff-source-failing", "/sources/{failing}", None),
    ("staff-source-edit", "/sources/{slug}/edit", None),
    ("staff-topic", "/watchlist/topics/{topic}", None),
    ("staff-watch-new", "/watchlist/topics/{topic}/new", None),
    ("staff-suggestions", "/watchlist/topics/{topic}/suggestions", None),
    ("staff-watch", "/watchlist/topics/{topic}/watches/{key}", None),
    ("staff-watch-preview", "/watchlist/topics/{topic}/watches/{key}", preview),
    ("staff-watch-wrong", "/watchlist/topics/{topic}/watches/{key}", misspell),
    ("staff-watch-tested", "/watchlist/topics/{topic}/watches/{key}", try_on_text),
    ("staff-delivery", "/deliveries/digest/{digest_id}", None),
    ("staff-mail", "/outbox/{mail}", None),
    ("staff-subscriber", "/subscribers/{subscriber_id}", None),
    ("staff-matches-filtered", "/matches?verdict=none&text=norad", None),
    ("staff-matches-wrong", "/matches?topic=weather", None),
)
"""Pages of staff whose address holds a name or a number, or on which something is done; the others are found."""


def pages_of(app: App) -> Iterator[Shown]:
    """All pages of the filled installation, in each language."""
    walked = tuple((f"staff{path.replace('/', '-')}", path, None) for path in _plain_paths(app))
    for language in LANGUAGES:
        facts = _facts(app, language)
        cookie = _operator(app)
        yield from (Shown(name, path.format(**facts), language, "", act) for name, path, act in PUBLIC)
        yield from (Shown(name, path.format(**facts), language, cookie, act) for name, path, act in (*walked, *STAFF))


def _plain_paths(app: App) -> list[str]:
    """The pages of staff without a name or number in their address.

    Raises:
        LookupError: A page has one, and no picture is taken of it.
    """
    pages = [
        route
        for route in declared_routes(create_web(app))
        if route.method == "GET" and not route.path.startswith(NO_PAGES) and not route.path.endswith(NO_PAGE_ENDS)
    ]
    known = {_shape(path) for _, path, _ in (*PUBLIC, *STAFF)}
    if missing := [route.path for route in pages if "{" in route.path and _shape(route.path) not in known]:
        raise LookupError(f"pages without a picture: {', '.join(missing)}; name them in {__file__}")
    return [route.path for route in pages if route.role and "{" not in route.path]


def _shape(path: str) -> str:
    parts = path.partition("?")[0].replace("/old/", "/{side}/").split("/")
    return "/".join("{}" if part.startswith("{") else part for part in parts)


def _facts(app: App, language: Language) -> dict[str, str]:
    """What the addresses name; the mails of the demo speak of its readers, one for each language."""
    with app.database.write() as session:
        return _news(session) | _people(app, session, language) | _machinery(app, session)


def _news(session: Session) -> dict[str, str]:
    matched = select(MatchRow.item_id).where(col(MatchRow.worthy))
    told = select(ItemRow.id).where(col(ItemRow.id).in_(matched), col(ItemRow.language) == "en")
    item = session.exec(told.order_by(col(ItemRow.story_id).is_(None), col(ItemRow.id)).limit(1)).one()
    changed = session.exec(select(ItemRow.id).where(ItemRow.revision > 1).limit(1)).one()
    return {"pillar_id": "security-defence", "topic_id": "norad", "reference": str(item), "changed": str(changed)}


def _people(app: App, session: Session, language: Language) -> dict[str, str]:
    now, doors = utc_now(), Doors("", app.key)
    reader = session.exec(select(SubscriberRow).where(SubscriberRow.language == language)).first()
    assert reader
    digest = session.exec(select(DigestRow.id).where(DigestRow.subscriber_id == reader.id)).first()
    _fill_preferences(session, reader, language, now)
    change = waiting_change(session, reader, now)
    choice = Choice(("security-defence", "methane"), language, Schedule(zone="America/Vancouver"))
    signup = save_signup(session, f"new-{language}@example.org", choice=choice.as_json(), consent={}, now=now)
    add_staff(session, OPERATOR, Role.OPERATOR, actor="screenshots", now=now)
    link = printed_link(session, load_staff(session, OPERATOR), app.key, "", now=now)
    paths = {
        "reader": doors.preferences(reader),
        "leaver": doors.unsubscribe(reader),
        "digest": doors.digest(digest or 0),
        "change": doors.address_change(Purpose.OLD_ADDRESS, change.id or 0 if change else 0),
        "signup": doors.confirm(signup),
        "sign_in": link,
    }
    named = {name: path.rpartition("/")[2] for name, path in paths.items()}
    return named | {"digest_id": str(digest), "subscriber_id": str(reader.id)}


def _fill_preferences(session: Session, reader: SubscriberRow, language: Language, now: datetime) -> None:
    add_keyword(session, reader, "hydrogen AND (Alberta OR Québec)", Language.ANY, now=now)
    add_keyword(session, reader, '"passage frontalier"', Language.FR, now=now)
    request_address_change(session, reader, f"claire-{language}@example.com", domain="localhost", now=now)
    undelivered = Text("given up after three days: %(detail)s", detail="452 4.2.2 The mailbox is full")
    session.connection().execute(update(LetterRow).values(state="failed", last_error=undelivered))


def _machinery(app: App, session: Session) -> dict[str, str]:
    newest = select(SourceRow.slug).order_by(col(SourceRow.last_success_at).desc().nulls_last())
    failing = select(SourceRow.slug).order_by(col(SourceRow.failures).desc())
    watches = select(WatchRow.topic_id, WatchRow.key).where(WatchRow.topic_id == "norad")
    topic, key = session.exec(watches.limit(1)).one()
    draft = Watch(topic, key, Language.ANY, 'norad OR "continental defence"', "Continental defence is said as often.")
    save_draft(session, draft, actor="editor@example.org", now=utc_now())
    return {
        "slug": session.exec(newest).first() or "",
        "failing": session.exec(failing).first() or "",
        "topic": topic,
        "key": key,
        "mail": Outbox(app.settings.outbox_dir).list()[0].path.name,
    }


def _operator(app: App) -> str:
    now = utc_now()
    with app.database.write() as session:
        for address, role in ((OPERATOR, Role.OPERATOR), ("reviewer@example.org", Role.REVIEWER)):
            add_staff(session, address, role, actor="screenshots", now=now)
        row = SignInRow(address=OPERATOR, requested_at=now, expires_at=now + timedelta(minutes=1))
        opened = sign_in(session, row, address="", device="Chromium on Linux", now=now)
    assert isinstance(opened, Opened), opened
    return opened.token
