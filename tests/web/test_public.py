"""Topics, pillars, items and the search, as the public meets them: in three languages, paged, and full of harm."""

from __future__ import annotations

import re
import time
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from bs4 import BeautifulSoup, Tag

from monitor.store.articles import give_up_article

HOSTILE = '<script>alert("x")</script>{{7*7}}${7*7}<img src=x onerror=alert(1)>'


def titles(page: str) -> list[str]:
    return re.findall(r'class="headline"[^>]*><a[^>]*>(.*?)</a>', page)


def following(page: str) -> str:
    found = re.search(r'rel="next"[^>]* href="([^"]+)"', page)
    return found[1].replace("&amp;", "&") if found else ""


def test_a_topic_tells_its_news_by_time_and_who_published(site: Any, newsroom: Any) -> None:
    newsroom.publish("Older", "norad", days=40, country="US")
    newsroom.publish("Newer", "norad", days=2)
    newsroom.publish("Newest", "norad", days=1)
    newsroom.publish("Of something else", "border")
    page = site.get("/topics/norad").text
    assert titles(page) == ["Newest", "Newer", "Older"]
    assert re.findall(r'class="month-name">(.*?)<', page) == ["November 2026", "October 2026"]
    assert "3 pieces of news in 26 weeks · 2 in the last seven days" in page
    shares = re.findall(r"<li><span>(.*?)</span> <strong>(\d+)</strong>", page)
    assert shares == [("Agency CA", "2"), ("Agency US", "1"), ("Canada", "2"), ("United States", "1")]
    for link in ("/topics/norad/feed.atom", "/topics/norad/feed.json", "/subscribe?topic=norad"):
        assert f'href="{link}"' in page


