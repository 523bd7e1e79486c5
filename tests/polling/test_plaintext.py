"""Hostile HTML ends as inert text: 149 vectors in 5 contexts each."""

from __future__ import annotations

import time
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment

from monitor.polling.keys import absolute_link
from monitor.polling.plainmarkup import read_plain_html
from monitor.polling.plaintext import _read_any_html, plain_text, tidy_paragraphs

CODE = "alert(document.cookie)"

ELEMENTS = [
    f"<script>{CODE}</script>",
    f"<SCRIPT>{CODE}</SCRIPT>",
    f"<script type=text/javascript>{CODE}</script >",
    f"<script\n>{CODE}</script\n>",
    f"<script/x>{CODE}</script/x>",
    f"<scr<script>ipt>{CODE}</script>",
    "<script src=//evil.example/x.js></script>",
    f"<script>{CODE}",
    f"<svg><script>{CODE}</script></svg>",
    f"<math><mtext><script>{CODE}</script></mtext></math>",
    f"<style>*{{background:url(javascript:{CODE})}}</style>",
    f"<noscript><p title='</noscript><img src=x onerror={CODE}>'></noscript>",
    f"<template><script>{CODE}</script></template>",
    f"<iframe srcdoc='&lt;script&gt;{CODE}&lt;/script&gt;'></iframe>",
    f"<object data='javascript:{CODE}'></object>",
    f"<embed src='javascript:{CODE}'>",
    f"<xmp><script>{CODE}</script></xmp>",
    f"<noembed><script>{CODE}</script></noembed>",
    f"<textarea><script>{CODE}</script></textarea>",
    f"<title><script>{CODE}</script></title>",
]

_TAGS = "img body svg input video audio details marquee select a div form iframe object isindex"
_EVENTS = (
    "onerror onload ONLOAD onfocus oncanplay OnCanPlay ontoggle onstart onchange onclick onmouseover onsubmit "
    "onpageshow onabort OnFocus onbegin onunload onactivate oninput onplay onended onclose onbounce onkeydown "
    "ondblclick onwheel onreset onblur ONERROR OnLoad onpaste onfocusin onloadstart onpause OnClick onfinish "
    "onkeyup onauxclick ondrag onformdata onhashchange onresize ondrop oncut oncopy"
)
HANDLERS = [f'<{tag} {event}="{CODE}">' for tag, event in zip(_TAGS.split() * 3, _EVENTS.split(), strict=True)]

SCHEMES = [
    scheme + CODE
    for scheme in (
        "javascript:",
        "JaVaScRiPt:",
        "java\tscript:",
        "java\nscript:",
        "&#106;avascript:",
        "&#x6A&#x61&#x76&#x61&#x73&#x63&#x72&#x69&#x70&#x74&#x3A;",
        "data:text/html,",
    )
]
LINKS = [
    f'<{tag} {attribute}="{address}"></{tag}>'
    for address in SCHEMES
    for tag, attribute in (
        ("a", "href"),
        ("img", "src"),
        ("form", "action"),
        ("button", "formaction"),
        ("svg", "xlink:href"),
        ("base", "href"),
    )
]

ODDITIES = [
    f"<div style=\"background:url('javascript:{CODE}')\"></div>",
    f'<div style="width:expression({CODE})"></div>',
    "<link rel=stylesheet href=//evil.example/x.css>",
    f'<meta http-equiv=refresh content="0;url=javascript:{CODE}">',
    f"<!--[if gte IE 4]><script>{CODE}</script><![endif]-->",
    f"<!-- --!><img src=x onerror={CODE}> -->",
    f"<![CDATA[<img src=x onerror={CODE}>]]>",
    f"<?xml-stylesheet href='javascript:{CODE}'?>",
    f"<!DOCTYPE x [<!ENTITY y '{CODE}'>]>",
    f"<math><mi//xlink:href='data:x,{CODE}'>",
    f"<svg><style><img src=x onerror={CODE}></style></svg>",
    f"<math><mtext><table><mglyph><style><img src=x onerror={CODE}>",
    f'<form><math><mtext></form><form><mglyph><style></math><img src=x onerror="{CODE}">',
    f"<a title=\"</title><img src=x onerror='{CODE}'>\">",
    f'<img src="x` `<script>{CODE}</script>"` `>',
    f"<img \x00src=x \x00onerror={CODE}>",
    f"<\x00script>{CODE}</\x00script>",
    f"<img/src/onerror={CODE}>",
    f"<img\x0csrc=x\x0conerror={CODE}>",
    f"<<img src=x onerror={CODE}>",
    f"<p/<img src=x onerror={CODE}>>",
    f"<a href=x><b><i><a onclick={CODE}></b></i>",
    f"<x:script xmlns:x='http://www.w3.org/1999/xhtml' onclick='{CODE}'/>",
    f"<isindex action=javascript:{CODE} type=image>",
    f"<frameset onload={CODE}>",
    f"<table background='javascript:{CODE}'></table>",
    f"<bgsound src='javascript:{CODE}'>",
    f"<layer src='javascript:{CODE}'></layer>",
    f"<input type=image src='javascript:{CODE}'>",
    f"<video><source onerror='{CODE}'></video>",
    f"<keygen autofocus onfocus='{CODE}'>",
    f"<select><noembed></select><script x='a@b'a>{CODE}</script>",
    f"<b {'x=1 ' * 400}onclick='{CODE}'>",
    f"{'<div>' * 400}<img src=x onerror={CODE}>",
    "&lt;img src=x onerror=spelled&gt;",
    "&amp;lt;script&amp;gt;spelled&amp;lt;/script&amp;gt;",
    "&#60;script&#62;spelled&#60;/script&#62;",
    "\u202espelled backwards\u202c",
    "{{7*7}}{% raw %}{{ config }}",
    "${7*7}#{7*7}<%= 7*7 %>",
    "\ud800\udfffspelled",
    "%3Cscript%3Espelled%3C/script%3E",
]

