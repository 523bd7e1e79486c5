"""The lines of a digest that its HTML and its plain text share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from babel.numbers import format_percent

from monitor import translations
from monitor.core.languages import Language
from monitor.digests.content import Coverage, Story
from monitor.letters import one_line

if TYPE_CHECKING:
    from gettext import NullTranslations

_QUERY_SIGNS = re.compile(r'"|~\d*$')
_NAMES_SHOWN = 12
_TERMS_SHOWN = 3


def byline(story: Story, language: Language, zone: str) -> str:
    """Who, where, when and, where it is not the reader's own, in which language."""
    say = translations.translations(language)
    published = story.published_at
    when = translations.day(published or story.first_seen_at, language, zone)
    if published is None:
        when = say.gettext("found on %(day)s") % {"day": when}
    parts = [one_line(story.agency, 80), translations.country_name(story.country, language), when]
    if story.source_language and story.source_language != language:
        parts.append(_in_language(story.source_language, say))
    return " · ".join(part for part in parts if part)


def _in_language(language: Language, say: NullTranslations) -> str:
    phrases = {
        Language.EN: say.gettext("in English"),
        Language.FR: say.gettext("in French"),
        Language.ES: say.gettext("in Spanish"),
    }
    return phrases.get(language, "")


def twin_label(twin_language: Language, language: Language) -> str:
    """What stands before the link to the same news in another language."""
    say = translations.translations(language)
    labels = {
        Language.EN: say.gettext("In English:"),
        Language.FR: say.gettext("In French:"),
        Language.ES: say.gettext("In Spanish:"),
    }
    return labels[twin_language]


def reason(story: Story, language: Language) -> str:
    """Why the story is in the digest."""
    say = translations.translations(language)
    terms = dict.fromkeys(map(_words, story.terms))
    quoted = [say.gettext("“%(term)s”") % {"term": term} for term in list(terms)[:_TERMS_SHOWN]]
    if story.score is None:
        return say.gettext("Matched on %(terms)s") % {"terms": ", ".join(quoted)}
    percent = format_percent(round(story.score, 2), locale=translations.locale(language))
    parts = {"terms": ", ".join(quoted), "percent": percent}
    return say.gettext("Matched on %(terms)s · relevance %(percent)s") % parts


def _words(term: str) -> str:
    """The words of a watch's term without the signs of the query language: ``"rare earths"~3``."""
    return one_line(_QUERY_SIGNS.sub("", term), 60)


def coverage_lines(coverage: Coverage, language: Language) -> list[str]:
    """What was watched in the window, a sentence a line."""
    say = translations.translations(language)
    checked = say.ngettext("%(num)d source was checked.", "%(num)d sources were checked.", coverage.checked) % {
        "num": coverage.checked
    }
    named = [
        (say.gettext("Could not be read: %(names)s."), coverage.failing),
        (say.gettext("Unusually quiet: %(names)s."), coverage.quiet),
        (say.gettext("No news for 90 days: %(names)s."), coverage.silent_topics),
    ]
    return [checked] + [line % {"names": _listed(names, say)} for line, names in named if names]


def _listed(names: Sequence[str], say: NullTranslations) -> str:
    shown = ", ".join(one_line(name, 60) for name in names[:_NAMES_SHOWN])
    rest = len(names) - _NAMES_SHOWN
    if rest <= 0:
        return shown
    return f"{shown}, {say.ngettext('and %(num)d more', 'and %(num)d more', rest) % {'num': rest}}"
