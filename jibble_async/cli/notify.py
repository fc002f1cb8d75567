"""`--notify`: a ping at the end of a command, to a host that raises the alarm when none comes."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter, Token

from jibble_async.cli.output import complain
from jibble_async.errors import ConfigurationError
from jibble_async.version import __version__

if TYPE_CHECKING:
    from yarl import URL

__all__ = ["PingURL", "ping", "ping_url"]

_SECONDS = 10.0
_PAUSES = (1.0, 3.0)


def ping_url(text: str, exit_code: int = 0) -> URL:
    """Where a ping goes: the URL, with the exit code behind its path if that is not 0.

    Args:
        text: What the user gave.
        exit_code: What the program ends with.

    Raises:
        ValueError: It is no URL that may be pinged; the error does not show it, since whoever
            knows it can ping, too.
    """
    from yarl import URL

    from jibble_async.core.origins import is_loopback

    try:
        url = URL(text.strip())
        # What is no name to the DNS is a ValueError, too, and here at the latest.
        host = url.host and url.host.encode("idna")
    except ValueError:
        url, host = URL(), None
    if not url.host or not host or url.user is not None or url.fragment:
        raise ValueError("--notify takes a URL such as https://hc-ping.com/..., without a user")
    if url.scheme != "https" and not (url.scheme == "http" and is_loopback(url.host)):
        raise ValueError("--notify takes https; http is for this machine alone")
    if exit_code:
        url = url.with_path(
            f"{url.raw_path.rstrip('/')}/{exit_code}", encoded=True, keep_query=True
        )
    return url


def _to_ping_url(_: object, tokens: Sequence[Token]) -> str | None:
    # As of a GitHub Action that names a secret which nobody made.
    if tokens[0].source == "env" and not tokens[0].value.strip():
        return None
    ping_url(tokens[0].value)
    return tokens[0].value


PingURL = Annotated[
    str,
    Parameter(converter=_to_ping_url, env_var="JIBBLE_NOTIFY", show_env_var=False, metavar="URL"),
]
"""What `--notify` takes; also from the environment, where `ps` does not show it."""


async def _sleep(seconds: float) -> None:
    import asyncio

    await asyncio.sleep(seconds)


async def ping(
    text: str, exit_code: int, sleep: Callable[[float], Awaitable[object]] = _sleep
) -> None:
    """Tell a host how a command ended, and nothing else; say so if that fails.

    Args:
        text: The URL that the user gave.
        exit_code: What the program ends with.
        sleep: Waits so many seconds.
    """
    url = ping_url(text, exit_code)
    failure = ""
    for pause in (*_PAUSES, None):
        failure = await _failure(url)
        if not failure:
            return
        if pause is not None:
            await sleep(pause)
    complain(f"the ping to {url.host} failed: {failure}")


async def _failure(url: URL) -> str:
    """What went wrong with a ping; nothing if it arrived."""
    import aiohttp

    from jibble_async.core.proxies import proxies_from

    try:
        proxies = proxies_from(os.environ, [str(url)])
        async with (
            aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": f"jibble-async/{__version__}"},
            ) as session,
            session.get(
                url, allow_redirects=False, proxy=next(iter(proxies.values()), None)
            ) as answer,
        ):
            return "" if answer.ok and answer.status < 300 else f"it answered {answer.status}"
    except TimeoutError:
        return f"no answer in {_SECONDS:g} s"
    except (aiohttp.ClientError, ConfigurationError, OSError, ValueError) as error:
        # Their words may hold the URL.
        return type(error).__name__
