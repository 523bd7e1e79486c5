"""The way of one visit through redirects; each hop is checked as if it were the first."""

from __future__ import annotations

from dataclasses import dataclass, field

from yarl import URL

from monitor.polling.addresses import check_url
from monitor.polling.limits import FetchLimits
from monitor.polling.outcomes import Failed, FailureKind
from monitor.texts import marked as _

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PERMANENT = frozenset({301, 308})


@dataclass(slots=True)
class Trail:
    """Where a visit stands and which addresses lie behind it."""

    at: URL
    behind: set[URL] = field(default_factory=set)
    permanent: bool = True

    @property
    def permanent_url(self) -> str | None:
        """The address to remember, if all redirects were permanent and there was one."""
        return str(self.at) if self.behind and self.permanent else None

    def follow(self, status: int, location: str | None, limits: FetchLimits) -> Failed | None:
        """Move on to where a redirect leads, or say why not.

        Args:
            status: The redirect's HTTP status, one of ``REDIRECTS``.
            location: Its ``Location`` header; relative ones are usual.
            limits: How far a trail may lead.
        """
        if not location:
            return Failed(
                FailureKind.BAD_REDIRECT, _("a redirect that leads nowhere (HTTP %(status)s)", status=status), status
            )
        target = check_url(location.strip(), base=self.at, allow_loopback=limits.allow_loopback)
        if isinstance(target, Failed):
            refused = target.kind is FailureKind.REFUSED_ADDRESS
            kind = FailureKind.REFUSED_ADDRESS if refused else FailureKind.BAD_REDIRECT
            return Failed(kind, _("a redirect to where none may lead: %(detail)s", detail=target.detail), status)
        self.behind.add(self.at)
        if target in self.behind:
            return Failed(
                FailureKind.REDIRECT_LOOP,
                _("the redirects go round in a circle (HTTP %(status)s)", status=status),
                status,
            )
        if len(self.behind) > limits.max_redirects:
            detail = _("more than %(most)s redirects in a row", most=limits.max_redirects)
            return Failed(FailureKind.TOO_MANY_REDIRECTS, detail, status)
        downgraded = self.at.scheme == "https" and target.scheme == "http"
        self.permanent = self.permanent and status in _PERMANENT and not downgraded
        self.at = target
        return None
