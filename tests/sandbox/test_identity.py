from __future__ import annotations

from base64 import b64encode, urlsafe_b64decode

import aiohttp
import msgspec
import pytest

from jibble_async.sandbox import Sandbox
from tests.sandbox.calling import WEEK, Caller, VirtualClock

GRANT = {"grant_type": "client_credentials"}


async def ask(
    caller: Caller, form: dict[str, str], basic: str | None = None
) -> tuple[int, dict[str, object]]:
    url = f"{caller.box.endpoints['identity']}/connect/token"
    encoded = b64encode((basic or "").encode()).decode()
    headers = {} if basic is None else {"Authorization": f"Basic {encoded}"}
    async with caller.session.post(url, data=form, headers=headers) as response:
        return response.status, await response.json()


async def test_the_documented_answer(caller: Caller) -> None:
    answer = await caller.authorise()
    assert list(answer) == [
        "access_token",
        "expires_in",
        "token_type",
        "scope",
        "organizationId",
        "personId",
    ]
    assert (answer["expires_in"], answer["token_type"], answer["scope"]) == (3600, "Bearer", "api1")
    assert answer["organizationId"] == caller.box.dataset.rows("Organizations")[0]["id"]
    owner = caller.box.dataset.index("People")[answer["personId"]]
    assert owner["role"] == "Owner"
    middle = answer["access_token"].split(".")[1]
    claims = msgspec.json.decode(urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    assert (claims["orgid"], claims["prsid"]) == (answer["organizationId"], answer["personId"])


async def test_credentials_go_in_the_body_or_as_basic(caller: Caller) -> None:
    box = caller.box
    assert (await ask(caller, GRANT, f"{box.client_id}:{box.client_secret}"))[0] == 200
    wrong = f"{box.client_id}:wrong"
    assert await ask(caller, GRANT, wrong) == (400, {"error": "invalid_client"})
    pair = {"client_id": box.client_id, "client_secret": f"{box.client_secret} "}
    assert await ask(caller, {**GRANT, **pair}) == (400, {"error": "invalid_client"})
    assert await ask(caller, pair) == (400, {"error": "unsupported_grant_type"})


async def test_a_token_expires_by_the_clock(caller: Caller, clock: VirtualClock) -> None:
    clock.forward(3599)
    assert (await caller.work("/v1/Groups"))[0] == 200
    clock.forward(1)
    status, body, headers = await caller.send("GET", "workspace", "/v1/Groups")
    assert (status, body) == (401, "")
    assert headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert not caller.box.ledger.requests[-1].authorized
    await caller.authorise()
    assert (await caller.work("/v1/Groups"))[0] == 200


async def test_all_tokens_can_be_expired_at_once(caller: Caller) -> None:
    await caller.box.expire_tokens()
    assert (await caller.work("/v1/Groups"))[0] == 401
    assert len(caller.box.ledger.token_requests) == 1


@pytest.mark.parametrize(
    ("lifetime", "reported", "says"), [(0, None, 0), (60, 2147483647, 2147483647)]
)
async def test_what_is_reported_may_differ(
    lifetime: float, reported: int | None, says: int
) -> None:
    async with (
        Sandbox(people=1, token_lifetime=lifetime, reported_lifetime=reported, **WEEK) as box,
        aiohttp.ClientSession() as session,
    ):
        caller = Caller(box, session)
        assert (await caller.authorise())["expires_in"] == says
        assert (await caller.work("/v1/Groups"))[0] == (200 if lifetime else 401)


async def test_a_lifetime_of_an_int32_survives() -> None:
    async with (
        Sandbox(people=1, token_lifetime=2147483647, **WEEK) as box,
        aiohttp.ClientSession() as session,
    ):
        caller = Caller(box, session)
        assert (await caller.authorise())["expires_in"] == 2147483647
        assert (await caller.work("/v1/Groups"))[0] == 200
