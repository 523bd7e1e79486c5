"""E-mail addresses in the one form in which they are kept."""

from __future__ import annotations

from email_validator import EmailNotValidError, validate_email

from monitor.errors import Refused
from monitor.texts import marked as _


def normalised_address(address: str) -> str:
    """The one form in which an address is kept and compared: as mail servers write it, in lower case.

    Local parts are case-sensitive on paper (RFC 5321, 2.4) and nowhere in practice; two subscriptions of one person
    that differ in a capital letter would be a mistake. A domain in another script is kept in its ASCII form; a local
    part in another script would need SMTPUTF8 (RFC 6531), which few servers offer.

    Raises:
        Refused: This is not an address that mail can be sent to.
    """
    try:
        checked = validate_email(
            address, allow_smtputf8=False, check_deliverability=False, strict=True, test_environment=True
        )
    except EmailNotValidError as error:
        raise Refused(_("address %(address)s: %(error)s", address=repr(address), error=error)) from error
    return f"{checked.local_part}@{checked.ascii_domain}".lower()
