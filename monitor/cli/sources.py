"""``monitor source``: where the news comes from."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from monitor import event_loop
from monitor.app import App
from monitor.cli.installation import ACTOR, installation
from monitor.cli.options import language_option
from monitor.cli.output import AsJson, print_rows, progress_bar, say
from monitor.core.languages import Language
from monitor.core.nouns import SourceKind
from monitor.core.sources_file import check_country
from monitor.errors import NotFound, Refused
from monitor.polling.examine import Examination, Offer, examine, spec_of
from monitor.polling.feed_lists import import_feeds
from monitor.polling.opml import read_opml, write_opml
from monitor.polling.paging import Paging
from monitor.polling.visit import Probe, probe
from monitor.store.sources import list_sources, load_specs, set_source_state, store_new_source
from monitor.store.visits import SourceState, load_states

_SHOWN = 5

_PAGING_WORDS = {
    Paging.GOES_ON: "The list has more pages; they are read as far as their publications are new.",
    Paging.REPEATS: "Page 2 is page 1 again: the site does not turn its pages, so that only the first one counts.",
    Paging.UNREAD: "The list has more pages, but page 2 could not be read.",
}

app = typer.Typer(help="Where the news comes from.", no_args_is_help=True)


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List the sources with the state of their polling."""
    with installation() as opened, opened.database.read() as session:
        found = list_sources(session)
    rows = [
        {
            "slug": row.slug,
            "agency": row.agency,
            "country": row.country,
            "language": row.language,
            "state": row.state,
            "health": row.health,
            "last_success": row.last_success_at,
            "next_poll": row.next_poll_at,
            "url": row.url,
        }
        for row in found
    ]
    print_rows(rows, as_json=as_json, empty="No sources. `monitor config apply` adds the shipped ones.")


@app.command()
def check(
    slugs: Annotated[list[str] | None, typer.Argument(help="The sources to check; all if left out.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Visit sources now, store nothing, and tell what each would bring."""
    with installation() as opened:
        with opened.database.read() as session:
            wanted = [
                row for row in list_sources(session) if row.state == "active" and (not slugs or row.slug in slugs)
            ]
            if unknown := set(slugs or ()) - {row.slug for row in wanted}:
                raise NotFound(f"source {min(unknown)!r}: no such active source; see `monitor source list`")
            states = load_states(session, [row.id for row in wanted if row.id is not None])
        probes = event_loop.run(_probe(opened, states))
    rows = [
        {
            "slug": found.slug,
            "outcome": found.outcome,
            "entries": found.entries,
            "newest": found.newest,
            "detail": found.detail,
        }
        for found in sorted(probes, key=lambda found: found.slug)
    ]
    print_rows(rows, as_json=as_json, empty="No sources. `monitor config apply` adds the shipped ones.")
    if any(found.failed for found in probes):
        raise typer.Exit(1)


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="A feed, a page that lists news, or a site to look for feeds on.")],
    *,
    agency: Annotated[str, typer.Option(help="The agency's name; the feed's own title if left out.")] = "",
    country: Annotated[str, typer.Option(help="CA, US, MX …, INT or EU.")] = "INT",
    language: Annotated[
        Language | None,
        language_option(text="en, fr or es, where the feed does not say."),
    ] = None,
    offer: Annotated[int, typer.Option(min=1, help="Which of the offers to take.")] = 1,
    yes: Annotated[bool, typer.Option("--yes", help="Store it without asking.")] = False,
) -> None:
    """Look at an address, show what it would bring, and store it as a source when you agree."""
    check_country(country)
    with installation() as opened:
        found = event_loop.run(_examine(opened, url))
        if not found.offers:
            raise Refused(f"{url}: {found.problem}")
        for number, one in enumerate(found.offers, start=1):
            _show_offer(number, one)
        if offer > len(found.offers):
            raise Refused(f"offer {offer}: there are only {len(found.offers)}")
        with opened.database.read() as session:
            taken = [row.slug for row in list_sources(session)]
        chosen = found.offers[offer - 1]
        spec = spec_of(chosen, agency=agency, country=country, language=language, taken=taken)
        if spec is None:
            raise Refused("the feed does not say its language; add --language en, fr or es")
        if not yes and not typer.confirm(f"Store {spec.url} as {spec.slug}?"):
            say("Nothing was stored.")
            return
        with opened.database.write() as session:
            store_new_source(session, spec, actor=ACTOR, now=opened.clock())
    say(f"Stored as {spec.slug}. Its first visit is due now.")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="An OPML file.")],
    *,
    country: Annotated[str, typer.Option(help="The country of all of them.")] = "INT",
    language: Annotated[
        Language,
        language_option(text="The language of those that do not say: en, fr or es."),
    ] = Language.EN,
) -> None:
    """Add the feeds of an OPML list; those that are there already are left alone."""
    listed = read_opml(file.read_bytes())
    with installation() as opened, opened.database.write() as session:
        added = import_feeds(session, listed, country=country, language=language, actor=ACTOR, now=opened.clock())
    for warning in listed.warnings:
        say(f"Left out: {warning}")
    say(f"{len(added)} added, {len(listed.outlines) - len(added)} were there already.")


@app.command()
def export() -> None:
    """Write the feeds as OPML, for any other feed reader."""
    with installation() as opened, opened.database.read() as session:
        specs, now = load_specs(session), opened.clock()
    typer.echo(write_opml(specs, now=now).decode())


@app.command()
def pause(slug: Annotated[str, typer.Argument(help="The source.")]) -> None:
    """Stop visiting a source until it is resumed."""
    _set_state(slug, "paused")


@app.command()
def resume(slug: Annotated[str, typer.Argument(help="The source.")]) -> None:
    """Visit a paused or ended source again, from now on."""
    _set_state(slug, "active")


def _set_state(slug: str, state: str) -> None:
    with installation() as opened, opened.database.write() as session:
        set_source_state(session, slug, state, actor=ACTOR, now=opened.clock())
    say(f"{slug} is {state}.")


def _show_offer(number: int, offer: Offer) -> None:
    kind = "a page, read by selectors" if offer.kind is SourceKind.PAGE else "a feed"
    say(f"[{number}] {offer.url}\n    {offer.title or 'without a title'}: {kind} of {len(offer.entries)} publications")
    for entry in offer.entries[:_SHOWN]:
        day = f"{entry.published_at:%Y-%m-%d}" if entry.published_at else "no date   "
        say(f"    {day}  {entry.title}")
    if words := _PAGING_WORDS.get(offer.paging):
        say(f"    {words}")


async def _examine(opened: App, url: str) -> Examination:
    async with opened.make_fetcher() as fetcher:
        return await examine(fetcher, url, opened.clock())


async def _probe(opened: App, states: list[SourceState]) -> list[Probe]:
    gate = asyncio.Semaphore(opened.settings.poll_concurrency)
    with progress_bar() as bar:
        task = bar.add_task("checking", total=len(states))
        async with opened.make_fetcher() as fetcher:

            async def one(state: SourceState) -> Probe:
                async with gate:
                    found = await probe(fetcher, state, opened.clock())
                bar.advance(task)
                return found

            return list(await asyncio.gather(*(one(state) for state in states)))
