"""Files of records: links that are good once, for one file, as one person."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx2
import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.core.cache import cache
from django.utils import timezone

from bottlecrm_mcp.asgi import with_mcp
from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.gateway.in_process.gateway import InProcessGateway
from bottlecrm_mcp.hosted.authentication import authenticate, caller_of
from bottlecrm_mcp.hosted.body import read_body
from bottlecrm_mcp.hosted.execution import crm_with, seal
from bottlecrm_mcp.hosted.files import serving
from bottlecrm_mcp.tools.confirmation.seal import LIFETIME
from demo_crm.access.row_security import org_context
from demo_crm.models import Account, Attachment, Contact, Invoice, Lead, Profile
from pat_tokens.models import Connection, Event, Token
from pat_tokens.rls import in_organisation
from pat_tokens.services.issue import rotate_token
from pat_tokens.services.policy import change_policy
from tests.bottlecrm_mcp.hosted.http import ORIGIN, bearer, send
from tests.bottlecrm_mcp.hosted.oauth.flow import ISSUER
from tests.host_tokens.models import issue_host_token

pytestmark = pytest.mark.django_db

PDF = b"%PDF-1.7 what the customer signed"
MARKUP = "<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def _here(settings: Any) -> None:
    settings.PAT_TOKENS_ISSUER = ""
    cache.clear()


@pytest.fixture
def lead(alpha_user: Profile) -> Lead:
    with org_context(alpha_user.org):
        return Lead.objects.create(
            org=alpha_user.org, first_name="Ada", created_by=alpha_user.user, status="assigned"
        )


class Caller:
    """Calls tools with a token, and follows links without one."""

    def __init__(self, app: Any, secret: str) -> None:
        self.app = app
        self.secret = secret

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
        body = {**message, "params": {"name": tool, "arguments": arguments}}
        answer = send(self.app, headers=bearer(self.secret), body=body).json()["result"]
        text: dict[str, Any] = json.loads(answer["content"][0]["text"])
        return text

    def files(self, record: Any, entity: str = "leads") -> list[dict[str, Any]]:
        got = self.call("crm_get", entity=entity, id=str(record.pk), include=["attachments"])
        files: list[dict[str, Any]] = got["attachments"]["records"]
        return files

    def target(self, record: Any, name: str, entity: str = "leads") -> dict[str, Any]:
        arguments = {"entity": entity, "id": str(record.pk), "action": "add_attachment"}
        got = self.call("crm_action", **arguments, params={"file_name": name})
        upload: dict[str, Any] = got["result"]["upload"]
        return upload

    def attach(self, record: Any, name: str, content: bytes = PDF, entity: str = "leads") -> Any:
        target = self.target(record, name, entity)
        answer = put(self.app, target["url"], content, target["headers"])
        assert answer.status_code == 201, answer.text
        return answer.json()["attachment"]


def follow(app: Any, link: str, method: str = "GET", **headers: str) -> httpx2.Response:
    assert link.startswith(ORIGIN)
    return send(app, method=method, path=urlsplit(link).path, headers=headers, body=b"")


def put(app: Any, url: str, content: bytes, headers: Any = None) -> httpx2.Response:
    given = {"Content-Type": "application/pdf", **(headers or {})}
    return send(app, method="PUT", path=urlsplit(url).path, headers=given, body=content)


@pytest.fixture
def user(app: Any, token_for: Callable[..., str], alpha_user: Profile) -> Caller:
    return Caller(app, token_for(alpha_user))


@pytest.fixture
def events(alpha_user: Profile) -> Callable[..., list[tuple[str, str]]]:
    def read() -> list[tuple[str, str]]:
        with in_organisation(alpha_user.org_id):
            rows = Event.objects.filter(kind=Event.Kind.WRITE).order_by("created_at")
            return list(rows.values_list("tool", "outcome"))

    return read


def test_a_file_there_and_back(app, user, lead, events) -> None:
    target = user.target(lead, "contract für Ada.pdf")
    assert unquote(urlsplit(target["url"]).path).endswith("/contract für Ada.pdf")
    assert target["max_bytes"] == 10_000_000
    assert events() == []
    made = put(app, target["url"], PDF, target["headers"])
    assert made.status_code == 201
    attachment = made.json()["attachment"]
    assert attachment.pop("size") == len(PDF)

    (file,) = user.files(lead)
    assert file["id"] == attachment["id"]
    assert (file["file_name"], file["type"], file["size"]) == (
        "contract für Ada.pdf",
        "application/pdf",
        len(PDF),
    )
    answer = follow(app, file["link"], Range="bytes=0-3")
    assert (answer.status_code, answer.content) == (200, PDF)
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith("attachment; filename*=utf-8''")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert events() == [("upload", "done"), ("download", "done")]
    with in_organisation(lead.org_id):
        told = set(Event.objects.filter(kind="write").values_list("entity", "record_id"))
    assert told == {("leads", str(lead.pk))}

    again = follow(app, file["link"])
    assert (again.status_code, "used before" in again.text) == (410, True)
    assert events()[-1] == ("download", "used_up")


def test_of_an_invoice(app, user, alpha_user) -> None:
    """Which takes files at a route of its own."""
    own = {"org": alpha_user.org, "created_by": alpha_user.user}
    with org_context(alpha_user.org):
        account = Account.objects.create(name="Acme", **own)
        contact = Contact.objects.create(first_name="Ada", last_name="L", **own)
        invoice = Invoice.objects.create(account=account, contact=contact, **own)
    user.attach(invoice, "photo.png", b"png", "invoices")
    (file,) = user.files(invoice, "invoices")
    assert follow(app, file["link"]).content == b"png"


def test_through_a_connection(app, flow, browser, lead, alpha_user, settings) -> None:
    """Its access tokens change meanwhile; a link ends with the connection."""
    settings.PAT_TOKENS_ISSUER = ISSUER
    tokens = flow.connect(browser(alpha_user), access="read_write")
    client = Caller(app, tokens["access_token"])
    upload = urlsplit(client.target(lead, "a.pdf")["url"]).path
    assert flow.refresh(tokens["refresh_token"]).status_code == 200
    assert put(app, upload, PDF).status_code == 201
    links = [urlsplit(client.files(lead)[0]["link"]).path for _ in range(2)]
    assert send(app, method="GET", path=links[0], body=b"").content == PDF
    with in_organisation(alpha_user.org_id):
        Connection.objects.update(ended_at=timezone.now())
    assert send(app, method="GET", path=links[1], body=b"").status_code == 403


def test_what_is_no_use_of_a_link(app, user, lead) -> None:
    """None of this uses it up."""
    user.attach(lead, "a.pdf")
    link = user.files(lead)[0]["link"]
    for method in ("HEAD", "POST", "DELETE", "OPTIONS"):
        assert follow(app, link, method).status_code == 405
    assert put(app, link, PDF).status_code == 404
    path = urlsplit(link).path
    entity, sealed = path.split("/")[3:]
    for bad in (
        path[:-1],
        f"{path}x",
        f"{path}/a.pdf",
        path.replace(entity, "contacts"),
        f"/mcp/files/{entity}/{sealed[4:8]}{sealed[:4]}{sealed[8:]}",
        "/mcp/files/",
        "/mcp/files/leads/..%2f..%2fetc%2fpasswd",
        "/mcp/files/leads/é.é",
    ):
        answer = send(app, method="GET", path=bad, body=b"")
        assert answer.status_code == 404, bad
        assert "not valid" in answer.json()["error"]
    assert follow(app, link, Host="evil.example").status_code == 400
    assert follow(app, link).status_code == 200


def test_a_link_expires(app, user, lead, monkeypatch) -> None:
    user.attach(lead, "a.pdf")
    link = user.files(lead)[0]["link"]
    later = time.time() + LIFETIME + 1
    clock = SimpleNamespace(time=lambda: later)
    monkeypatch.setattr("bottlecrm_mcp.tools.confirmation.seal.time", clock)
    assert follow(app, link).status_code == 404


@pytest.mark.parametrize("end", ["revoked_at", "paused_at", "expires_at"])
def test_a_link_ends_with_its_token(app, user, lead, alpha_user, end) -> None:
    user.attach(lead, "a.pdf")
    link, target = user.files(lead)[0]["link"], user.target(lead, "b.pdf")
    with in_organisation(alpha_user.org_id):
        (token,) = Token.objects.all()
        Token.objects.update(**{end: token.created_at})
    for answer in (follow(app, link), put(app, target["url"], PDF)):
        assert answer.status_code == 403
        assert "has ended or is paused" in answer.text
    with org_context(alpha_user.org):
        assert Attachment.objects.count() == 1


def test_a_link_ends_with_the_state_of_its_token(
    app, user, lead, alpha_user, alpha_admin, monkeypatch
) -> None:
    """Rotated, allowed less or more: only links that are made after it work."""
    user.attach(lead, "a.pdf")
    with in_organisation(alpha_user.org_id):
        (token,) = Token.objects.all()

    def rotate() -> None:
        user.secret = rotate_token(token)

    def give_scopes() -> None:
        with in_organisation(alpha_user.org_id):
            Token.objects.update(scopes=["*:read", "*:write"])

    def demand_seals() -> None:
        change_policy(alpha_admin, confirmation="sealed")

    for change in (rotate, give_scopes, demand_seals):
        link, target = user.files(lead)[0]["link"], user.target(lead, "b.pdf")
        change()
        for answer in (follow(app, link), put(app, target["url"], PDF)):
            assert (answer.status_code, "has changed" in answer.text) == (403, True), change
        assert follow(app, user.files(lead)[0]["link"]).status_code == 200

    # While the body is on its way.
    target = user.target(lead, "b.pdf")

    async def slow(*args: Any, **kwargs: Any) -> bytes:
        body = await read_body(*args, **kwargs)
        await sync_to_async(rotate)()
        return body

    monkeypatch.setattr(serving, "read_body", slow)
    assert put(app, target["url"], PDF).status_code == 403
    with org_context(alpha_user.org):
        assert Attachment.objects.count() == 1


def test_a_link_sees_what_its_person_may(app, user, lead, alpha_user, alpha_admin) -> None:
    """The record was taken from them, or the file from it, after the link was made."""
    user.attach(lead, "a.pdf")
    first, second = (user.files(lead)[0]["link"] for _ in range(2))
    target = user.target(lead, "b.pdf")
    with org_context(alpha_user.org):
        Lead.objects.update(created_by=alpha_admin.user)
    assert follow(app, first).status_code in (403, 404)
    assert put(app, target["url"], PDF).status_code == 403
    with org_context(alpha_user.org):
        Lead.objects.update(created_by=alpha_user.user)
        Attachment.objects.all().delete()
    assert follow(app, second).status_code == 404


def test_each_use_is_a_line_of_the_log(app, user, lead, caplog) -> None:
    caplog.set_level("INFO", "bottlecrm_mcp.calls")
    user.attach(lead, "a.pdf")
    assert follow(app, user.files(lead)[0]["link"]).status_code == 200
    lines = [each.getMessage() for each in caplog.records if "method=files/" in each.getMessage()]
    assert ["upload" in each for each in lines] == [True, False]
    assert all("outcome=ok" in each for each in lines)


def test_a_file_for_a_record_that_is_gone(app, user, lead, alpha_user) -> None:
    target = user.target(lead, "a.pdf")
    with org_context(alpha_user.org):
        lead.delete()
    answer = put(app, target["url"], PDF)
    assert answer.status_code == 404
    assert "was not found" in answer.text


def test_policy_and_scopes(app, token_for, user, lead, alpha_user, alpha_admin) -> None:
    user.attach(lead, "a.pdf")
    target = user.target(lead, "b.pdf")
    change_policy(alpha_admin, agents="read_only")
    assert put(app, target["url"], PDF).status_code == 403
    assert follow(app, user.files(lead)[0]["link"]).status_code == 200
    link = user.files(lead)[0]["link"]
    change_policy(alpha_admin, agents="off")
    assert follow(app, link).status_code == 403
    change_policy(alpha_admin, agents="on", max_writes=0)
    refused = put(app, user.target(lead, "c.pdf")["url"], PDF)
    assert refused.status_code == 429
    assert "Nothing was changed" in refused.text
    leads_only = Caller(app, token_for(alpha_user, scopes=["leads:read"]))
    (file,) = leads_only.files(lead)
    assert "link" not in file
    got = leads_only.call("crm_get", entity="leads", id=str(lead.pk), include=["attachments"])
    assert "lacks the scope attachments:read" in got["attachments"]["links"]


@pytest.mark.parametrize(
    "name",
    [
        *("../../settings.pdf", "a/b.pdf", "a\\b.pdf", ".htaccess", "a\u202efdp.exe"),
        *("page.html", "image.svg", "x.js", "run.exe", "no extension"),
        *("line\nbreak.pdf", 'quo"te.pdf', "x" * 57 + ".pdf"),
        *("txt", "pdf", "...", "....pdf", " .pdf", "a.pdf.", "a\u202e.pdf", "a\x7f.pdf", "a:b.pdf"),
        *("CON.pdf", "nul.tar.zip", "Com1.txt", "lpt\u00b9 .csv"),
    ],
)
def test_names_and_types_that_are_not_taken(user, lead, name) -> None:
    arguments = {"entity": "leads", "id": str(lead.pk), "action": "add_attachment"}
    got = user.call("crm_action", **arguments, params={"file_name": name})
    assert got["error"]["code"] == "invalid_value"


def test_names_are_kept_to_the_letter(app, user, lead) -> None:
    """Also where Django's parser of forms would read them otherwise."""
    for name in ("R&D &copy 100% &#47; #1;.pdf", "x" * 56 + ".PDF", "console.txt", "a.b..csv"):
        assert user.attach(lead, name)["file_name"] == name
        file = user.files(lead)[0]
        assert file["file_name"] == name
        disposition = follow(app, file["link"]).headers["content-disposition"]
        assert name in unquote(disposition).replace('\\"', '"')


