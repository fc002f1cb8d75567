"""Settings that the clients of both APIs have, checked when they are made."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence

import msgspec
from yarl import URL

from jibble_async.checks import require_counts, require_kind, unseen
from jibble_async.core.call_options import Timeouts
from jibble_async.core.clock import Clock
from jibble_async.core.origins import is_loopback
from jibble_async.core.retry import RetryPolicy
from jibble_async.errors import ConfigurationError
from jibble_async.events import Hook
from jibble_async.version import __version__

__all__ = ["BaseConfig", "service_url"]


class BaseConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about a client that is neither a credential, a limiter nor an address.

    Raises:
        ConfigurationError: One of them can't be used.
    """

    timeouts: Timeouts = msgspec.field(default_factory=Timeouts)
    """How long things may take."""
    retry: RetryPolicy = msgspec.field(default_factory=RetryPolicy)
    """How often and how patiently a failed call is tried again."""
    page_size: int = 1000
    """Rows that a list asks for at a time, unless told."""
    max_body_bytes: int = 64 * 1024 * 1024
    """The largest answer, counted after decompression."""
    hooks: Sequence[Hook] = ()
    """Told of each event; see `jibble_async.events`."""
    user_agent: str = f"jibble-async/{__version__}"
    """What the client calls itself."""
    clock: Clock = msgspec.field(default_factory=Clock)
    """Time, sleep and chance; for tests."""

    def __post_init__(self) -> None:
        owner = type(self).__name__
        require_counts(owner, page_size=self.page_size, max_body_bytes=self.max_body_bytes)
        require_kind(f"{owner}: timeouts=", self.timeouts, Timeouts)
        require_kind(f"{owner}: retry=", self.retry, RetryPolicy)
        require_kind(f"{owner}: hooks=", self.hooks, Iterable)
        hooks = tuple(self.hooks)
        msgspec.structs.force_setattr(self, "hooks", hooks)
        for hook in hooks:
            called = type(hook).__call__ if callable(hook) else None
            if called is None or any(map(inspect.iscoroutinefunction, (hook, called))):
                raise ConfigurationError(
                    f"{owner}: hooks= has a {type(hook).__name__}: a hook is a plain function that "
                    "is called with each event; what takes time it hands to a task of its own"
                )
        require_kind(f"{owner}: clock=", self.clock, Clock)
        require_kind(f"{owner}: user_agent=", self.user_agent, str)
        if self.page_size < 1 or self.max_body_bytes < 1:
            raise ConfigurationError("page_size and max_body_bytes must be at least 1")
        if not self.user_agent.isprintable():
            raise ConfigurationError("user_agent holds control characters")


@unseen
def service_url(name: str, text: str) -> str:
    """The URL of a service, an origin with a path prefix if there is one, without a final slash.

    Args:
        name: What it is the URL of, for the error.
        text: What the caller gave.

    Raises:
        ConfigurationError: It is no such URL, or not https and not this machine's.
    """
    try:
        url = URL(text.strip().rstrip("/"))
        origin = url.origin()
    except ValueError:
        # What has an @ may hold a password.
        given = "" if "@" in text else f" {text!r}"
        raise ConfigurationError(f"the {name} URL{given} is not a URL with a host") from None
    if url.user is not None or url.query_string or url.fragment:
        raise ConfigurationError(f"the {name} URL may hold an origin and a path, nothing else")
    if origin.scheme != "https" and not (origin.scheme == "http" and is_loopback(origin.host)):
        raise ConfigurationError(
            f"the {name} URL {origin} is not https: tokens are sent in clear only to this machine"
        )
    return str(url).rstrip("/")
