"""The refusals of the services, in the two shapes of the current API."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):  # noqa: N818
    """A request that is answered with an error body.

    The body is `{"error": {"code", "message", "innererror": {"trace"}}}` (documented: errors); the
    trace is made up, for clients must not show it.

    Args:
        status: The HTTP status.
        code: The machine-readable code.
        message: What was wrong, naming it.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    @property
    def headers(self) -> dict[str, str]:
        """What the answer carries besides its body."""
        return {}

    def body(self) -> dict[str, Any]:
        """The error as the wire has it."""
        trace = [
            "   at Jibble.Sandbox.Controllers.ODataControllerBase.Execute()",
            "   at Microsoft.AspNetCore.Mvc.Infrastructure.ActionMethodExecutor.Execute()",
        ]
        return {
            "error": {"code": self.code, "message": self.message, "innererror": {"trace": trace}}
        }


class Invalid(Refusal):
    """A 400 of a body that is not valid, as ASP.NET tells of it (observed: errors).

    Args:
        name: The property, as the model calls it.
        reason: What is wrong with it.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(400, "invalid", reason)
        self.name = name

    @property
    def headers(self) -> dict[str, str]:
        """What the answer carries besides its body."""
        return {"Content-Type": "application/problem+json; charset=utf-8"}

    def body(self) -> dict[str, Any]:
        """The `ValidationProblemDetails`; its `traceId` is made up."""
        return {
            "type": "https://tools.ietf.org/html/rfc7231#section-6.5.1",
            "title": "One or more validation errors occurred.",
            "status": 400,
            "traceId": "00-5a4dba6e5a4dba6e5a4dba6e5a4dba6e-5a4dba6e5a4dba6e-00",
            "errors": {self.name: [self.message]},
        }


def bad_request(message: str) -> Refusal:
    """A 400 that says what was wrong."""
    return Refusal(400, "bad_request", message)


def not_found(what: str) -> Refusal:
    """A 404 that names what is not there."""
    return Refusal(404, "not_found", f"{what} was not found.")
