"""Every error that the service raises on purpose.

::

    MonitorError
    ├── Permanent            trying the same again will not help
    │   ├── SettingError     a setting or a line of a config file is wrong
    │   ├── QueryError       a watch's query cannot be understood
    │   ├── NotFound         what was asked for does not exist
    │   ├── Conflict         the request does not fit what is stored
    │   └── Refused          the request breaks a rule of the service
    └── Transient            the same may work later
        ├── DatabaseBusy     the database is locked, full or away
        └── DeliveryDeferred the mail server asks to try again

Expected outcomes are values, not errors: see ``monitor.polling.fetch`` for what a poll may end in.
"""

from __future__ import annotations

from monitor.texts import marked as _


class MonitorError(Exception):
    """The base of all errors of the service; its text is written for the person who reads it."""

    @property
    def text(self) -> str:
        """What is wrong; marked where it is made, so that a page can say it in its reader's language."""
        return self.args[0] if self.args else ""


class Permanent(MonitorError):
    """Trying the same again will not help."""


class Transient(MonitorError):
    """The same may work later."""


class SettingError(Permanent):
    """A setting, or a line of a config file, is wrong.

    Args:
        where: The file or the environment in which the value was found.
        key: The name of the setting, dotted where it is nested.
        value: The value as it was read.
        remedy: What to write instead.
    """

    def __init__(self, where: str, key: str, value: object, remedy: str) -> None:
        self.where, self.key, self.value, self.remedy = where, key, value, remedy
        said = {"where": where, "key": key, "value": repr(value), "remedy": remedy}
        super().__init__(_("%(where)s: %(key)s = %(value)s: %(remedy)s", **said))


class QueryError(Permanent):
    """A watch's query cannot be understood.

    Args:
        problem: What is wrong, in a short sentence.
        position: The offset, in characters from 0, at which the problem lies in the query.
        remedy: What to write instead.

    ``advice`` is problem and remedy without the place, for where it is shown otherwise.
    """

    def __init__(self, problem: str, position: int, remedy: str) -> None:
        self.problem, self.position, self.remedy = problem, position, remedy
        self.advice = _("%(problem)s. %(remedy)s", problem=problem, remedy=remedy)
        super().__init__(
            _(
                "%(problem)s (at character %(place)s). %(remedy)s",
                problem=problem,
                place=str(position + 1),
                remedy=remedy,
            )
        )


class NotFound(Permanent):
    """What was asked for does not exist."""


class Conflict(Permanent):
    """The request does not fit what is stored."""


class Refused(Permanent):
    """The request breaks a rule of the service."""


class DatabaseBusy(Transient):
    """The database is locked, full or away."""


class DeliveryDeferred(Transient):
    """The mail server asks to try again later."""
