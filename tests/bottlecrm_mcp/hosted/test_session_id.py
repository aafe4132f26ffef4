"""The id that tells on the older revisions whether a client has forms."""

from typing import Any

import pytest
from django.core import signing

from bottlecrm_mcp.hosted import session_id
from demo_crm.access.row_security import org_context
from demo_crm.models import Profile
from pat_tokens.models import Event
from tests.bottlecrm_mcp.hosted.http import bearer, send
from tests.bottlecrm_mcp.test_telemetry import message

Json = dict[str, Any]
FORMS: Json = {"elicitation": {}}
HEADER = session_id.HEADER
NEW = {"entity": "leads", "data": {"last_name": "Lee"}, "confirm": True}


def initialize(capabilities: Json, revision: str = "2025-11-25") -> Json:
    client = {"name": "A client", "version": "2"}
    params = {"protocolVersion": revision, "capabilities": capabilities, "clientInfo": client}
    return {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}


@pytest.fixture
def secret(token_for: Any, alpha_user: Profile) -> str:
    return token_for(alpha_user)


@pytest.mark.parametrize("revision", ["2025-06-18", "2025-11-25"])
@pytest.mark.parametrize("declared", [{}, {"form": {}}, {"form": {}, "url": {}}])
def test_client_with_forms(app: Any, secret: str, declared: Json, revision: str) -> None:
    body = initialize({"elicitation": declared}, revision)
    given = send(app, headers=bearer(secret), body=body).headers[HEADER]
    assert given.isascii()
    assert given.isprintable()
    assert secret not in given


@pytest.mark.parametrize(
    "body",
    [
        initialize({}),
        initialize({"elicitation": {"url": {}}}),
        initialize({"elicitation": None}),
        initialize(FORMS, "2025-03-26"),
        {**initialize(FORMS), "method": "ping"},
        {**initialize(FORMS), "params": []},
    ],
)
def test_no_other_client_is_given_one(app: Any, secret: str, body: Json) -> None:
    assert HEADER not in send(app, headers=bearer(secret), body=body).headers


def test_answer_is_the_same_but_for_the_id(app: Any, secret: str) -> None:
    plain, other = (
        send(app, headers={**bearer(secret), "X-Request-ID": "a"}, body=initialize(each))
        for each in ({}, FORMS)
    )
    del other.headers[HEADER]
    assert (plain.content, plain.headers) == (other.content, other.headers)


def test_client_is_named_in_the_event_log(app: Any, secret: str, alpha_user: Profile) -> None:
    given = send(app, headers=bearer(secret), body=initialize(FORMS)).headers[HEADER]
    headers = {**bearer(secret), HEADER: given}
    answer = send(app, headers=headers, body=message("crm_create", **NEW))
    # And what needs no form is answered as ever.
    assert answer.headers["content-type"] == "application/json"
    assert not answer.json()["result"]["isError"]
    with org_context(alpha_user.org):
        assert Event.objects.get(kind=Event.Kind.WRITE).client == "A client 2"


@pytest.mark.parametrize("case", ["made up", "forged", "of another token", "reads no streams"])
def test_id_that_counts_for_none(app: Any, token_for: Any, alpha: Any, case: str) -> None:
    secret, owner = token_for(alpha.admin), token_for(alpha.admin)
    owner = owner if case == "of another token" else secret
    given = send(app, headers=bearer(owner), body=initialize(FORMS)).headers[HEADER]
    given = {"made up": "é€", "forged": signing.dumps(["", ""])}.get(case, given)
    headers = {**bearer(secret), HEADER: given.encode()}
    if case == "reads no streams":
        headers["Accept"] = "application/json"
    body = message("crm_delete", entity="leads", id=str(alpha.leads[2].pk))
    answer = send(app, headers=headers, body=body)
    assert answer.json()["result"]["structuredContent"]["confirmation_required"]
