"""Reading what people on the staff typed: texts that can be stored, and a message beside each wrong field."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from starlette.datastructures import FormData, UploadFile

from monitor.core.languages import Language
from monitor.errors import SettingError
from monitor.texts import marked as _
from monitor.web.forms import Entered

MOST_UPLOADED = 2_000_000
"""Bytes of a file that is taken in."""


def read_text(form: FormData, name: str) -> str:
    """The text of a field as it can be stored: with plain line breaks, and without NUL, which no database holds."""
    value = form.get(name, "")
    return value.replace("\r\n", "\n").replace("\0", "").strip() if isinstance(value, str) else ""


def texts(form: FormData) -> Entered:
    """All fields of a form as texts."""
    return Entered({name: read_text(form, name) for name in form})


def read_language(entered: Entered) -> Language:
    """The language that was chosen, any included."""
    try:
        return Language(entered.text("language"))
    except ValueError:
        entered.errors["language"] = _("Choose a language from the list.")
        return Language.ANY


def note_setting(entered: Entered, error: SettingError, names: dict[str, str] | None = None) -> None:
    """Put an error of a value beside the field that it is about."""
    field = (names or {}).get(error.key, error.key)
    entered.errors[field] = error.remedy


async def uploaded(request: Request) -> AsyncIterator[FormData]:
    """A dependency that reads a form with a file in it.

    Raises:
        HTTPException: The body is larger than ``MOST_UPLOADED``, or does not say how large it is.
    """
    length = request.headers.get("content-length", "")
    if not length.isdecimal():
        raise HTTPException(411)
    if int(length) > MOST_UPLOADED:
        raise HTTPException(413, _("The file is larger than two megabytes. Make several of it."))
    form = await request.form(max_files=1, max_fields=20, max_part_size=MOST_UPLOADED)
    yield form
    await form.close()


Uploaded = Annotated[FormData, Depends(uploaded)]
"""A parameter of a route: the fields of the posted form, one of which may be a file."""


async def file_or_text(form: FormData, name: str) -> bytes:
    """The content of a field that is a file, or a text that stands for one."""
    value = form.get(name)
    if isinstance(value, UploadFile):
        return await value.read()
    return (value or "").encode(errors="replace")
