"""``monitor db``: the database's schema, and the move to another database."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from monitor.cli.backup import table_bar
from monitor.cli.output import AsJson, print_rows, say
from monitor.clock import utc_now
from monitor.runners.assemble import make_database, make_folder
from monitor.settings import load_settings
from monitor.store.engine import Database
from monitor.store.migrate import newest_version, schema_version, upgrade
from monitor.store.queue_schema import prepare_queue
from monitor.store.transfer import copy_database

app = typer.Typer(help="The database's schema, and the move to another one.", no_args_is_help=True)


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


@app.command()
def copy(
    source: Annotated[str, typer.Argument(help="sqlite:///path/to/monitor.db or postgresql+psycopg://user@host/name")],
    target: Annotated[str, typer.Argument(help="An empty database, of either kind.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Move an installation to another database; broken off, it goes on where it was. The service must not run."""
    password = load_settings().database_password.get_secret_value()
    with table_bar() as progress:
        tables = copy_database(
            Database(source, password=password), Database(target, password=password), utc_now(), progress
        )
    print_rows([asdict(table) for table in tables], as_json=as_json, empty="")
