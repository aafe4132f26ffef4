"""Who may ask: the documents of the known clients, and clients that register themselves."""

import asyncio
import json
import socket
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from django.utils import timezone

from bottlecrm_mcp.hosted.oauth import documents, routes
from bottlecrm_mcp.hosted.oauth.documents import NotFetched, fetch_document, is_public
from pat_tokens.http.throttle import network_of
from pat_tokens.models import AuthorizationRequest, Client
from pat_tokens.oauth import clients
from pat_tokens.oauth.clients import forget_unused, shown_name
from pat_tokens.oauth.known_documents import KNOWN_DOCUMENTS
from tests.bottlecrm_mcp.hosted.conftest import streamed
from tests.bottlecrm_mcp.hosted.http import send
from tests.bottlecrm_mcp.hosted.oauth.flow import CLAUDE, CLAUDE_CODE, query_of

DOCUMENTS = json.loads((Path(__file__).parent / "client_documents.json").read_text())
OWN = "https://client.example.org/oauth/client.json"
DOCUMENT = {
    "client_id": OWN,
    "client_name": "Example",
    "redirect_uris": ["https://client.example.org/callback"],
    "token_endpoint_auth_method": "none",
}
# As these clients send it.
REGISTRATIONS = {
    "cursor": {
        "client_name": "Cursor",
        "redirect_uris": [
            "cursor://anysphere.cursor-mcp/oauth/callback",
            "http://localhost:8787/callback",
            "https://www.cursor.com/agents/mcp/oauth/callback",
        ],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "application_type": "native",
    },
    "claude-code": {
        "client_name": "Claude Code (bottlecrm)",
        "redirect_uris": ["http://localhost:49536/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "scope": "crm:read crm:write",
    },
    "gemini": {
        "client_name": "Gemini CLI MCP Client",
        "redirect_uris": ["http://localhost:7777/oauth/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "code_challenge_method": ["S256"],
        "scope": "crm:read crm:write",
    },
}


def registered(flow, **said):
    return send(flow.app, path="/oauth/register", body={**REGISTRATIONS["cursor"], **said})


@pytest.mark.parametrize("served", [True, False], ids=["fetched", "refused to servers"])
@pytest.mark.parametrize("client_id", list(DOCUMENTS))
def test_known_documents(flow, web, client_id, served) -> None:
    if served:
        web.update(DOCUMENTS)
    for redirect in DOCUMENTS[client_id]["redirect_uris"]:
        flow.consent_page(client_id=client_id, redirect_uri=redirect)
    newest = AuthorizationRequest.objects.order_by("-created_at")[0]
    name = DOCUMENTS[client_id]["client_name"]
    assert (newest.client_name, newest.client_host) == (name, client_id.split("/")[2])


def test_copies_say_what_the_documents_say() -> None:
    for client_id, document in DOCUMENTS.items():
        copy = KNOWN_DOCUMENTS[client_id]
        assert {name: document[name] for name in ("client_id", "client_name")} == {
            name: copy[name] for name in ("client_id", "client_name")
        }
        assert set(copy["redirect_uris"]) == set(document["redirect_uris"])
    assert set(KNOWN_DOCUMENTS) == set(DOCUMENTS)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_loopback_has_any_port(flow, host) -> None:
    redirect = f"http://{host}:49536/callback"
    flow.consent_page(client_id=CLAUDE_CODE, redirect_uri=redirect)


def test_document_is_fetched_once_and_kept(flow, web) -> None:
    web[OWN] = DOCUMENT
    flow.consent_page(client_id=OWN, redirect_uri="https://client.example.org/callback")
    web[OWN] = httpx2.Response(500)
    flow.consent_page(client_id=OWN, redirect_uri="https://client.example.org/callback")
    Client.objects.update(stale_at=timezone.now() - timedelta(seconds=1))
    # The last one stands in while the host fails.
    flow.consent_page(client_id=OWN, redirect_uri="https://client.example.org/callback")


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ({**DOCUMENT, "client_id": CLAUDE}, "names another client_id"),
        ({**DOCUMENT, "redirect_uris": []}, "redirect_uris lists 1"),
        ({**DOCUMENT, "redirect_uris": ["javascript:alert(1)"]}, "its scheme is not one of"),
        ({**DOCUMENT, "redirect_uris": ["http://client.example.org/"]}, "plain http"),
        ({**DOCUMENT, "redirect_uris": "https://client.example.org/"}, "redirect_uris lists 1"),
        ({**DOCUMENT, "token_endpoint_auth_method": "private_key_jwt"}, "public clients"),
        ({**DOCUMENT, "client_secret": "x"}, "public clients"),
        ({**DOCUMENT, "grant_types": ["client_credentials"]}, "authorization_code"),
        ([DOCUMENT], "A JSON object is needed"),
        (httpx2.Response(302, headers={"Location": OWN}), "it answered 302"),
        (httpx2.Response(200, content=b"x" * 10_000_000), "larger than 16384 bytes"),
        (httpx2.Response(200, text="<html>"), "it is not JSON"),
        (httpx2.Response(200, text="[" * 10_000), "it is not JSON"),
        (httpx2.Response(404), "it answered 404"),
    ],
)
def test_bad_document(flow, web, page, reason) -> None:
    web[OWN] = page
    flow.headers = {"Accept": "text/html"}
    answer = flow.authorize(client_id=OWN, redirect_uri="https://client.example.org/callback")
    assert answer.status_code == 400
    assert reason in answer.text
    assert "Nothing was allowed." in answer.text
    assert not AuthorizationRequest.objects.exists()
    assert not Client.objects.exists()


