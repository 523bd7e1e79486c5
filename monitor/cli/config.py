"""``monitor config``: what to watch and where, as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.installation import ACTOR, installation
from monitor.cli.output import AsJson, print_json, say
from monitor.shipped import shipped
from monitor.store import config
from monitor.store.config import Action, Change

app = typer.Typer(help="What to watch and where, as files: topics.toml and sources.toml.", no_args_is_help=True)

Folder = Annotated[Path | None, typer.Argument(help="The folder with the files; the shipped one if left out.")]

_SIGNS = {Action.CREATE: "+", Action.UPDATE: "~", Action.RETIRE: "-", Action.KEEP: "=", Action.CONFLICT: "!"}
_REMARKS = {
    Action.KEEP: "made or edited in the product since; kept, unless you apply with --overwrite",
    Action.CONFLICT: "edited in the product and in the file; kept, unless you apply with --overwrite",
}


@app.command()
def plan(folder: Folder = None, *, as_json: AsJson = False) -> None:
    """Show what applying the files would change; nothing is written."""
    with installation() as opened, opened.database.read() as session:
        changes = config.plan(session, config.read_config(folder or shipped("config")))
    if as_json:
        print_json([{"action": change.action, "kind": change.kind, "id": change.id} for change in changes])
        return
    for change in changes:
        _print_change(change)
    say(_summary(changes) or "No difference between the files and what is stored.")


@app.command()
def apply(
    folder: Folder = None,
    *,
    overwrite: Annotated[bool, typer.Option(help="Let the files win where the product was edited.")] = False,
) -> None:
    """Carry out what plan shows, and say what was changed."""
    with installation() as opened, opened.database.write() as session:
        changes = config.plan(session, config.read_config(folder or shipped("config")))
        done = config.apply(session, changes, actor=ACTOR, now=opened.clock(), overwrite=overwrite)
    for change in changes:
        _print_change(change)
    say(f"{done} changed, {len(changes) - done} left as they are.")


@app.command()
def export(folder: Annotated[Path, typer.Argument(help="Where to write topics.toml and sources.toml.")]) -> None:
    """Write what is stored as files; a plan with them shows no difference."""
    with installation() as opened, opened.database.read() as session:
        for path in config.write_config(config.stored_config(session), folder):
            say(f"Wrote {path}")


def _print_change(change: Change) -> None:
    remark = _REMARKS.get(change.action, "")
    say(f"{_SIGNS[change.action]} {change.kind} {change.id}" + (f"  ({remark})" if remark else ""))
    if change.before is not None and change.after is not None:
        for name, before, after in change.differences():
            say(f"    {name}: {before!r} -> {after!r}")


def _summary(changes: list[Change]) -> str:
    counts = [(action, sum(change.action is action for change in changes)) for action in Action]
    return ", ".join(f"{count} to {action}" for action, count in counts if count)
