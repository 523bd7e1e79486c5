"""A change of address: each of the two addresses gets a link, which leads to a button."""

from __future__ import annotations

from enum import StrEnum

from fastapi import Request
from fastapi.responses import HTMLResponse
from sqlmodel import Session

from monitor.core.roles import Role
from monitor.errors import Conflict
from monitor.store.subscribers import load_subscriber
from monitor.store.tables import AddressChangeRow
from monitor.subscriptions.address import ChangeState, change_of, change_state, confirm_address_change
from monitor.tokens import Purpose
from monitor.web.access import guarded
from monitor.web.asked import app_of
from monitor.web.languages import reader_language
from monitor.web.rendering import own_page

router = guarded(Role.PUBLIC)


class Side(StrEnum):
    """Which of the two addresses a link was mailed to."""

    OLD = "old"
    NEW = "new"

    @property
    def purpose(self) -> Purpose:
        """What the links to this address are good for."""
        return Purpose(f"{self.value}-address")


@router.get("/address/{side}/{token}")
def ask(request: Request, side: Side, token: str) -> HTMLResponse:
    """Ask whether digests are to go to the new address."""
    app = app_of(request)
    with app.database.read() as session:
        change = change_of(session, app.key, side.purpose, token)
        return _page(request, session, change, change_state(change, app.clock()))


@router.post("/address/{side}/{token}")
def confirm(request: Request, side: Side, token: str) -> HTMLResponse:
    """Note that this address agrees; the change takes effect when the other does too."""
    app = app_of(request)
    try:
        with app.database.write() as session:
            change = change_of(session, app.key, side.purpose, token, lock=True)
            state, problem = confirm_address_change(session, change, side.purpose, now=app.clock()), ""
    except Conflict as conflict:
        state, problem = ChangeState.WAITING, conflict.text
    with app.database.read() as session:
        change = change_of(session, app.key, side.purpose, token)
        return _page(request, session, change, state, agreed=not problem, problem=problem)


def _page(
    request: Request,
    session: Session,
    change: AddressChangeRow,
    state: ChangeState,
    *,
    agreed: bool = False,
    problem: str = "",
) -> HTMLResponse:
    language = reader_language(request, load_subscriber(session, change.subscriber_id).language)
    status = {ChangeState.EXPIRED: 410}.get(state, 409 if problem else 200)
    return own_page(
        request,
        "address.html",
        status=status,
        language=language,
        state=state.name,
        agreed=agreed,
        problem=problem,
        address=change.new_address,
    )
