"""The refusals of the services, in the envelope of the current API."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):  # noqa: N818
    """A request that is answered with an error body.

    The body is `{"error": {"code", "message", "innererror": {"trace"}}}` (documented); the trace is
    made up, for clients must not show it.

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

    def body(self) -> dict[str, Any]:
        """The error as the wire has it."""
        trace = [
            "   at Jibble.Sandbox.Controllers.ODataControllerBase.Execute()",
            "   at Microsoft.AspNetCore.Mvc.Infrastructure.ActionMethodExecutor.Execute()",
        ]
        return {
            "error": {"code": self.code, "message": self.message, "innererror": {"trace": trace}}
        }


def bad_request(message: str) -> Refusal:
    """A 400 that says what was wrong."""
    return Refusal(400, "bad_request", message)


def not_found(what: str) -> Refusal:
    """A 404 that names what is not there."""
    return Refusal(404, "not_found", f"{what} was not found.")
