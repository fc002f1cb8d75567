"""Bars for exports: how far each is, how long it still takes, and what the quota allows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text

from jibble_async.api.base_client import BaseClient
from jibble_async.cli.connection import Common
from jibble_async.cli.legacy_limit import TellingWindow
from jibble_async.cli.output import say
from jibble_async.export import ExportProgress
from jibble_async.pages import hours_words

__all__ = ["Bars"]


class _Figures(ProgressColumn):
    """Rows, rows a second, requests, seconds waited for the quota, and the quota as believed.

    While a request waits for the old API's quota, it is said how long that may take.
    """

    def __init__(self, window: TellingWindow | None, column: Column) -> None:
        super().__init__(column)
        self._window = window

    def render(self, task: Task) -> Text:
        notice = None if self._window is None else self._window.notice
        if notice is not None:
            return Text(notice)
        progress: ExportProgress | None = task.fields["progress"]
        if progress is None:
            return Text("connecting")
        total = "" if progress.total is None else f"/{progress.total:,}"
        rate = progress.rows / progress.seconds if progress.seconds else 0.0
        quota = "" if progress.quota is None else f" of {progress.quota:.3g}/s"
        left = ""
        if progress.seconds_left is not None and progress.seconds_left >= 1:
            left = f", {_length(progress.seconds_left)} left"
        return Text(
            f"{progress.rows:,}{total} rows, {rate:,.0f}/s, {progress.requests:,} requests, "
            f"{progress.throttled_seconds:.0f} s for quota{quota}{left}"
        )


def _length(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{hours_words(timedelta(seconds=seconds))} h"


class Bars:
    """A bar for each export, on a terminal; and lines about windows, if wanted.

    Args:
        client: Makes the calls of all.
        common: What every command takes: whether to be quiet, or to tell of every window.
    """

    def __init__(self, client: BaseClient[Any], *, common: Common) -> None:
        console = Console(stderr=True)
        limiters = client.stats.limiters.values()
        window = next((each for each in limiters if isinstance(each, TellingWindow)), None)
        if window is not None and console.is_terminal:
            window.tell = lambda _: None
        # With -vv the log tells of them.
        self._tells_of_windows = common.verbose == 1
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            _Figures(window, Column(no_wrap=True)),
            console=console,
            expand=True,
            transient=True,
            disable=common.quiet or not console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def new(self, what: str) -> Callable[[ExportProgress], None]:
        """What shows how far one more export is.

        Args:
            what: The set.
        """
        task = self._progress.add_task(what, total=None, progress=None)
        told = 0

        def show(progress: ExportProgress) -> None:
            nonlocal told
            self._progress.update(
                task, total=progress.total, completed=progress.rows, progress=progress
            )
            if self._tells_of_windows and progress.windows > told:
                told = progress.windows
                say(
                    f"{what}: {told} of {progress.of} windows, {progress.rows:,} rows, "
                    f"{progress.requests:,} requests"
                )

        return show
