"""A digest of invented news, for test mails, previews and screenshots before there is any real one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from monitor.core.languages import Language
from monitor.digests.content import (
    ChangedStory,
    Coverage,
    DigestContent,
    Link,
    Mention,
    PillarSection,
    Sender,
    Span,
    Story,
    TopicSection,
    Twin,
)

_END = datetime(2026, 11, 22, 13, tzinfo=UTC)
_SITE = "https://monitor.example.org"
_EN, _FR, _ES = Language.EN, Language.FR, Language.ES

_NAMES = {
    "security": {_EN: "Security and defence", _FR: "Sécurité et défense", _ES: "Seguridad y defensa"},
    "climate": {
        _EN: "Climate ambition",
        _FR: "Ambition climatique",
        _ES: "Ambición climática",
    },
    "alliances": {_EN: "Global alliances", _FR: "Alliances mondiales", _ES: "Alianzas mundiales"},
    "norad": {
        _EN: "NORAD and continental defence",
        _FR: "NORAD et défense continentale",
        _ES: "NORAD y defensa continental",
    },
    "crime": {
        _EN: "Cross-Border Crime Forum",
        _FR: "Forum sur la criminalité transfrontalière",
        _ES: "Foro sobre Delincuencia Transfronteriza",
    },
    "methane": {
        _EN: "Methane and short-lived pollutants",
        _FR: "Méthane et polluants à courte durée de vie",
        _ES: "Metano y contaminantes de vida corta",
    },
    "summit": {
        _EN: "North American Leaders’ Summit",
        _FR: "Sommet des leaders nord-américains",
        _ES: "Cumbre de Líderes de América del Norte",
    },
    "five-eyes": {_EN: "Five Eyes", _FR: "Groupe des cinq", _ES: "Cinco Ojos"},
}


def sample_digest(language: Language) -> DigestContent:
    """A week's digest with every kind of line in it, for one reader language."""

    def name(key: str) -> str:
        return _NAMES[key][language]

    stories = _stories(language)
    return DigestContent(
        window_start=_END - timedelta(days=7),
        window_end=_END,
        language=language,
        zone="America/Toronto",
        pillars=(
            PillarSection(
                name("climate"),
                (TopicSection("methane", name("methane"), stories["methane"]),),
            ),
            PillarSection(
                name("security"),
                (
                    TopicSection("norad", name("norad"), stories["norad"], passing=_PASSING),
                    TopicSection("cross-border-crime", name("crime"), stories["crime"], more=14),
                ),
            ),
            PillarSection(
                name("alliances"),
                (TopicSection("leaders-summit", name("summit"), stories["summit"]),),
            ),
        ),
        sender=Sender(
            "Roadmap Monitor",
            "150 Sample Street, Suite 12, Ottawa, Ontario K1A 0A0, Canada",
            "monitor@example.org",
        ),
        manage_url=f"{_SITE}/s/manage",
        unsubscribe_url=f"{_SITE}/s/unsubscribe",
        web_url=f"{_SITE}/d/2026-11-22",
        changed=_CHANGED,
        coverage=Coverage(
            checked=84,
            failing=("Public Safety Canada (FR)",),
            quiet=("Northern Command",),
            silent_topics=(name("five-eyes"),),
        ),
    )


def _when(days: int) -> datetime:
    return _END - timedelta(days=days, hours=3)


def _marked(text: str) -> tuple[Span, ...]:
    """``"the [NORAD] plan"`` as spans: what stands in brackets is highlighted."""
    parts = text.replace("]", "[").split("[")
    return tuple(Span(part, highlighted=i % 2 == 1) for i, part in enumerate(parts) if part)


_PASSING = (
    Mention("Change of command at 22 Wing North Bay", f"{_SITE}/x/wing", "Royal Canadian Air Force", _EN),
    Mention("Budget speech: remarks as prepared", f"{_SITE}/x/budget", "Department of Finance", _EN),
)
_CHANGED = (
    ChangedStory(
        "Fact sheet: the northern approaches surveillance system",
        f"{_SITE}/x/facts",
        "Department of Defense",
        _when(2),
        language=_EN,
    ),
    ChangedStory(
        "Media advisory: ministers meet in Whitehorse",
        f"{_SITE}/x/advisory",
        "Global Affairs Canada",
        _when(4),
        withdrawn=True,
        language=_EN,
    ),
)