@pytest.mark.parametrize(
    "client_id",
    [
        "http://client.example.org/c.json",
        "https://127.0.0.1/c.json",
        "https://[::1]/c.json",
        "https://2130706433/c.json",
        "https://localhost/c.json",
        "https://intranet/c.json",
        "https://client.example.org:8443/c.json",
        "https://user@client.example.org/c.json",
        "https://client.example.org/c.json#x",
        "https://client.example.org/a/../c.json",
        "https://client.example.org/",
        "https://client.example.org",
        "file:///etc/passwd",
        "unknown",
        "\0",
        "x" * 5000,
        "https://client.example.org/" + "x" * 600,
    ],
)
def test_ids_that_are_not_fetched(flow, web, client_id) -> None:
    answer = flow.authorize(client_id=client_id)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"
    assert "Location" not in answer.headers


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fc00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "ff02::1",
    ],
)
def test_internal_addresses(address) -> None:
    assert not is_public(address)


def test_document_at_an_internal_address(monkeypatch) -> None:
    """The name's only say is where it leads to; nothing stands in for the fetcher here."""

    def resolved(*arguments, **options):
        found = ("93.184.215.14", "127.0.0.1")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 443)) for each in found]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    with pytest.raises(NotFetched, match="no public address"):
        asyncio.run(fetch_document(OWN))


def test_connection_goes_to_the_address_that_was_checked(web) -> None:
    web[OWN] = DOCUMENT
    asked = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append((request.url.host, request.headers["Host"], request.extensions))
        kept = {"Cache-Control": "max-age=60"}
        return streamed(httpx2.Response(200, json=DOCUMENT, headers=kept))

    document, lifetime = asyncio.run(fetch_document(OWN, httpx2.MockTransport(answer)))
    assert document == DOCUMENT
    assert lifetime == documents.SHORTEST
    [(address, host, extensions)] = asked
    assert (address, host) == ("93.184.215.14", "client.example.org")
    assert extensions["sni_hostname"] == "client.example.org"


def test_fetches_are_throttled(flow, web) -> None:
    for number in range(12):
        url = f"https://client.example.org/{number}.json"
        web[url] = {**DOCUMENT, "client_id": url}
    redirect = DOCUMENT["redirect_uris"][0]
    statuses = [
        flow.authorize(client_id=url, redirect_uri=redirect).status_code for url in list(web)
    ]
    assert statuses == [302] * 10 + [400] * 2


@pytest.mark.parametrize("client", list(REGISTRATIONS))
def test_registration(flow, client) -> None:
    said = REGISTRATIONS[client]
    answer = send(flow.app, path="/oauth/register", body=said)
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert body["token_endpoint_auth_method"] == "none"
    assert "client_secret" not in body
    assert body["redirect_uris"] == said["redirect_uris"]
    for redirect in said["redirect_uris"]:
        flow.consent_page(client_id=body["client_id"], redirect_uri=redirect)
    newest = AuthorizationRequest.objects.order_by("-created_at")[0]
    assert (newest.client_name, newest.client_host) == (said["client_name"], "")


def test_registered_client_asks_for_a_secret(flow) -> None:
    answer = registered(flow, token_endpoint_auth_method="client_secret_post")
    assert answer.status_code == 201
    assert answer.json()["token_endpoint_auth_method"] == "none"
    assert "client_secret" not in answer.json()


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"redirect_uris": []}, "invalid_client_metadata"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["data:text/html,x"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://evil.example/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://a.example/cb#x"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://u:p@a.example/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["unknown-app://cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": [f"https://a.example/{n}" for n in range(21)]}, "invalid_redirect_uri"),
        ({"redirect_uris": [f"https://a.example/{'x' * 3000}"]}, "invalid_redirect_uri"),
        ({"redirect_uris": [7]}, "invalid_client_metadata"),
    ],
)
def test_bad_registration(flow, said, error) -> None:
    answer = registered(flow, **said)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert not Client.objects.exists()


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 20_000, b'"x"', b"null"])
def test_registration_that_is_no_registration(flow, body) -> None:
    answer = send(flow.app, path="/oauth/register", body=body)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")


