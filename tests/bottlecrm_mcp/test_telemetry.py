"""What is seen of a call from outside: a line in the log, and a trace."""

import asyncio
import json
import logging
import re
from typing import Any

import httpx2
import pytest
from mcp.shared import _otel
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from bottlecrm_mcp import telemetry
from bottlecrm_mcp.asgi import with_mcp
from bottlecrm_mcp.protocol.server import succeeded
from tests.bottlecrm_mcp.hosted.http import JSON, LIST_TOOLS, bearer, send
from tests.bottlecrm_mcp.population import UNKNOWN_ID

PERSONAL = "Mireille-Hapax"


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, str]]:
    """The lines on calls, each as what it says."""
    found = []
    for record in caplog.records:
        if record.name == "bottlecrm_mcp.calls":
            said = dict(part.split("=") for part in record.getMessage().split(" "))
            assert {name: str(getattr(record, name)) for name in said} == said
            found.append(said)
    return found


@pytest.fixture
def seen(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "bottlecrm_mcp.calls")
    return caplog


@pytest.fixture
def secret(token_for, alpha_user) -> str:
    return token_for(alpha_user)


def message(tool: str, **arguments: Any) -> dict[str, Any]:
    return LIST_TOOLS | {"method": "tools/call", "params": {"name": tool, "arguments": arguments}}


def called(app: Any, secret: str, tool: str, **arguments: Any) -> httpx2.Response:
    return send(app, headers=bearer(secret), body=message(tool, **arguments))


def test_line_of_a_call(app, secret, seen, alpha_user) -> None:
    response = called(app, secret, "crm_search", entity="leads", query=PERSONAL)
    (line,) = lines(seen)
    assert line["request_id"] == response.headers["X-Request-ID"]
    assert re.fullmatch(r"[0-9a-f]{32}", line["request_id"])
    assert (line["method"], line["tool"], line["entity"]) == ("tools/call", "crm_search", "leads")
    assert (line["outcome"], line["status"]) == ("ok", "200")
    assert line["org_id"] == str(alpha_user.org_id)
    assert line["token_prefix"] == secret[:13]
    assert line["token_id"]
    assert line["bytes"] == str(len(response.content))
    assert int(line["ms"]) >= 0


def test_no_value_of_an_argument_and_no_secret(app, secret, seen) -> None:
    created = {"entity": "contacts", "data": {"first_name": PERSONAL, "last_name": "x"}}
    called(app, secret, "crm_create", **created)
    called(app, secret, "crm_search", entity="leads", query=PERSONAL)
    called(app, secret, "crm_search", entity=PERSONAL)
    called(app, secret, PERSONAL)
    assert len(lines(seen)) == 4
    assert PERSONAL not in seen.text
    assert secret not in seen.text
    assert secret[13:] not in seen.text


def test_outcomes(app, secret, seen) -> None:
    lead = {"entity": "leads", "data": {"first_name": "A", "last_name": "B"}}
    record = called(app, secret, "crm_create", **lead).json()["result"]["structuredContent"]
    called(app, secret, "crm_delete", entity="leads", id=record["id"])
    called(app, secret, "crm_get", entity="leads", id=UNKNOWN_ID)
    called(app, secret, "crm_get", entity="leads", wrong=1)
    called(app, secret, "no_tool")
    assert [line["outcome"] for line in lines(seen)] == [
        "ok",
        "confirmation_required",
        "not_found",
        "invalid_arguments",
        "error-32602",
    ]


def test_outcome_of_a_form_that_was_declined(seen) -> None:
    with telemetry.access_log("1"):
        succeeded({"declined": True})
    assert lines(seen)[0]["outcome"] == "declined"


