"""Who a task works as: the environment of its process, or a file that nobody else may read."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from jibble_async.checks import unseen
from jibble_async.config import CREDENTIAL_VARIABLES, auth_from
from jibble_async.core.credentials import ClientCredentials, StaticToken
from jibble_async.core.cursor import short_hash
from jibble_async.errors import ConfigurationError
from jibble_async.integrations.spark.options import ALL_ACCOUNTS, Asked

__all__ = ["REDIS_URL", "account_names", "environment_of", "quota_name"]

REDIS_URL = "JIBBLE_REDIS_URL"
"""The variable with the url of a Redis."""

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_SUFFIX = ".env"


def account_names(asked: Asked) -> list[str | None]:
    """The accounts that are read, in order; None is the only one, without a name.

    Raises:
        ConfigurationError: The folder can't be read, or holds none.
    """
    if asked.accounts is None:
        return [None]
    if asked.accounts != (ALL_ACCOUNTS,):
        return [*asked.accounts]
    folder = Path(str(asked.credentials)).expanduser()
    try:
        found = sorted(each.name.removesuffix(_SUFFIX) for each in folder.glob(f"*{_SUFFIX}"))
    except OSError as error:
        raise ConfigurationError(f"{folder} can't be read: {error.strerror}") from None
    if not found:
        raise ConfigurationError(f"{folder} holds no file NAME{_SUFFIX} on this host")
    return [*found]


@unseen
def environment_of(asked: Asked, account: str | None) -> dict[str, str]:
    """The variables that say who an account is, and where services are.

    Those of a file go before those of the process, whose credentials it replaces.

    Raises:
        ConfigurationError: The file can't be read, others may read it, or it is not understood.
    """
    if asked.credentials is None:
        return dict(os.environ)
    path = Path(asked.credentials).expanduser()
    if account is not None:
        path /= f"{account}{_SUFFIX}"
    here = {name: text for name, text in os.environ.items() if name not in CREDENTIAL_VARIABLES}
    return {**here, **_read(path)}


@unseen
def quota_name(environment: Mapping[str, str], service: str) -> str:
    """What an account's quota for a service is called where it is shared; it gives nothing away.

    Raises:
        ConfigurationError: There are no credentials.
    """
    auth = auth_from(environment)
    assert isinstance(auth, ClientCredentials | StaticToken)
    who = auth.client_id if isinstance(auth, ClientCredentials) else auth.token
    return f"jibble-{service}-{short_hash(who)}"


def _read(path: Path) -> dict[str, str]:
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            if os.name == "posix" and stat.S_IMODE(found.st_mode) & _OTHERS:
                raise ConfigurationError(
                    f"others may read {path} (mode {stat.S_IMODE(found.st_mode):o}), which holds "
                    f"secrets: chmod 600 {path}; a mounted secret of Kubernetes: defaultMode: 0400"
                )
            text = file.read().decode()
    except OSError as error:
        raise ConfigurationError(
            f"{path} can't be read on this host: {error.strerror}; it has to be on the driver's "
            "host and on every executor's"
        ) from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} is no text in UTF-8") from None
    variables: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip().removeprefix("export ")
        if not bare or bare.startswith("#"):
            continue
        name, equals, value = bare.partition("=")
        if not equals or not name.strip().isidentifier():
            raise ConfigurationError(f"{path}, line {number}: NAME=value is wanted")
        variables[name.strip()] = value.strip().strip("\"'")
    return variables
