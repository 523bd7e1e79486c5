"""The letter that lets somebody on the staff sign in."""

from __future__ import annotations

from sqlmodel import Session

from monitor import translations
from monitor.core.languages import Language
from monitor.staff.sign_in import LINK_LIFE, sign_in_url
from monitor.store.letters import Draft, notice
from monitor.store.outgoing import Withheld
from monitor.store.staff import find_staff
from monitor.store.tables import LetterRow
from monitor.texts import marked as _


def compose_sign_in(session: Session, row: LetterRow, *, key: str, base_url: str) -> Draft | Withheld:
    """What the letter says; to an address that is not on the staff none goes."""
    if find_staff(session, row.address) is None:
        return Withheld(_("nobody on the staff has this address"))
    language = Language(row.language)
    say = translations.translations(language)
    minutes = int(LINK_LIFE.total_seconds()) // 60
    return notice(
        language,
        say.gettext("Sign in to Roadmap Monitor"),
        say.gettext("The link works once, within %(minutes)s minutes.") % {"minutes": minutes},
        say.gettext("Whoever has it can sign in as you: do not pass this mail on."),
        reason=say.gettext("You get this one mail because somebody, we hope you, asked to sign in with your address."),
        action=(say.gettext("Sign in"), sign_in_url(base_url, key, row.payload["sign_in"])),
    )
