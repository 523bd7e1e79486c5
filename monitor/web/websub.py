"""Where hubs call back: they ask whether we asked them to push, and then they push (WebSub).

The first is a GET that changes a row, because the standard has it so. It changes nothing that this service has not
itself begun, under an address that only the hub was told (docs/decisions.md).
"""

from __future__ import annotations

from fastapi import HTTPException, Request, Response
from fastapi.responses import PlainTextResponse
from starlette.concurrency import run_in_threadpool

from monitor.core.roles import Role
from monitor.polling.websub import PATH, Push, Receipt, confirm, receive
from monitor.web.access import guarded
from monitor.web.asked import app_of

router = guarded(Role.PUBLIC)

_ANSWERS = {Receipt.UNKNOWN: 404, Receipt.UNSIGNED: 202, Receipt.LATER: 202, Receipt.TAKEN: 204}


@router.get(PATH + "{token}")
def verify(request: Request, token: str) -> Response:
    """Tell a hub that we did ask it, by sending its challenge back."""
    app = app_of(request)
    with app.database.write() as session:
        answer = confirm(session, token, request.query_params, app.clock())
    if answer is None:
        raise HTTPException(404)
    return PlainTextResponse(answer)


@router.post(PATH + "{token}")
async def push(request: Request, token: str) -> Response:
    """Take what a hub pushes; one that is not signed by it is thanked for and ignored."""
    app = app_of(request)
    headers = request.headers
    brought = Push(
        await _body(request, app.settings.poll_max_decoded_bytes),
        headers.get("content-type", ""),
        headers.get("x-hub-signature", ""),
    )
    receipt = await run_in_threadpool(receive, app.database, token, brought, app.clock())
    return Response(status_code=_ANSWERS[receipt])


async def _body(request: Request, most: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise HTTPException(413)
    return bytes(body)