def test_limits_are_told_in_words(app, user, lead, settings) -> None:
    target = user.target(lead, "a.pdf")
    assert "at most 10 MB" in target["next"]
    settings.BOTTLECRM_MCP = {**settings.BOTTLECRM_MCP, "MAX_FILE_BYTES": 1_500}
    assert "larger than 1.5 kB" in put(app, target["url"], b"x" * 1_501).text


def test_uploads_that_are_refused(app, user, lead, settings, alpha_user) -> None:
    settings.BOTTLECRM_MCP = {**settings.BOTTLECRM_MCP, "MAX_FILE_BYTES": 100}
    assert mcp_settings().MAX_FILE_BYTES == 100
    url = user.target(lead, "a.pdf")["url"]
    # Refused by its headers, it may be sent once more.
    assert put(app, url, PDF, {"Content-Type": "text/html"}).status_code == 415
    assert put(app, url, b"x" * 101).status_code == 413
    assert put(app, url.replace("a.pdf", "a.html"), PDF).status_code == 404
    assert put(app, url, PDF).status_code == 201
    assert put(app, url, PDF).status_code == 410
    assert put(app, user.target(lead, "b.pdf")["url"], b"").status_code == 400
    with org_context(alpha_user.org):
        assert Attachment.objects.count() == 1


