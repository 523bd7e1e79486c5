"""The mail: what went out, what waits, what came back, and how each mail looks."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import Query, Request
from fastapi.responses import HTMLResponse, Response

from monitor.core.roles import Role
from monitor.delivery.outbox import Outbox
from monitor.errors import Conflict
from monitor.mails import shared_digest
from monitor.store.delivery_log import MAIL_STATES, Day, daily, list_mails, waiting
from monitor.store.digests import load_digest
from monitor.store.kept import pause_sending, resume_sending, sending_paused
from monitor.store.outgoing import ENDED, resend
from monitor.store.tables import DigestRow, LetterRow
from monitor.texts import marked as _
from monitor.web.access import Operator, guarded
from monitor.web.asked import RowId, Word, app_of, read_words
from monitor.web.charts import Chart, bar_chart
from monitor.web.desk.entries import read_text
from monitor.web.flash import back_to
from monitor.web.forms import Posted
from monitor.web.rendering import own_page

router = guarded(Role.OPERATOR)

_KINDS: dict[str, type[DigestRow] | type[LetterRow]] = {"digest": DigestRow, "letter": LetterRow}
_DAYS = 30
_SHOWN_IN_OUTBOX = 200

_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
"""What the document of a mail may do: carry its own styles, and be shown in a frame of ours; it runs nothing."""

_FRAMING_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@router.get("/deliveries")
def overview(
    request: Request,
    kind: Word = "digest",
    q: Annotated[str, Query(max_length=254)] = "",
    state: Word = "",
    after: Annotated[str, Query(max_length=600)] = "",
) -> HTMLResponse:
    """The last days in charts, what waits, and the log of mails."""
    app = app_of(request)
    now, kind = app.clock(), kind if kind in _KINDS else "digest"
    with app.database.read() as session:
        text = read_words(q)
        found = list_mails(session, _KINDS[kind], state=state, text=text, after=after)
        days, due, paused = daily(session, now, days=_DAYS), waiting(session, now), sending_paused(session)
    asked = {"kind": kind, "q": q, "state": state}
    return own_page(
        request,
        "desk/deliveries.html",
        charts=_charts(days),
        days=days,
        due=due,
        paused=paused,
        mails=found.rows,
        following=f"/deliveries?{urlencode({**asked, 'after': found.following})}" if found.following else "",
        first=f"/deliveries?{urlencode(asked)}" if after else "",
        states=MAIL_STATES,
        ended=ENDED,
        asked=asked,
        outbox=not app.settings.smtp_host,
        now=now,
    )


@router.post("/deliveries/pause")
def pause(request: Request, operator: Operator) -> Response:
    """Let no mail go out."""
    app = app_of(request)
    with app.database.write() as session:
        pause_sending(session, actor=operator.address, now=app.clock())
    return back_to(request, "/deliveries", _("Sending is paused. What is due meanwhile waits."))


@router.post("/deliveries/resume")
def resume(request: Request, operator: Operator) -> Response:
    """Let mails go out again."""
    app = app_of(request)
    with app.database.write() as session:
        resume_sending(session, actor=operator.address, now=app.clock())
    return back_to(request, "/deliveries", _("Mails go out again; what waits is sent within a minute."))


@router.post("/deliveries/{kind}/{mail_id}/resend")
def send_again(
    request: Request, kind: Literal["digest", "letter"], mail_id: RowId, form: Posted, operator: Operator
) -> Response:
    """Have one mail sent once more."""
    app = app_of(request)
    back = read_text(form, "back") or "/deliveries"
    try:
        with app.database.write() as session:
            resend(session, _KINDS[kind], mail_id, actor=operator.address, now=app.clock())
    except Conflict as error:
        return back_to(request, back, error.text, failed=True)
    return back_to(request, back, _("The mail is due again and goes out within a minute."))


@router.get("/deliveries/digest/{digest_id}")
def show_digest(request: Request, digest_id: RowId) -> HTMLResponse:
    """A digest as it looks, with its text part; without the links that act for its reader."""
    app = app_of(request)
    with app.database.read() as session:
        row = load_digest(session, digest_id)
    letter = shared_digest(app, digest_id)
    headers = [("Subject", row.subject or letter.subject), ("Message-ID", row.message_id)]
    return _mail_page(request, headers, letter.text, f"/deliveries/digest/{digest_id}/html", row.subject, digest=row)


@router.get("/deliveries/digest/{digest_id}/html")
def digest_document(request: Request, digest_id: RowId) -> HTMLResponse:
    """The HTML part of a digest."""
    app = app_of(request)
    return _document(shared_digest(app, digest_id).html)


@router.get("/outbox")
def outbox(request: Request) -> HTMLResponse:
    """The mails that were written into the outbox folder."""
    app = app_of(request)
    kept = Outbox(app.settings.outbox_dir)
    return own_page(
        request,
        "desk/outbox.html",
        mails=kept.list(_SHOWN_IN_OUTBOX),
        total=kept.count(),
        folder=app.settings.outbox_dir,
        smtp=app.settings.smtp_host,
        now=app.clock(),
    )


@router.get("/outbox/{name}")
def show_mail(request: Request, name: str) -> HTMLResponse:
    """A mail of the outbox: its headers, how it looks, and its text part."""
    app = app_of(request)
    mail = Outbox(app.settings.outbox_dir).find(name)
    return _mail_page(request, mail.headers, mail.text, f"/outbox/{mail.path.name}/html", mail.subject)


@router.get("/outbox/{name}/html")
def mail_document(request: Request, name: str) -> HTMLResponse:
    """The HTML part of a mail of the outbox."""
    app = app_of(request)
    return _document(Outbox(app.settings.outbox_dir).find(name).html)


def _charts(days: tuple[Day, ...]) -> list[tuple[str, Chart, str]]:
    """What is charted: a name for the catalogues, the chart, and how it is coloured."""
    named = (
        (_("Sent"), [day.sent for day in days], ""),
        (_("Failed or bounced"), [day.failed + day.bounced for day in days], "bad"),
        (_("Unsubscribed"), [day.unsubscribed for day in days], "bad"),
    )
    return [(name, bar_chart(counts, labels=_labels(days, counts)), kind) for name, counts, kind in named]


def _labels(days: tuple[Day, ...], counts: list[int]) -> list[str]:
    return [f"{day.day.isoformat()}: {count}" for day, count in zip(days, counts, strict=True)]


def _mail_page(
    request: Request,
    headers: list[tuple[str, str]],
    text: str,
    document: str,
    subject: str,
    *,
    digest: DigestRow | None = None,
) -> HTMLResponse:
    response = own_page(
        request, "desk/mail.html", headers=headers, text=text, document=document, subject=subject, digest=digest
    )
    response.headers["Content-Security-Policy"] = _FRAMING_POLICY
    return response


def _document(html: str) -> HTMLResponse:
    headers = {"Content-Security-Policy": _MAIL_POLICY, "Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
    return HTMLResponse(html, headers=headers)
