"""`jibble profiles`: which organisations this user can work as, and which is meant by default."""

from __future__ import annotations

from cyclopts import App

from jibble_async.cli.connection import DEFAULT_OPTIONS, RunOptions
from jibble_async.cli.folders import config_folder
from jibble_async.cli.output import show_facts, show_rows
from jibble_async.cli.private_files import being_changed
from jibble_async.cli.profile_files import read_profiles, write_profiles

__all__ = ["profiles"]

profiles: App = App(name="profiles")

_COLUMNS = {
    "Name": "name",
    "Default": "default",
    "Organisation": "organization",
    "Secrets": "current",
    "Of the old API": "legacy",
}


@profiles.default
@profiles.command(name="list")
def list_profiles(*, options: RunOptions = DEFAULT_OPTIONS) -> None:
    """List the profiles, and where their secrets are kept.

    Args:
        options: What every command takes.
    """
    known = read_profiles()
    rows = [
        {
            "name": name,
            "default": name == known.default,
            "organization": each.organization,
            "organization_id": each.organization_id,
            "current": each.current and each.current.store,
            "legacy": each.legacy and each.legacy.store,
        }
        for name, each in sorted(known.profiles.items())
    ]
    if options.form in {None, "table"}:
        rows = [{**row, "default": "*" if row["default"] else ""} for row in rows]
    show_rows(rows, _COLUMNS, options.form, id="name")


@profiles.command(name="default")
def choose(name: str, *, options: RunOptions = DEFAULT_OPTIONS) -> None:
    """Choose the profile that is used where nothing else is said.

    Args:
        name: The profile.
        options: What every command takes.
    """
    with being_changed(config_folder()):
        known = read_profiles()
        known.get(name)
        write_profiles(type(known)(name, known.profiles))
    show_facts({"default": name}, options.form, id="default")