def test_a_slow_upload(app, user, lead, monkeypatch) -> None:
    monkeypatch.setattr(serving, "TRANSFER_SECONDS", 0.05)
    path = urlsplit(user.target(lead, "a.pdf")["url"]).path

    async def held(scope: Any, receive: Any, send: Any) -> None:
        await app(scope, asyncio.Event().wait, send)

    answer = send(held, method="PUT", path=path, headers={"Content-Type": "application/pdf"})
    assert (answer.status_code, answer.headers["connection"]) == (408, "close")


def test_what_a_browser_would_show(app, user, lead, alpha_user) -> None:
    """Files that others have put there, under names that mislead."""
    user.attach(lead, "a.pdf", MARKUP.encode())
    for name in ("page.html", "image.svg", "../x\r\nSet-Cookie: a=b.html", "\u202etxt.exe"):
        with org_context(alpha_user.org):
            Attachment.objects.update(file_name=name)
        answer = follow(app, user.files(lead)[0]["link"])
        assert (answer.status_code, answer.content) == (200, MARKUP.encode())
        assert answer.headers["content-type"] == "application/octet-stream"
        disposition = answer.headers["content-disposition"]
        assert disposition.startswith("attachment")
        assert not {"/", "\\", "\u202e"}.intersection(unquote(disposition).partition("''")[2])
        assert "set-cookie" not in answer.headers


