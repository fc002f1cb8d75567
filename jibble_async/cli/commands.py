"""The commands together, and what `jibble --help` says of each; a command is loaded when it is run.

What a command's own help begins with is said here, too.
"""

from __future__ import annotations

from cyclopts import App, Group

from jibble_async.cli.help_pages import HelpPage
from jibble_async.version import __version__

__all__ = ["COMMANDS"]

COMMANDS = App(
    name="jibble",
    help="",
    usage="jibble COMMAND ..., and of each: jibble COMMAND --help",
    version=__version__,
    help_formatter=HelpPage(),
)

# Where each is, by its name, and the words that it is told of by.
_COMMANDS: dict[str, dict[str, tuple[str, str]]] = {
    "Every day": {
        "people": ("workspace:people", "List the people of the organisation, or those at work."),
        "list": (
            "listing:list_set",
            "List projects, activities, locations, groups, policies ...",
        ),
        "clock": ("clock:clock", "Clock somebody in or out, or show how they stand."),
        "timeoff": ("time_off:time_off", "List, request and decide on time off."),
        "timesheets": (
            "timesheets:timesheets",
            "Show people's hours as the server adds them up.",
        ),
        "report": ("report:report", "Hours as the server adds them up."),
        "payroll": (
            "payroll:make_payroll",
            "Show or write what people are paid for, and what is odd about it.",
        ),
    },
    "Much at once": {
        "export": (
            "export:export",
            "Export rows to a file that counts only when it is complete.",
        ),
        "sync": (
            "sync:sync",
            "Keep a local copy of sets in step.\n\n"
            "What changed since the last run is merged into it.",
        ),
        "migrate": ("migrate:migrate", "Move the entries of an old account to a new one."),
    },
    "Whose account": {
        "login": (
            "login:login",
            "Keep the credentials of an organisation as a profile.\n\n"
            "What is not given is asked for. A secret is typed, or read from standard input; "
            "never given.",
        ),
        "logout": ("login:logout", "Forget a profile and its secrets."),
        "profiles": ("profiles_shown:profiles", "List the profiles, or choose the default one."),
        "whoami": ("workspace:whoami", "Show whom the credentials act for, and where."),
        "doctor": (
            "doctor:doctor",
            "Look whether changes set updatedAt, as proofs of exports need.\n\n"
            "Without --change-note-of nothing is changed: archived time entries are looked at.",
        ),
        "sandbox": ("sandbox:sandbox", "Run a local Jibble with made-up people until Ctrl-C."),
    },
}

for _key, (_title, _commands) in enumerate(_COMMANDS.items(), 1):
    _group = Group(_title, sort_key=_key)
    for _name, (_home, _help) in _commands.items():
        COMMANDS.command(f"jibble_async.cli.{_home}", name=_name, help=_help, group=_group)
COMMANDS.register_install_completion_command(  # pyright: ignore[reportUnknownMemberType]
    help="Complete commands and options in this shell."
)
_group = Group("Besides", sort_key=4)
for _name in ("--help", "--version", "--install-completion"):
    COMMANDS[_name].group = _group
# The line above all names it.
COMMANDS["--help"].show = False
