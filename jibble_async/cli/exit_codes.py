"""What the program ends with: which exit code stands for which failure."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from jibble_async.errors import (
    APIError,
    AuthenticationError,
    ConfigurationError,
    ConnectFailedError,
    DecodeError,
    ExportBusyError,
    ExportError,
    FeatureRestrictedError,
    JibbleError,
    MissingExtraError,
    NotSupportedError,
    OutputError,
    PaginationError,
    PermissionDeniedError,
    ProtocolError,
    RateLimitedError,
    ResponseTooLargeError,
    ServerError,
    TransportError,
)

__all__ = ["ExitCode", "SetupBusyError", "SetupError", "exit_code_of", "exit_code_of_all"]


class ExitCode(IntEnum):
    """What the program ends with; from 64 on as BSD's sysexits.h has it.

    A signal ends it with 128 and its number. `jibble migrate` has codes of its own below 64.
    """

    DONE = 0
    NOT_ALL_DONE = 1
    """Done, but not proved, not all of it, or it is unknown whether."""
    USAGE = 2
    """What was asked for can't be; nothing was sent."""
    DATA_REFUSED = 65
    """The server refused what was sent, or knows no such thing."""
    SERVICE_AWAY = 69
    """There is no connection."""
    INTERNAL = 70
    """A mistake of this program."""
    CANNOT_CREATE = 73
    """The output can't be made where it should be."""
    IO_ERROR = 74
    """The output could not be written to its end."""
    TRY_LATER = 75
    """The service has trouble or too many requests, or another run has the output
    or the profiles."""
    PROTOCOL = 76
    """What came back is not what was agreed."""
    NOT_PERMITTED = 77
    """The credentials were refused, or don't suffice."""
    SETUP = 78
    """This machine's set-up can't be used: no credentials, a profile, an extra that is missing."""


class SetupError(ConfigurationError):
    """What this machine is set up with can't be used; what was asked for may be right."""


class SetupBusyError(SetupError):
    """Another program changes this machine's set-up: let it end; nothing was done."""


_CODES: dict[type[BaseException], ExitCode] = {
    SetupBusyError: ExitCode.TRY_LATER,
    SetupError: ExitCode.SETUP,
    MissingExtraError: ExitCode.SETUP,
    OutputError: ExitCode.CANNOT_CREATE,
    ConfigurationError: ExitCode.USAGE,
    NotSupportedError: ExitCode.USAGE,
    ConnectFailedError: ExitCode.SERVICE_AWAY,
    ProtocolError: ExitCode.PROTOCOL,
    ResponseTooLargeError: ExitCode.PROTOCOL,
    TransportError: ExitCode.TRY_LATER,
    AuthenticationError: ExitCode.NOT_PERMITTED,
    PermissionDeniedError: ExitCode.NOT_PERMITTED,
    FeatureRestrictedError: ExitCode.NOT_PERMITTED,
    RateLimitedError: ExitCode.TRY_LATER,
    ServerError: ExitCode.TRY_LATER,
    APIError: ExitCode.DATA_REFUSED,
    DecodeError: ExitCode.PROTOCOL,
    PaginationError: ExitCode.PROTOCOL,
    ExportBusyError: ExitCode.TRY_LATER,
    ExportError: ExitCode.IO_ERROR,
    JibbleError: ExitCode.NOT_ALL_DONE,
    OSError: ExitCode.IO_ERROR,
}


def exit_code_of(error: BaseException) -> ExitCode:
    """What the program ends with after an error, by the nearest class that is known.

    A write that may have been processed is never one to try again.
    """
    if getattr(error, "maybe_processed", False):
        return ExitCode.NOT_ALL_DONE
    return next((_CODES[each] for each in type(error).__mro__ if each in _CODES), ExitCode.INTERNAL)


def exit_code_of_all(errors: Iterable[BaseException]) -> ExitCode:
    """What the program ends with after several parts failed: what they have in common, if anything.

    Bad usage it is not, which would say that nothing was done.
    """
    codes = {exit_code_of(error) for error in errors}
    is_one = len(codes) == 1 and ExitCode.USAGE not in codes
    return codes.pop() if is_one else ExitCode.NOT_ALL_DONE
