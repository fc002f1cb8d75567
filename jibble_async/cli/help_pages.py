"""How `--help` looks: what fits a terminal of 80 columns and 24 lines is on it at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cyclopts.help import HelpEntry, HelpPanel
    from rich.console import Console, ConsoleOptions

__all__ = ["HelpPage"]

_WIDEST = 26
"""Columns that the names of options may take; longer ones break."""


class HelpPage:
    """Writes help without frames: a line for each option or command whose words fit one."""

    def __call__(self, console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:
        """Write commands or options under their title."""
        from cyclopts.help.specs import DescriptionRenderer
        from rich.table import Table
        from rich.text import Text

        if not panel.entries:
            return
        console.print(Text(f"{panel.title}:", "bold"))
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(style="cyan", max_width=_WIDEST)
        table.add_column()
        describe = DescriptionRenderer()
        for entry in panel.entries:
            table.add_row(Text(f"  {_label(entry)}"), describe(entry))
        console.print(table)

    def render_usage(self, console: Console, _: ConsoleOptions, usage: Any) -> None:
        """Write the line that says what a command is followed by."""
        from rich.text import Text

        if usage:
            console.print(Text(f"Usage: {usage}"), overflow="fold")

    def render_description(self, console: Console, _: ConsoleOptions, description: Any) -> None:
        """Write what the command is for."""
        if description:
            console.print(description)


def _label(entry: HelpEntry) -> str:
    """What is typed: `-o, --output FORM`, `--[no-]utf8-mark`, or `SETS`."""
    if entry.positional_label:
        return entry.positional_label
    names = entry.positive_names
    if entry.negative_names:
        names = tuple(f"--[no-]{name.removeprefix('--')}" for name in names)
    label = ", ".join((*entry.positive_shorts, *names))
    return f"{label} {entry.metavar}" if entry.metavar else label
