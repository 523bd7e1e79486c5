"""``monitor db``: the database's schema."""

from __future__ import annotations

import typer

from monitor.cli.output import say
from monitor.clock import utc_now
from monitor.runners.assemble import make_database, make_folder
from monitor.settings import load_settings
from monitor.store.migrate import newest_version, schema_version, upgrade
from monitor.store.queue_schema import prepare_queue

app = typer.Typer(help="The database's schema.", no_args_is_help=True)


@app.command("upgrade")
def upgrade_() -> None:
    """Bring the schema to the newest version; an SQLite file is copied aside first."""
    settings = load_settings()
    make_folder(settings.data_dir)
    database = make_database(settings)
    copy = upgrade(database, utc_now())
    prepare_queue(database)
    say(f"The schema is at version {newest_version()}." + (f" The file as it was: {copy}" if copy else ""))


@app.command()
def version() -> None:
    """Tell the schema's version, and the one that this release wants."""
    database = make_database(load_settings())
    say(f"stored: {schema_version(database) or 'none'}, wanted: {newest_version()}")
