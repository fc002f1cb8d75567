"""What all writes do: send what was given and nothing else, and admit a lost answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from msgspec import UNSET

from jibble_async.api.custom import json_body
from jibble_async.api.session import Session
from jibble_async.core.call import NOT_DONE
from jibble_async.core.operation import JSON, Operation, Request
from jibble_async.core.wire import Reply, acknowledgement
from jibble_async.entities import Coordinates
from jibble_async.errors import AmbiguousWriteError, ConfigurationError, JibbleError, NotFoundError
from jibble_async.query.values import require_aware

__all__ = [
    "call_once",
    "change",
    "delete",
    "looking",
    "lost",
    "moment",
    "new",
    "noting_cancellation",
    "place",
    "require_text",
    "surely_not_done",
    "write",
]

T = TypeVar("T")


def write(
    session: Session,
    operation: Operation,
    values: Mapping[str, Any],
    path_id: str | None = None,
) -> Request:
    """The request of a write.

    Args:
        session: Knows where the service is.
        operation: What to do.
        values: By name on the wire; those that are UNSET stay away, and None is sent as null.
        path_id: What takes the place of `{id}` in the path.

    Raises:
        ConfigurationError: A value that JSON can't hold.
    """
    sent = {name: value for name, value in values.items() if value is not UNSET}
    body = json_body(sent, "this")
    return session.build(operation, path_id=path_id, body=body, content_type=JSON)


def new(session: Session, operation: Operation, values: Mapping[str, Any]) -> Request:
    """The request that makes something; None stays away too, as there is nothing to clear.

    Args:
        session: Knows where the service is.
        operation: What to do.
        values: See `write`.
    """
    said = {name: value for name, value in values.items() if value is not None}
    return write(session, operation, said)


async def change(
    session: Session,
    operation: Operation,
    path_id: str,
    values: Mapping[str, Any],
    read: Callable[[Reply], T],
) -> T:
    """Change what is given of an entity, and leave the rest.

    Args:
        session: Sends it.
        operation: What to do.
        path_id: Which entity.
        values: See `write`.
        read: Finds what the change gives in the answer.

    Raises:
        ConfigurationError: Nothing is given.
    """
    if all(value is UNSET for value in values.values()):
        raise ConfigurationError("nothing to change: give what should become different")
    return await session.call(write(session, operation, values, path_id), read)


async def delete(session: Session, request: Request) -> None:
    """Delete an entity for good.

    Args:
        session: Sends it.
        request: What to send.

    Raises:
        NotFoundError: There was no such entity.
    """
    try:
        await session.call(request, acknowledgement)
    except NotFoundError as error:
        # After an attempt whose answer was lost, that it is gone is what was asked for.
        if not error.maybe_processed:
            raise


async def call_once(
    session: Session,
    request: Request,
    read: Callable[[Reply], T],
    *,
    nonce: str | None = None,
    sent_id: str | None = None,
) -> T:
    """What is in the answer to an unsafe write that is not looked up if the answer is lost.

    Args:
        session: Sends it.
        request: What to send.
        read: Finds the value in the answer.
        nonce: What was sent with it in `platform.event_id`, if anything was.
        sent_id: The id that was sent with it, if one was.

    Raises:
        AmbiguousWriteError: The answer was lost; it was not sent again.
    """
    try:
        return await session.call(request, read)
    except JibbleError as error:
        if not error.maybe_processed:
            raise
        known = "nothing that was sent tells it from others, so it was not looked up or sent again"
        if nonce is not None:
            known = f"it was not sent again: look for {nonce} in `platform.event_id` before you do"
        raise lost(error, known, nonce=nonce, sent_id=sent_id) from error


def surely_not_done(cancelled: asyncio.CancelledError) -> bool:
    """Whether a write that was cut off is known not to have been done: nothing of it had left."""
    return NOT_DONE in getattr(cancelled, "__notes__", ())


@contextlib.contextmanager
def noting_cancellation(trace: str) -> Generator[None]:
    """A place in which a cancellation is told how the write that it cut off can be found.

    Args:
        trace: How.
    """
    try:
        yield
    except asyncio.CancelledError as cancelled:
        if not surely_not_done(cancelled):
            cancelled.add_note(f"whether the server did this write is not known: {trace}")
        raise


class Looking:
    """How looking for a write ended.

    Attributes:
        trouble: What went wrong, if anything did.
    """

    trouble: str = ""


@contextlib.asynccontextmanager
async def looking(session: Session) -> AsyncGenerator[Looking]:
    """A place in which a write is looked for whose answer was lost; trouble is noted, not raised.

    All of it has the time of one call: otherwise each request, and each page, has a whole call's.

    Args:
        session: Whose calls they are.
    """
    seconds, looked = session.options.timeouts.total, Looking()
    try:
        async with asyncio.timeout(seconds):
            yield looked
    except JibbleError as failure:
        looked.trouble = failure.message
    except TimeoutError:
        looked.trouble = f"not done within {seconds:.3g} s"


def lost(error: JibbleError, known: str, **found: Any) -> AmbiguousWriteError:
    """The error that says that it is not known whether a write was done.

    Args:
        error: What its answer was lost with.
        known: What was found out.
        **found: The attributes of the error.
    """
    unknown = AmbiguousWriteError(
        f"whether the server did this is not known ({error.message}); {known}", **found
    )
    unknown.request, unknown.attempts = error.request, error.attempts
    unknown.response = error.response
    return unknown


def require_text(value: Any, label: str) -> str:
    """The text.

    Raises:
        ConfigurationError: It is empty, or something else.
    """
    if not isinstance(value, str):
        raise ConfigurationError(f"{label} is a text, not {type(value).__name__}")
    if not value.strip():
        raise ConfigurationError(f"{label} is empty")
    return value


def place(value: Coordinates | None) -> Coordinates | None:
    """Coordinates, if they are given.

    Raises:
        ConfigurationError: They are on no map.
    """
    # Also not a number, which JSON would turn into null.
    if value and not (abs(value.latitude) <= 90 and abs(value.longitude) <= 180):
        raise ConfigurationError(
            f"coordinates={value} are nowhere on earth: latitude is from -90 to 90, longitude from "
            "-180 to 180"
        )
    return value


def moment(value: datetime, label: str) -> datetime:
    """The moment in UTC, as times are sent (documented: punches).

    Raises:
        ConfigurationError: It has no time zone.
    """
    return require_aware(value, label).astimezone(UTC)