@pytest.mark.parametrize("given", ["abc-123", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f0-01"])
def test_request_id_of_the_proxy(app, secret, seen, given) -> None:
    response = send(app, headers=bearer(secret) | {"X-Request-ID": given})
    assert response.headers["X-Request-ID"] == given
    assert lines(seen)[0]["request_id"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a\tb", "é", 'a"outcome'])
def test_request_id_that_is_not_sane_is_replaced(app, secret, seen, given) -> None:
    headers = [*bearer(secret).items(), (b"X-Request-ID", given.encode())]
    response = send(app, headers=headers)
    made = lines(seen)[0]["request_id"]
    assert re.fullmatch(r"[0-9a-f]{32}", made)
    assert response.headers["X-Request-ID"] == made


def test_nothing_can_be_smuggled_into_a_line(app, secret, seen) -> None:
    forged = "x\nrequest_id=1 outcome=ok"
    send(app, headers=bearer(secret), body=LIST_TOOLS | {"method": forged})
    called(app, secret, forged)
    called(app, secret, "crm_search", entity=forged)
    found = [record for record in seen.records if record.name == "bottlecrm_mcp.calls"]
    for record in found:
        text = record.getMessage()
        assert "\n" not in text
        assert text.count("outcome=") == text.count("request_id=") == 1
    assert len(found) == 3


REFUSED = [
    ({}, "401", "unauthorized"),
    ({"Authorization": "Bearer bcrm_pat_nothing"}, "401", "unauthorized"),
    ({"Origin": "https://evil.example"}, "403", "forbidden"),
    ({"Host": "evil.example"}, "400", "refused"),
]


@pytest.mark.parametrize(("headers", "status", "outcome"), REFUSED)
def test_refused_at_the_edge(app, db, seen, headers, status, outcome) -> None:
    response = send(app, headers=headers)
    (line,) = lines(seen)
    assert (line["status"], line["outcome"]) == (status, outcome)
    assert line["request_id"] == response.headers["X-Request-ID"]
    assert not {"token_id", "token_prefix", "org_id"} & line.keys()
    assert "evil" not in " ".join(line.values())
    assert "bcrm_pat" not in " ".join(line.values())


def test_too_large_a_body(app, secret, seen) -> None:
    send(app, headers=bearer(secret), body=b"x" * 1_000_001)
    assert (lines(seen)[0]["status"], lines(seen)[0]["outcome"]) == ("413", "too_large")


@pytest.mark.django_db(transaction=True)
def test_statements_of_the_pools_threads_are_counted(secret, seen) -> None:
    app = with_mcp(None)

    async def run() -> None:
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
            # The first use of a token is recorded.
            listing, searching = message("list_actions"), message("crm_search", entity="leads")
            for body in (listing, listing, searching):
                await client.post("/mcp", json=body, headers={**JSON, **bearer(secret)})

    asyncio.run(run())
    _, nothing, search = (int(line["queries"]) for line in lines(seen))
    # The token's look-up is not among them.
    assert nothing == 0 < search


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What is traced with an OpenTelemetry SDK that is set up."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    monkeypatch.setattr(_otel, "_tracer", provider.get_tracer("mcp-python-sdk"))
    monkeypatch.setattr(telemetry, "_tracer", provider.get_tracer("bottlecrm_mcp"))
    return exporter


def test_trace_of_a_call(app, secret, spans, alpha_user) -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    body = message("crm_get", entity="leads", id=UNKNOWN_ID)
    body["params"]["_meta"] = {"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"}
    send(app, headers=bearer(secret) | {"X-Request-ID": "r1"}, body=body)
    *requests, call = spans.get_finished_spans()
    assert call.name == "tools/call crm_get"
    said = call.attributes
    assert said["bottlecrm.entity"] == "leads"
    assert said["bottlecrm.outcome"] == "not_found"
    assert said["bottlecrm.org_id"] == str(alpha_user.org_id)
    assert said["bottlecrm.request_id"] == "r1"
    assert f"{call.context.trace_id:032x}" == trace_id
    assert [span.name for span in requests] == [
        "CRM GET api/leads/",
        "CRM GET api/leads/<uuid:pk>/",
    ]
    assert {span.parent.span_id for span in requests} == {call.context.span_id}
    everything = json.dumps([dict(span.attributes) for span in (*requests, call)])
    assert UNKNOWN_ID not in everything
    assert secret not in everything
