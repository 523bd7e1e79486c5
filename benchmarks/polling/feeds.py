"""The feeds of the benchmark: made up, in the shape and size of those that agencies publish with a press-release CMS.

Three in four are RSS 2.0 with ``content:encoded``, one is Atom. Each shows 20 entries in about 30 KB; revision r of a
feed has r entries more than revision 0, and shows the newest 20.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape

ENTRIES = 20
_NEWEST = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
_SUBJECTS = (
    "Ministers meet on clean electricity across the border",
    "Regulators align vehicle emission standards",
    "Coast guards hold joint exercise on the Great Lakes",
    "Agencies renew agreement on migratory birds",
    "Readout of the call between the two leaders",
    "Statement on the review of the supply chains",
    "New funding for the radar stations of the Arctic",
)
_PARAGRAPHS = (
    (
        "<p>Today, the Minister and the Secretary met to review progress on the commitments that both governments "
        'made. They spoke about <a href="/topics/energy">energy</a> &amp; climate, and about what comes next.</p>\n'
    ),
    (
        "<p>&#8220;Our two countries share the longest border in the world,&#8221; the Minister said. &#8220;What one "
        "of us does, the other one feels.&#8221;</p>\n"
    ),
    (
        "<h3>Quick facts</h3>\n<ul>\n<li>The programme runs for <strong>five years</strong>.</li>\n<li>Applications "
        "open in the spring; the first grants follow in the autumn.</li>\n"
        "<li>More than forty communities take part.</li>\n</ul>\n"
    ),
    (
        "<p>Officials will meet again before the end of the year. They will report to both leaders, and publish what "
        "they agreed on; see the <em>annex</em> for the list of working groups and of their chairs.</p>\n"
    ),
)


def feed(number: int, revision: int) -> bytes:
    """The document of a feed, by its number and by how many entries it has got since revision 0."""
    base = f"https://www.agency-{number}.example"
    newest = ENTRIES + revision
    entries = range(newest, newest - ENTRIES, -1)
    text = _atom(number, entries, base) if number % 4 == 3 else _rss(number, entries, base)
    return text.encode()


def _parts(number: int, entry: int, base: str) -> tuple[str, str, str, str, datetime]:
    title = f"{_SUBJECTS[(number + entry) % len(_SUBJECTS)]} ({number}/{entry})"
    link = f"{base}/en/news/2026/{number}/{entry}.html"
    start = number + entry
    summary = _PARAGRAPHS[start % 4] + f"<p>Release {number}-{entry}.</p>"
    body = "".join(_PARAGRAPHS[(start + offset) % 4] for offset in range(3)) + f"<p>Release {number}-{entry}.</p>"
    return title, link, summary, body, _NEWEST - timedelta(hours=7 * (ENTRIES - entry), minutes=number % 60)


def _rss(number: int, entries: range, base: str) -> str:
    items = []
    for entry in entries:
        title, link, summary, body, at = _parts(number, entry, base)
        items.append(
            f"<item>\n<title>{title}</title>\n<link>{link}</link>\n<dc:creator><![CDATA[Media office]]></dc:creator>\n"
            f"<pubDate>{format_datetime(at)}</pubDate>\n<category><![CDATA[News releases]]></category>\n"
            f'<guid isPermaLink="false">tag:agency-{number}:{entry}</guid>\n'
            f"<description><![CDATA[{summary}]]></description>\n"
            f"<content:encoded><![CDATA[{body}]]></content:encoded>\n</item>\n"
        )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:atom="http://www.w3.org/2005/Atom">\n'
        f"<channel>\n<title>Agency {number}: news releases</title>\n<link>{base}/</link>\n"
        "<description>The news of the agency</description>\n<language>en-CA</language>\n"
        + "".join(items)
        + "</channel>\n</rss>\n"
    )


def _atom(number: int, entries: range, base: str) -> str:
    parts = []
    for entry in entries:
        title, link, summary, body, at = _parts(number, entry, base)
        parts.append(
            f'<entry>\n<title>{title}</title>\n<link href="{link}"/>\n<id>tag:agency-{number}:{entry}</id>\n'
            f"<published>{at.isoformat()}</published>\n<updated>{at.isoformat()}</updated>\n"
            f'<category term="news-releases"/>\n<summary type="html">{escape(summary)}</summary>\n'
            f'<content type="html">{escape(body)}</content>\n</entry>\n'
        )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">\n'
        f'<title>Agency {number}: news releases</title>\n<link href="{base}/"/>\n<id>tag:agency-{number}</id>\n'
        f"<updated>{_NEWEST.isoformat()}</updated>\n" + "".join(parts) + "</feed>\n"
    )