@pytest.mark.parametrize(("path", "topics"), [("/topics/norad", ["norad"]), ("/pillars/security", ["norad", "border"])])
def test_all_news_is_reached_page_by_page_and_none_twice(
    site: Any, newsroom: Any, path: str, topics: list[str]
) -> None:
    expected = []
    for number in range(95):
        newsroom.publish(f"Number {number}", topics[number % len(topics)], days=1 + number // 3)
        expected.append(f"Number {number}")
    seen: list[str] = []
    while path:
        page = site.get(path)
        assert page.status_code == 200
        seen += titles(page.text)
        path = following(page.text)
    assert sorted(seen) == sorted(expected)
    days = [int(title.split()[1]) // 3 for title in seen]
    assert days == sorted(days)


def test_the_same_news_is_told_once_and_led_by_the_readers_language(site: Any, newsroom: Any) -> None:
    english = newsroom.publish("In English", "norad")
    french = newsroom.publish("En français", "norad", country="FR", language="fr")
    newsroom.join(english, french)
    assert titles(site.get("/topics/norad").text) == ["In English"]
    page = site.get("/topics/norad?lang=fr").text
    assert titles(page) == ["En français"]
    assert f'Aussi publié par : <a href="/items/{english}">Agency CA'.replace(" :", "\u00a0:") in page
    assert f'href="/items/{french}"' in site.get(f"/items/{english}").text


def test_an_item_shows_its_evidence_its_record_and_how_it_changed(site: Any, newsroom: Any) -> None:
    item = newsroom.publish("Nine joint projects", "norad", body="The first line.\nThe second line.")
    newsroom.revise(item, "Twelve joint projects", body="The first line.\nAnother line.")
    page = site.get(f"/items/{item}-any-slug").text
    assert "<ins>Twelve </ins>" in page
    assert "<del>Nine </del>" in page
    assert "it is matched again within minutes" in page
    assert "Changed once since it was published" in page
    with site.app.database.write() as session:
        newsroom.match(session, item, 2, "norad")
    page = site.get(f"/items/{item}").text
    assert "About <mark>norad</mark>" in page
    assert "<code>other</code>" in page
    assert f'<link rel="canonical" href="{site.app.settings.base_url}/items/{item}">' in page
    assert "23 November 2026, 12:00 UTC" in page


def test_an_item_says_when_its_full_text_was_read_from_its_page(site: Any, newsroom: Any) -> None:
    item = newsroom.publish("Nine projects", "norad")
    assert "Full text read" not in site.get(f"/items/{item}").text
    newsroom.read_page(item, "All of it.", "of-the-page")
    newsroom.read_page(item, "", "of-a-page-without-text")
    with site.app.database.write() as session:
        give_up_article(session, item)
    record = BeautifulSoup(site.get(f"/items/{item}").text, "lxml").select_one(".record")
    assert record
    rows = dict(zip(*(map(Tag.get_text, record.select(tag)) for tag in ("dt", "dd")), strict=True))
    assert rows["Full text read from its page"] == "24 November 2026, 12:00 UTC"
    assert rows["SHA-256 of title and text of that page"] == "of-the-page"
    newsroom.revise(item, "Nine projects", body="What the feed itself now gives.")
    assert "Full text read" not in site.get(f"/items/{item}").text


def test_a_withdrawn_item_says_so(site: Any, newsroom: Any) -> None:
    item = newsroom.publish("Gone", "norad")
    newsroom.set(item, withdrawn_at=site.now)
    assert "The source no longer shows this" in site.get(f"/items/{item}").text


def test_an_item_can_be_cited(site: Any, newsroom: Any) -> None:
    item = newsroom.publish('A "title" & more', "norad")
    ris = site.get(f"/items/{item}/citation.ris")
    assert ris.headers["content-type"].startswith("application/x-research-info-systems")
    assert ris.headers["content-disposition"] == f'attachment; filename="roadmap-monitor-{item}.ris"'
    assert 'TI  - A "title" & more\r\n' in ris.text
    assert r"\& more" in site.get(f"/items/{item}-slug/citation.bib").text
    assert "Agency CA. “A &#34;title&#34; &amp; more.” 22 November 2026." in site.get(f"/items/{item}").text


def test_what_is_not_there_is_not_found(site: Any) -> None:
    items = ("999", "x", "-1", "9999999999999999999", "1%20", "999/citation.ris", "%00", "1/../1")
    for path in ("/topics/nothing", "/pillars/nothing", *(f"/items/{item}" for item in items)):
        answer = site.get(path)
        assert answer.status_code == 404, path
        assert "Not found" in answer.text


def test_a_cursor_that_is_none_of_ours_is_refused(site: Any) -> None:
    for path in ("/topics/norad?before=", "/pillars/security?before=", "/search?q=norad&before="):
        for cursor in ("x", "W10", "WyJhIiwxXQ", "../..", "%00", "W1wiMjAyNi0xMS0yM1wiLDFd"):
            assert site.get(path + cursor).status_code == 400, (path, cursor)


def search(site: Any, **asked: str) -> Any:
    return site.get("/search?" + urlencode(asked))


def test_the_search_takes_the_query_language_and_shows_why(site: Any, newsroom: Any) -> None:
    newsroom.publish("Radar sites modernized", "norad", days=3)
    newsroom.publish("Radars in the Arctic", days=2)
    newsroom.publish("Un radar dans l’Arctique", days=1, country="FR", language="fr")
    newsroom.publish("Nothing of the kind", days=1)
    assert titles(search(site, q="radar").text) == [
        "Un radar dans l’Arctique",
        "Radars in the Arctic",
        "Radar sites modernized",
    ]
    assert titles(search(site, q="title:radar AND NOT arcti*").text) == ["Radar sites modernized"]
    assert titles(search(site, q="radar", tongue="fr").text) == ["Un radar dans l’Arctique"]
    assert titles(search(site, q="radar", topic="norad").text) == ["Radar sites modernized"]
    assert titles(search(site, q="radar", since="2026-11-21", until="2026-11-21").text) == ["Radars in the Arctic"]
    page = search(site, q="radar").text
    assert "<mark>radar</mark>" in page
    assert "3 publications found" in page
    assert "Nothing found." in search(site, q="walrus").text


def test_all_results_are_reached_page_by_page(site: Any, newsroom: Any) -> None:
    for number in range(45):
        newsroom.publish(f"Radar {number}", days=1 + number // 2)
    path, seen = "/search?q=radar", list[str]()
    while path:
        page = site.get(path).text
        seen += titles(page)
        path = following(page)
    assert len(seen) == len(set(seen)) == 45


def test_what_is_wrong_with_a_search_is_told_where_it_stands(site: Any) -> None:
    for asked, told in (
        ({"q": "norad AND (radar"}, "at character 11"),
        ({"q": '"norad'}, "at character 1"),
        ({"q": "x" * 2_001}, "at character 2001"),
        ({"tongue": "de"}, "Choose a language from the list."),
        ({"topic": "nothing"}, "Choose a topic from the list."),
        ({"since": "yesterday"}, "Write a day as 2026-11-23."),
        ({"until": "0001-01-01"}, "Write a day as 2026-11-23."),
        ({"since": "2026-11-23", "until": "2026-11-22"}, "The last day is before the first one."),
    ):
        answer = search(site, **{"q": "norad", **asked})
        assert answer.status_code == 422, asked
        assert told in answer.text


def test_a_hostile_search_is_answered_at_once(site: Any) -> None:
    for query in ("((((" * 5_000, "a* b*" * 400, "NOT " * 400 + "a", "\x00", "\u202e", '"\ufeff"'):
        started = time.process_time()
        assert search(site, q=query).status_code == 422, query[:20]
        assert time.process_time() - started < 1


def test_harm_stays_text_on_every_page(site: Any, newsroom: Any) -> None:
    item = newsroom.publish(f"{HOSTILE} one", "norad", body=HOSTILE, url="javascript:alert(1)")
    newsroom.revise(item, f"{HOSTILE} two", body=HOSTILE * 2)
    newsroom.set(item, twins={"fr": "javascript:alert(1)"}, url="javascript:alert(1)")
    for path in (
        "/",
        "/topics/norad",
        "/pillars/security",
        f"/items/{item}",
        "/search?q=alert",
        "/search?q=" + quote(HOSTILE),
    ):
        page = BeautifulSoup(site.get(path).text, "html.parser")
        main = page.main
        assert main
        assert not main.find(["script", "img", "iframe"]), path
        assert not [name for tag in main.find_all() for name in tag.attrs if name.startswith("on")], path
        assert all(re.match(r"/(?!/)|https?://|#", str(link["href"])) for link in page.find_all(href=True)), path
        assert HOSTILE in str(main.find("input", {"name": "q"}) or "") + main.get_text() or "q=%3C" in path


def test_every_page_speaks_the_readers_language(site: Any, newsroom: Any) -> None:
    newsroom.publish("A title", "norad")
    for path, french, spanish in (
        ("/", "1 nouvelle en sept jours", "1 noticia en siete días"),
        ("/topics/norad", "Qui a publié", "Quién publicó"),
        ("/pillars/security", "Chronologie", "Cronología"),
        ("/items/1", "Lire à la source", "Leer en la fuente"),
        ("/search", "Chercher dans les archives", "Buscar en el archivo"),
    ):
        assert french in site.get(f"{path}?lang=fr").text
        assert spanish in site.get(f"{path}?lang=es").text


def test_a_quiet_topic_is_marked(site: Any, newsroom: Any) -> None:
    newsroom.publish("Long ago", "norad", days=60)
    newsroom.publish("Just now", "border", days=1)
    page = site.get("/").text
    assert re.findall(
        r'<li class="topic( quiet)?">\s*<div class="topic-head">\s*<a class="topic-name" href="/topics/(\w+)"', page
    ) == [(" quiet", "norad"), ("", "border"), (" quiet", "methane")]
    assert page.count("quiet-mark") == 1, "a topic that never had news is not quiet, it has begun"