VECTORS = [*ELEMENTS, *HANDLERS, *LINKS, *ODDITIES]
CONTEXTS = ["{}", "<p>before</p>{}<p>after</p>", "<ul><li>{}<li>x</ul>", "<!-- x -->{}", '<a href="{}">text</a>']
SNIPPETS = [context.replace("{}", vector) for vector in VECTORS for context in CONTEXTS]

PAGE = Environment(autoescape=True).from_string('<p title="{{ text }}">{{ text }}</p>')


class _Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, list[str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, [name for name, _ in attrs]))


def test_there_are_as_many_snippets_as_the_table_promises() -> None:
    assert len(set(VECTORS)) == 149
    assert len(SNIPPETS) == 745


@pytest.mark.parametrize("context", CONTEXTS)
def test_every_vector_ends_inert(context: str) -> None:
    """FAULTS 55: on a page of ours no element and no attribute of it survives."""
    for vector in VECTORS:
        text = plain_text(context.replace("{}", vector))
        seen = _Seen()
        seen.feed(PAGE.render(text=text))
        assert seen.tags == [("p", ["title"])], vector
        text.encode("utf-8")
        assert not any(mark in text for mark in "\x00\u202e\u202c"), vector


@pytest.mark.parametrize("vector", [*ELEMENTS[:5], *HANDLERS, *LINKS])
def test_no_code_is_kept(vector: str) -> None:
    assert CODE not in plain_text(f"<p>before</p>{vector}<p>after</p>")
    assert plain_text(f"<p>before</p>{vector}").startswith("before")


_NESTED = st.recursive(
    st.sampled_from(["text", "a", "é", " ", "\n\n", "&amp;", "&nbsp;", "&#8212;", "&lt;b&gt;", ">", "<br>", "<hr/>"]),
    lambda inner: st.builds(
        "<{0}{1}>{2}</{0}>".format,
        st.sampled_from(["p", "b", "a", "h2", "div", "ul", "li", "span", "blockquote", "article"]),
        st.sampled_from(["", " class='x'", ' href="/x?a=1&amp;b=2"']),
        st.lists(inner, max_size=4).map("".join),
    ),
    max_leaves=12,
)


@given(st.lists(_NESTED, max_size=4).map("".join))
@settings(max_examples=300)
def test_plain_html_reads_as_any_html_does(html: str) -> None:
    """libxml2 is the judge: where the fast reader answers at all, the text is the same."""
    fast = read_plain_html(html)
    assert fast is None or fast == _read_any_html(html)


def test_what_most_feeds_hold_is_plain() -> None:
    assert read_plain_html('<p class="a">One &amp; <b>two</b></p><ul><li>three<br/>four</li></ul>') == (
        "One & two\n\nthree\nfour"
    )


@pytest.mark.parametrize("address", SCHEMES)
def test_no_link_of_a_script_is_kept(address: str) -> None:
    """FAULTS 29."""
    assert absolute_link(address, "").startswith(("https://", "http://")) or absolute_link(address, "") == ""


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("plain words", "plain words"),
        ("<p>One</p><p>Two<br>three</p>", "One\n\nTwo\nthree"),
        ("<p>One\n  two</p>\n\n\n<p> three </p>", "One two\n\nthree"),
        ("<ul><li>a</li><li>b</li></ul>after", "a\nb\n\nafter"),
        ("<table><tr><th>a<td>b<tr><td>c</table>", "a b\nc"),
        ("AT&amp;T &amp;lt;b&amp;gt; &eacute;&nbsp;!", "AT&T &lt;b&gt; é !"),
        ("<b>AT&amp;T &amp;lt;b&amp;gt;</b>", "AT&T &lt;b&gt;"),
        ("a < b and c > d", "a < b and c > d"),
        ("word<b>part</b>s", "wordparts"),
        ("zero\u200bwidth <i>so\u00adft</i> \u2060hyphens", "zerowidth soft hyphens"),
        ("line one\n\nline two\nline three", "line one\n\nline two line three"),
        ("<p>e\u0301te\u0301</p>", "été"),
        ("<head><title>t</title></head><body>b</body>", "b"),
        ("", ""),
        ("<", "<"),
        ("<!-- only a comment -->", ""),
    ],
)
def test_html_reads_as_a_person_reads_it(html: str, text: str) -> None:
    assert plain_text(html) == text


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 200_000 + "deep",
        "<b>x" * 200_000 + "</p>" * 50_000,
        "<b " + " ".join(f"a{n}=1" for n in range(100_000)) + ">x",
        "<div>" * 300 + "<script>" * 100_000,
        "<div>" * 300 + "<!--" * 100_000,
        "<" * 300_000,
        "<a" * 300_000,
        "<b>" + "&" * 300_000,
        "<table>" * 100_000,
    ],
    ids=lambda html: html[:12],
)
def test_a_heap_of_markup_takes_its_bytes_time(html: str) -> None:
    started = time.thread_time()
    plain_text(html)
    assert time.thread_time() - started < 2


def test_text_below_too_many_levels_is_kept() -> None:
    assert plain_text("<div>" * 1000 + "deep &amp; <script>no</script>down") == "deep & down"


@given(st.text(max_size=200))
@settings(max_examples=200)
def test_any_text_is_storable_and_stable(text: str) -> None:
    once = plain_text(text)
    once.encode("utf-8")
    assert "\x00" not in once
    assert tidy_paragraphs(once).replace("\n", " ").split() == once.split()
