"""Screenshots of the mails, at desk and phone width, light and dark, in English and French.

Run ``python tests/browser/screenshots_email.py``; the pictures go to ``screenshots/``, the README's to
``docs/images/digest.png``. Needs a Chromium. Where the
real releases lie beside the checkout, a digest of a week of them is pictured too.
"""

from __future__ import annotations

import gzip
import json
import shutil
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, sync_playwright

from monitor.core.languages import Language
from monitor.core.nouns import TopicMatch
from monitor.core.schedule import Schedule
from monitor.digests.content import DigestContent, PillarSection, Span, Story, TopicSection
from monitor.digests.render import render_digest
from monitor.digests.sample import sample_digest
from monitor.letters import Letter, render_letter
from monitor.matching.concept import match_topics
from monitor.matching.excerpt import excerpt
from monitor.matching.labels import Release, read_releases
from monitor.matching.score import read_score_model
from monitor.matching.topics import read_topics
from monitor.matching.watchlist import compile_watchlist
from monitor.shipped import shipped
from monitor.translations import schedule_text

CHECKOUT = Path(__file__).parents[2]
FOLDER = CHECKOUT / "screenshots"
README_PICTURE = CHECKOUT / "docs" / "images" / "digest.png"
RELEASES = CHECKOUT.parent / "shared" / "corpus" / "releases" / "whitehouse.jsonl.gz"
FOLLOWED = {"critical-minerals", "supply-chains", "norad", "arctic", "cross-border-crime", "leaders-summit"}
WEEK_END = datetime(2023, 3, 27, 12, tzinfo=UTC)
WIDTHS = (1280, 390)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LANGUAGES = (Language.EN, Language.FR)


def letters() -> Iterator[tuple[str, Letter]]:
    """The letters to be pictured, each with its file name."""
    for language in LANGUAGES:
        digest = sample_digest(language)
        yield f"digest-{language}", render_digest(digest)
        if RELEASES.is_file():
            yield f"real-{language}", render_digest(real_digest(language))
        yield (
            f"confirm-{language}",
            render_letter(
                "confirm",
                language,
                topics=[topic.name for topic in digest.topics],
                schedule=schedule_text(Schedule(), language),
                confirm_url="https://monitor.example.org/c/token",
                expires_at=datetime(2026, 11, 29, tzinfo=UTC),
                zone=digest.zone,
                sender=digest.sender,
            ),
        )


def real_digest(language: Language) -> DigestContent:
    """The week in which the President spoke in Ottawa, for a subscriber to six topics."""
    file = read_topics(shipped("config", "topics.toml").read_text(encoding="utf-8"), "topics.toml")
    model = read_score_model(shipped("config", "score.toml").read_text(encoding="utf-8"), "score.toml")
    topics = {topic.id: topic for topic in file.topics}
    watchlist = compile_watchlist([watch for topic in file.topics for watch in topic.watches])
    stories: dict[str, list[Story]] = defaultdict(list)
    published_releases = list(releases_of_the_week())
    matched = match_topics([release.document for _, release in published_releases], watchlist, topics, model)
    for (published, release), matches in zip(published_releases, matched, strict=True):
        for match in matches:
            if match.worthy:
                stories[match.topic].append(real_story(release, match, published))
    sample = sample_digest(language)
    sections = {
        topic.id: TopicSection(topic.id, topic.names[language], tuple(reversed(stories[topic.id])))
        for topic in file.topics
        if topic.id in FOLLOWED and stories[topic.id]
    }
    pillars = tuple(
        PillarSection(
            pillar.names[language],
            tuple(sections[topic.id] for topic in file.topics if topic.pillar == pillar.id and topic.id in sections),
        )
        for pillar in file.pillars
    )
    return replace(
        sample,
        pillars=tuple(pillar for pillar in pillars if pillar.topics),
        window_start=WEEK_END - timedelta(days=7),
        window_end=WEEK_END,
        web_url="https://monitor.example.org/d/2023-03-27",
        changed=(),
        coverage=None,
    )


def releases_of_the_week() -> Iterator[tuple[datetime, Release]]:
    with gzip.open(RELEASES, "rt", encoding="utf-8") as lines:
        for line in lines:
            published = datetime.fromisoformat(json.loads(line)["published"]).astimezone(UTC)
            if WEEK_END - timedelta(days=7) <= published < WEEK_END:
                yield published, next(read_releases([line]))


def real_story(release: Release, match: TopicMatch, published: datetime) -> Story:
    found = excerpt(release.document, match.evidence)
    return Story(
        headline=release.document.title,
        url=release.url,
        agency="The White House",
        country="US",
        source_language=release.document.language,
        first_seen_at=published,
        published_at=published,
        sentence=() if found.field == "title" else tuple(Span(text, marked) for text, marked in found.parts),
        terms=tuple(dict.fromkeys(evidence.term for evidence in match.evidence)),
        score=match.score,
    )


def picture(browser: Browser, name: str, letter: Letter) -> None:
    for width, scheme in product(WIDTHS, SCHEMES):
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        page.set_content(letter.html)
        if page.evaluate("document.documentElement.scrollWidth") > width:
            sys.exit(f"{name} is wider than {width} pixels")
        page.screenshot(path=FOLDER / f"{name}-{width}-{scheme}.png", full_page=True)
        page.close()


def picture_for_readme(browser: Browser) -> None:
    """The top of a sample digest, as the README shows it."""
    page = browser.new_page(viewport={"width": 720, "height": 1120}, color_scheme="light")
    page.set_content(render_digest(sample_digest(Language.EN)).html)
    README_PICTURE.parent.mkdir(exist_ok=True)
    page.screenshot(path=README_PICTURE)
    page.close()


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        picture_for_readme(browser)
        for name, letter in letters():
            (FOLDER / f"{name}.html").write_text(letter.html, encoding="utf-8")
            (FOLDER / f"{name}.txt").write_text(f"{letter.subject}\n\n{letter.text}", encoding="utf-8")
            picture(browser, name, letter)
        browser.close()
    sys.stdout.write(f"{FOLDER}\n")


if __name__ == "__main__":
    main()
