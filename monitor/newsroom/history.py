"""Half a year of earlier releases of the sample newsroom, as archives to be imported: what charts live on."""

from __future__ import annotations

import gzip
import io
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO

_WEEKS = 25
_SEED = 20210223


@dataclass(frozen=True, slots=True)
class Thread:
    """What an office wrote about again and again: how often in two weeks, and since how many weeks no more."""

    office: str
    subject: str
    in_two_weeks: float
    silent: int = 0


_THREADS = (
    Thread("sample-ministry-en", "the COVID-19 pandemic and COVID-19 vaccines in Canada and the United States", 0.8, 4),
    Thread("sample-house-en", "the Global Health Security Agenda and the World Health Organization", 0.7),
    Thread("sample-ministry-en", "the Canada-U.S. supply chain working group on semiconductors", 1.2),
    Thread("sample-climate-en", "the Canada-U.S. joint action plan on critical minerals and batteries", 2.0),
    Thread("sample-house-en", "an inclusive recovery and good jobs in Canada and the United States", 0.8),
    Thread("sample-climate-en", "the Canada-U.S. clean energy memorandum on cross-border clean electricity", 1.1),
    Thread("sample-border-en", "Canada-United States trade under the USMCA", 1.9),
    Thread("sample-climate-en", "the U.S.-Canada High-Level Climate Ministerial", 0.8),
    Thread("sample-climate-en", "the Paris Agreement and net-zero emissions of Canada and the United States", 1.3),
    Thread("sample-climate-en", "the Global Methane Pledge and hydrofluorocarbons", 1.8, 5),
    Thread("sample-house-en", "systemic racism and racial equity in Canada and the United States", 0.6),
    Thread("sample-house-en", "gender equality and pay equity in Canada and the United States", 0.9),
    Thread("sample-house-en", "accessibility for persons with disabilities in Canada and the United States", 0.7),
    Thread("sample-border-en", "community safety and criminal justice reform in Canada and the United States", 0.7, 6),
    Thread("sample-defense-en", "NORAD modernization and continental defence", 2.2),
    Thread("sample-defense-en", "the expanded U.S.-Canada Arctic Dialogue on Arctic security", 1.3),
    Thread("sample-defense-en", "NATO and the defence investment pledge", 1.4),
    Thread("sample-border-en", "the Cross-Border Crime Forum on firearms trafficking and fentanyl smuggling", 1.5),
    Thread("sample-ministry-en", "United Nations peacekeeping missions of Canada and the United States", 0.7),
    Thread("sample-ministry-en", "the North American Leaders’ Summit", 0.9),
    Thread("sample-ministry-en", "the G7 and the G20 leaders’ summits of Canada and the United States", 1.4),
    Thread("sample-ministry-en", "World Trade Organization reform, sought by Canada and the United States", 0.9),
    Thread("sample-defense-en", "the Five Eyes intelligence alliance of Canada and the United States", 0.5),
    Thread("sample-ministry-en", "reform of the United Nations and the multilateral system", 1.0),
)
_TITLES = (
    "Progress report on {subject}",
    "Readout of a call on {subject}",
    "Ministers take stock of {subject}",
    "New funding for {subject}",
    "Consultation opens on {subject}",
    "Joint statement on {subject}",
    "Next steps for {subject}",
    "Questions and answers about {subject}",
)
_TEXT = (
    "Officials of Canada and the United States met in {city} to speak about {subject}. They agreed on {number} steps, "
    "and will report on {subject} again within {weeks} weeks."
)
_CITIES = ("Ottawa", "Washington", "Halifax", "Detroit", "Winnipeg", "Seattle", "Montréal", "Buffalo")


def archives(present: datetime) -> dict[str, BinaryIO]:
    """An archive for each office that wrote, by its slug; the releases lie one to 26 weeks before ``present``."""
    chance = random.Random(_SEED)  # noqa: S311 - the same history each time, and nothing secret
    lines: dict[str, list[str]] = {}
    for thread in _THREADS:
        lines.setdefault(thread.office, []).extend(json.dumps(row) for row in _releases(thread, present, chance))
    return {office: io.BytesIO(gzip.compress("\n".join(rows).encode())) for office, rows in lines.items()}


def _releases(thread: Thread, present: datetime, chance: random.Random) -> Iterator[dict[str, str]]:
    for week in range(1 + thread.silent, _WEEKS + 1):
        for number in range(_times(thread.in_two_weeks, chance)):
            at = present - timedelta(weeks=week + 1, hours=-chance.uniform(0, 160))
            name = f"{thread.subject.split()[-1].lower()}-{week}-{number}-{chance.randrange(10_000)}"
            yield {
                "url": f"https://{thread.office}.example/archive/{name}",
                "title": chance.choice(_TITLES).format(subject=thread.subject),
                "summary": _TEXT.format(
                    city=chance.choice(_CITIES),
                    subject=thread.subject,
                    number=chance.randint(2, 9),
                    weeks=chance.randint(3, 12),
                ),
                "published": at.isoformat(),
            }


def _times(in_two_weeks: float, chance: random.Random) -> int:
    """How often something happens in a week that happens so often in two weeks on average."""
    return sum(chance.random() < in_two_weeks / 12 for _ in range(6))