def test_another_persons_attachment(app, user, lead, token_for, alpha_admin, beta_admin) -> None:
    """A link names its record: the seal holds for no other, in no other organisation."""
    user.attach(lead, "a.pdf")
    with org_context(alpha_admin.org):
        hidden = Lead.objects.create(
            org=alpha_admin.org, first_name="Eve", created_by=alpha_admin.user, status="assigned"
        )
    admin = Caller(app, token_for(alpha_admin))
    admin.attach(hidden, "secret.pdf")
    assert admin.files(hidden)
    got = user.call("crm_get", entity="leads", id=str(hidden.pk), include=["attachments"])
    assert "error" in got
    stranger = Caller(app, token_for(beta_admin))
    got = stranger.call("crm_get", entity="leads", id=str(lead.pk), include=["attachments"])
    assert "error" in got


def test_tokens_of_the_hosts_own_have_no_links(alpha_user, token_for) -> None:
    """Whoever followed one could not be looked up."""
    with org_context(alpha_user.org):
        row, _ = issue_host_token(alpha_user)
    for caller, has_links in (
        (caller_of(row), False),
        (authenticate(token_for(alpha_user)), True),
    ):
        crm = crm_with(InProcessGateway(mcp_settings().catalogue, caller, "secret"))
        assert (crm.files is not None) is has_links