def test_registration_is_bounded(flow) -> None:
    assert registered(flow, client_name="x" * 40_000).status_code == 413


def test_registrations_are_throttled(flow, monkeypatch) -> None:
    monkeypatch.setattr(routes, "REGISTRATIONS_PER_HOUR", 2)
    answers = [registered(flow) for _ in range(3)]
    assert [each.status_code for each in answers] == [201, 201, 429]
    assert answers[-1].headers["Retry-After"] == "3600"


def test_flood_of_registrations_keeps_nobody_out(flow, monkeypatch) -> None:
    monkeypatch.setattr(clients, "MOST_UNUSED", 3)
    monkeypatch.setattr(routes, "REGISTRATIONS_PER_HOUR", 100)
    junk = [registered(flow).json()["client_id"] for _ in range(6)]
    # Those of this moment stay: somebody may be signing in.
    assert Client.objects.count() == 6
    for minutes, pk in enumerate(reversed(junk), 20):
        made = timezone.now() - timedelta(minutes=minutes)
        Client.objects.filter(pk=pk).update(created_at=made)
    mine = registered(flow).json()["client_id"]
    assert set(Client.objects.values_list("pk", flat=True)) == {*junk[3:], mine}


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.8", "203.0.113.8"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (None, "None"),
    ],
)
def test_network_that_is_counted_as_one(address, network) -> None:
    assert network_of(address) == network


def test_unused_clients_are_forgotten(flow, browser, alpha_user) -> None:
    unused, used = (registered(flow).json()["client_id"] for _ in range(2))
    flow.client_id, flow.redirect_uri = used, REGISTRATIONS["cursor"]["redirect_uris"][0]
    tokens = flow.connect(browser(alpha_user))
    Client.objects.update(created_at=timezone.now() - timedelta(days=2))
    forget_unused()
    assert set(Client.objects.values_list("client_id", flat=True)) == {used}
    Client.objects.update(last_used_at=timezone.now() - timedelta(days=89))
    assert flow.refresh(tokens["refresh_token"]).status_code == 200
    assert Client.objects.get().last_used_at > timezone.now() - timedelta(hours=1)
    Client.objects.update(last_used_at=timezone.now() - timedelta(days=91))
    forget_unused()
    assert not Client.objects.exists()
    assert unused != used


def test_client_of_the_operator(flow, settings) -> None:
    settings.PAT_TOKENS_OAUTH_CLIENTS = {
        "crm-desk": {"name": "Desk", "redirect_uris": ["https://desk.example.com/callback"]}
    }
    flow.consent_page(client_id="crm-desk", redirect_uri="https://desk.example.com/callback")
    [asked] = AuthorizationRequest.objects.all()
    assert (asked.client_name, asked.client_host) == ("Desk", "crm.example.com")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Claude", "Claude"),
        ("Cl\u202eaude", "Claude"),
        ("Claude\u200b\u2066", "Claude"),
        (" a \n\t b ", "a b"),
        ("x" * 500, "x" * 60),
        ("\u0000\u202e", "A client without a name"),
        (None, "A client without a name"),
        (7, "A client without a name"),
    ],
)
def test_shown_name(name, shown) -> None:
    assert shown_name(name) == shown


def test_name_with_markup(flow, browser, alpha_user) -> None:
    answer = registered(flow, client_name="<script>alert(1)</script>\u202eevil")
    flow.client_id = answer.json()["client_id"]
    flow.redirect_uri = "http://localhost:8787/callback"
    page = browser(alpha_user).get(flow.consent_page()).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;evil" in page
    assert "\u202e" not in page
    assert "unverified" in page
    assert "a program on this computer" in page


def test_registered_app_scheme(flow, browser, alpha_user) -> None:
    flow.client_id = registered(flow).json()["client_id"]
    flow.redirect_uri = "cursor://anysphere.cursor-mcp/oauth/callback"
    person = browser(alpha_user)
    page = person.get(flow.consent_page())
    assert "the app cursor" in page.content.decode()
    assert "form-action 'self' cursor:;" in page["Content-Security-Policy"]
    answer = flow.approve(person, flow.consent_page())
    assert answer["Location"].startswith(f"{flow.redirect_uri}?code=")
    assert query_of(answer["Location"])["state"] == "xyz"
