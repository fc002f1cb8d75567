"""The refusals of the old API, in the body of strong-error-handler.

A 4xx is `{"error": {"statusCode", "name", "message", "code"?, "details"?}}`, a 5xx says nothing but
its status (read in the framework's source; no error of this host was published).
"""

from __future__ import annotations

from typing import Any

from jibble_async.sandbox.errors import Refusal


class LegacyRefusal(Refusal):
    """A request that the old API answers with an error body.

    Args:
        status: The HTTP status.
        message: What was wrong; a 5xx does not tell.
        code: The machine-readable code; empty for none.
        name: The kind of the error.
        details: More of it, for an instance that is not valid.
    """

    def __init__(
        self,
        status: int,
        message: str,
        code: str = "",
        name: str = "Error",
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(status, code, message)
        self.name = name
        self.details = details

    def body(self) -> dict[str, Any]:
        """The error as the wire has it."""
        if self.status >= 500:
            return {"error": {"statusCode": self.status, "message": "Internal Server Error"}}
        error: dict[str, Any] = {
            "statusCode": self.status,
            "name": self.name,
            "message": self.message,
        }
        if self.code:
            error["code"] = self.code
        if self.details is not None:
            error["details"] = self.details
        return {"error": error}


def bad_filter(message: str, code: str = "") -> LegacyRefusal:
    """A 400 for a filter that the framework refuses."""
    return LegacyRefusal(400, message, code)


def crash(why: str) -> LegacyRefusal:
    """A 500 for what the framework throws without a status; the reason stays here."""
    return LegacyRefusal(500, why)


def no_such(model: str, key: str) -> LegacyRefusal:
    """A 404 for an id that nothing has."""
    return LegacyRefusal(404, f'Unknown "{model}" id "{key}".', "MODEL_NOT_FOUND")


def no_method(method: str, path: str) -> LegacyRefusal:
    """A 404 for a path, or a verb on it, that the host does not have."""
    return LegacyRefusal(404, f"There is no method to handle {method} {path}")


def invalid(model: str, problems: dict[str, tuple[str, str]]) -> LegacyRefusal:
    """A 422 for a body that does not make a valid instance.

    Args:
        model: The model's name.
        problems: The code and the message of each property that is wrong.
    """
    told = "; ".join(f"`{name}` {message}" for name, (_, message) in problems.items())
    return LegacyRefusal(
        422,
        f"The `{model}` instance is not valid. Details: {told}.",
        name="ValidationError",
        details={
            "context": model,
            "codes": {name: [code] for name, (code, _) in problems.items()},
            "messages": {name: [message] for name, (_, message) in problems.items()},
        },
    )