def test_links_are_by_the_issuer_where_there_is_one(user, lead, settings) -> None:
    settings.PAT_TOKENS_ISSUER = "https://crm.example.com"
    assert user.target(lead, "a.pdf")["url"].startswith("https://crm.example.com/mcp/files/leads/")


def test_the_path_is_not_left_for_access_logs(app, user, lead) -> None:
    """What servers write into their logs is what is in the scope when the answer begins."""
    user.attach(lead, "a.pdf")
    link = user.files(lead)[0]["link"]
    scopes = []

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        await app(scope, receive, send)
        scopes.append(scope)

    assert follow(watched, link).status_code == 200
    assert (scopes[0]["path"], scopes[0]["raw_path"]) == ("/mcp/files/", b"/mcp/files/")


@pytest.mark.parametrize(
    "spelled",
    [
        *("/mcp//files/{}", "//mcp/files/{}", "/mcp/./files/{}", "/x/../mcp/files/{}"),
        *("/MCP/Files/{}", "/mcp%2ffiles%2f{}", "/mcp%252Ffiles/{}", "/mcp\\files\\{}"),
        *("/mcp/files//{}", "/mcp/files/{}/", "/mcp/fils/{}", "/crm/mcp/files/{}", "/mcp/{}"),
        "http://crm.example.com/mcp/files/{}",
    ],
)
def test_no_spelling_of_a_link_reaches_the_host(spelled) -> None:
    """Whose log it would enter."""
    reached = []

    async def host(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope)

    app = with_mcp(host)
    secret = "leads/AAAAAAAAAAA.1700000000.abcdefgh"
    scope: Any = {"type": "http", "method": "GET", "headers": [(b"host", b"testserver")]}
    path = spelled.format(secret)
    # As servers give it: decoded once.
    scope |= {"path": unquote(path), "raw_path": path.encode(), "query_string": b"a=b"}
    sent = []

    async def run() -> None:
        async def receive() -> Any:
            return {"type": "http.request", "body": b""}

        async def keep(message: Any) -> None:
            sent.append(message)

        await app(scope, receive, keep)

    async_to_sync(run)()
    assert reached == []
    assert sent[0]["status"] == 404
    assert secret not in repr(scope)


def test_one_of_many_at_once_gets_it() -> None:
    confirmation = seal().issue({"file_link": "race"})
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: seal().spend(confirmation), range(32))) == 1