def _stories(language: Language) -> dict[str, tuple[Story, ...]]:
    def twin(headline: str, url: str, source_language: Language) -> Twin | None:
        return Twin(language, headline, url) if language is not source_language else None

    radar_twins = {
        _FR: "Le Canada et les États-Unis choisissent le site du radar transhorizon de l’Arctique",
        _ES: "Canadá y Estados Unidos eligen el sitio del radar transhorizonte del Ártico",
    }
    methane_twins = {
        _EN: "Canada publishes its final methane rules for oil and gas",
        _ES: "Canadá publica sus reglas definitivas sobre el metano",
    }
    summit_twins = {
        _EN: "Mexico will host the North American Leaders’ Summit in January",
        _FR: "Le Mexique accueillera en janvier le Sommet des leaders nord-américains",
    }
    return {
        "norad": (
            Story(
                headline="Canada and the United States choose the site of the Arctic over-the-horizon radar",
                url=f"{_SITE}/x/radar",
                agency="National Defence",
                country="CA",
                source_language=_EN,
                first_seen_at=_when(1),
                published_at=_when(1),
                sentence=_marked(
                    "The two ministers called the station the largest step in [NORAD modernization] since the "
                    "North Warning System, and said that ground will be broken in the spring."
                ),
                terms=("NORAD modernization", "over-the-horizon radar"),
                score=0.94,
                also_from=(
                    Link("Department of Defense", f"{_SITE}/x/radar-dod"),
                    Link("Prime Minister of Canada", f"{_SITE}/x/radar-pm"),
                ),
                twin=twin(radar_twins.get(language, ""), f"{_SITE}/x/radar-{language}", _EN),
            ),
            Story(
                headline="Readout of the defence ministers’ call on continental defence",
                url=f"{_SITE}/x/readout",
                agency="Department of Defense",
                country="US",
                source_language=_EN,
                first_seen_at=_when(3),
                published_at=_when(3),
                sentence=_marked(
                    "They agreed on the schedule for the fighter bases at Goose Bay and Inuvik and on a shared budget "
                    "line for [continental defence]."
                ),
                terms=("continental defence",),
                score=0.81,
            ),
            Story(
                headline="Exercise Vigilant North ends in Yellowknife",
                url=f"{_SITE}/x/exercise",
                agency="North American Aerospace Defense Command",
                country="US",
                source_language=_EN,
                first_seen_at=_when(5),
                sentence=_marked(
                    "Crews of both countries flew 61 sorties for [NORAD] in nine days, eleven of them over the Arctic "
                    "Ocean."
                ),
                terms=("NORAD",),
                score=0.66,
            ),
        ),
        "crime": (
            Story(
                headline="Ministers set the agenda of the Cross-Border Crime Forum",
                url=f"{_SITE}/x/forum",
                agency="Public Safety Canada",
                country="CA",
                source_language=_EN,
                first_seen_at=_when(2),
                published_at=_when(2),
                sentence=_marked(
                    "Firearms and fentanyl lead the agenda of the [Cross-Border Crime Forum], which meets in Detroit "
                    "on 9 December."
                ),
                terms=("Cross-Border Crime Forum",),
                score=0.97,
            ),
        ),
        "methane": (
            Story(
                headline="Le Canada publie sa réglementation définitive sur le méthane du pétrole et du gaz",
                url=f"{_SITE}/x/methane",
                agency="Environment and Climate Change Canada",
                country="CA",
                source_language=_FR,
                first_seen_at=_when(2),
                published_at=_when(2),
                sentence=_marked(
                    "Le règlement vise une baisse de 75 % des émissions de [méthane] du secteur d’ici 2030 et suit de "
                    "six mois la règle américaine."
                ),
                terms=("méthane",),
                score=0.9,
                twin=twin(methane_twins.get(language, ""), f"{_SITE}/x/methane-{language}", _FR),
            ),
        ),
        "summit": (
            Story(
                headline="México será sede de la Cumbre de Líderes de América del Norte en enero",
                url=f"{_SITE}/x/cumbre",
                agency="Secretaría de Relaciones Exteriores",
                country="MX",
                source_language=_ES,
                first_seen_at=_when(4),
                published_at=_when(4),
                sentence=_marked(
                    "La [Cumbre de Líderes de América del Norte] tratará cadenas de suministro, migración y salud "
                    "pública, informó la cancillería."
                ),
                terms=("Cumbre de Líderes de América del Norte",),
                score=0.98,
                twin=twin(summit_twins.get(language, ""), f"{_SITE}/x/cumbre-{language}", _ES),
            ),
        ),
    }
