"""The pages without a browser: what each answers, and to whom."""

import re
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from pat_tokens.host.owners import name_of
from pat_tokens.models import Token
from pat_tokens.resolver import resolve_token
from pat_tokens.rls import in_organisation
from pat_tokens.services.own_changes import pause
from pat_tokens.services.policy import change_policy, policy_of
from tests.host_tokens.models import issue_host_token
from tests.pat_tokens.odd_numbers import ODD_TEXTS

URL = "/settings/api-tokens/"
NEW = f"{URL}new/"
ORG = f"{URL}organisation/"


@pytest.fixture
def browser():
    """Signed in with a password, as a person; forms carry the CSRF token."""

    def sign_in(profile) -> Client:
        client = Client(enforce_csrf_checks=True)
        client.get("/sign-in/")
        form = {"username": profile.user.email, "password": "secret"}
        answer = post(client, "/sign-in/", **form)
        assert answer.status_code == 302
        return client

    return sign_in


def post(client, url, **data):
    data["csrfmiddlewaretoken"] = client.cookies["csrftoken"].value
    return client.post(url, data)


def text_of(answer) -> str:
    return unescape(answer.content.decode())


def create(client, **fields):
    ticket = re.search(r'name="ticket" value="([^"]+)"', client.get(NEW).content.decode())[1]
    form = {"name": "Laptop", "access": "read_only", "expires": "90", "ticket": ticket}
    return post(client, NEW, **{**form, **fields})


def test_form_without_the_csrf_token_is_answered_in_our_words(browser, alpha_user) -> None:
    client = browser(alpha_user)
    refused = client.post(NEW, {"name": "Laptop"})
    assert refused.status_code == 403
    assert "Open the page anew, and send the form again." in text_of(refused)
    assert "default-src" in refused["Content-Security-Policy"]


@pytest.mark.parametrize("name", ["FRONTEND_URL", "PAT_TOKENS_HOME_URL"])
def test_way_back_to_the_crm(browser, settings, alpha_user, name) -> None:
    client = browser(alpha_user)
    assert ">CRM</a>" not in text_of(client.get(URL))
    setattr(settings, name, "https://app.example.com")
    assert '<a href="https://app.example.com">CRM</a>' in text_of(client.get(URL))


def secret_in(answer) -> str:
    return re.search(r"bcrm_pat_[0-9A-Za-z]{49}", answer.content.decode())[0]


def test_stranger_is_sent_to_sign_in(db) -> None:
    for path in (URL, ORG, f"{ORG}policy/", f"{URL}00000000-0000-4000-8000-000000000000/"):
        answer = Client().get(path)
        assert answer.status_code == 302
        assert answer["Location"] == f"{URL}sign-in/?next={quote(path, safe='')}"
        assert Client().get(answer["Location"])["Location"] == f"/sign-in/?next={path}"


def test_wrong_password(alpha_user) -> None:
    client = Client()
    answer = client.post("/sign-in/", {"username": alpha_user.user.email, "password": "x"})
    assert "Please enter a correct email" in text_of(answer)


@pytest.mark.parametrize("path", [URL, ORG, "/sign-in/"])
def test_headers(browser, alpha_admin, path) -> None:
    answer = (browser(alpha_admin) if path != "/sign-in/" else Client()).get(path)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] == "same-origin"


def test_static_files_of_another_host(browser, alpha_user, settings) -> None:
    settings.STATIC_URL = "https://static.example.com/crm/"
    policy = browser(alpha_user).get(URL)["Content-Security-Policy"]
    assert "script-src 'self' https://static.example.com;" in policy


def test_no_inline_script_or_style(browser, alpha_admin, issue) -> None:
    client = browser(alpha_admin)
    token, _ = issue(alpha_admin)
    pages = [client.get(path) for path in (URL, f"{URL}{token.pk}/", ORG, f"{ORG}policy/")]
    for answer in [*pages, create(client)]:
        html = answer.content.decode()
        assert not re.search(r"<style|\sstyle=|\son\w+=", html)
        assert all(
            "src=" in tag or 'type="application/json"' in tag
            for tag in re.findall(r"<script[^>]*>", html)
        )


def test_create(browser, alpha_user) -> None:
    client = browser(alpha_user)
    answer = create(client)
    assert answer.status_code == 200
    token = resolve_token(secret_in(answer))
    assert (token.owner, token.name, token.scopes) == (alpha_user, "Laptop", ["*:read"])
    html = answer.content.decode()
    assert "http://testserver/mcp" in html
    # What the MCP endpoint offers beside its address.
    assert 'href="http://testserver/mcp/skills.zip">Skills (ZIP)</a>' in html


def test_secret_is_in_that_answer_only(browser, alpha_user) -> None:
    client = browser(alpha_user)
    secret = secret_in(create(client))
    token = resolve_token(secret)
    for path in (URL, f"{URL}{token.pk}/", f"{URL}{token.pk}/connection/"):
        assert secret not in client.get(path).content.decode()
    assert secret not in str(dict(client.session))
    assert secret not in str(client.cookies)


def test_reload_makes_no_second_token(browser, alpha_user) -> None:
    client = browser(alpha_user)
    ticket = re.search(r'name="ticket" value="([^"]+)"', client.get(NEW).content.decode())[1]
    first = create(client, ticket=ticket)
    again = create(client, ticket=ticket)
    token = resolve_token(secret_in(first))
    assert (again.status_code, again["Location"]) == (302, f"{URL}{token.pk}/")
    with in_organisation(alpha_user.org_id):
        assert Token.objects.count() == 1


def test_ticket_of_another_person(browser, alpha_user, alpha_admin) -> None:
    page = browser(alpha_admin).get(NEW).content.decode()
    ticket = re.search(r'name="ticket" value="([^"]+)"', page)[1]
    answer = create(browser(alpha_user), ticket=ticket)
    assert answer.status_code == 400
    assert "This form has expired" in text_of(answer)


def test_chosen_records(browser, alpha_user) -> None:
    fields = {"access": "entities", "entity-leads": "write", "entity-tasks": "read"}
    answer = create(browser(alpha_user), **fields)
    granted = resolve_token(secret_in(answer)).scopes
    assert granted[:3] == ["leads:read", "tasks:read", "leads:write"]
    assert "users:read" in granted


@pytest.mark.parametrize(
    ("expires", "days"), [("30", 30), ("365", 365), ("date", 10), ("never", None)]
)
def test_expiry(browser, alpha_user, expires, days) -> None:
    day = (date.today() + timedelta(days=10)).isoformat()
    token = resolve_token(secret_in(create(browser(alpha_user), expires=expires, expires_on=day)))
    if days is None:
        assert token.expires_at is None
    else:
        left = token.expires_at - timezone.now()
        assert abs(left - timedelta(days=days)) < timedelta(days=1, hours=6)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": " "}, "Give it a name that says what it is for."),
        ({"access": "all"}, "That is not one of the choices."),
        ({"access": "entities"}, "Choose at least one kind of record."),
        ({"expires": "date", "expires_on": ""}, "Choose a date."),
        ({"expires": "date", "expires_on": "2020-01-01"}, "This time is past."),
        ({"expires": "7"}, "That is not one of the choices."),
        ({"ticket": "forged"}, "This form has expired."),
    ],
)
def test_bad_form(browser, alpha_user, fields, message) -> None:
    answer = create(browser(alpha_user), **fields)
    assert answer.status_code == 400
    assert message in text_of(answer)
    with in_organisation(alpha_user.org_id):
        assert not Token.objects.exists()


def test_policy_narrows_the_choice(browser, alpha_admin) -> None:
    change_policy(alpha_admin, max_lifetime_days=60)
    client = browser(alpha_admin)
    options = re.findall(r'<option value="(\w+)"', client.get(NEW).content.decode())
    assert [each for each in options if each not in ("none", "read", "write")] == [
        "30",
        "60",
        "date",
    ]
    # The organisation may be a day ahead of this machine.
    day = (date.today() + timedelta(days=62)).isoformat()
    answer = create(client, expires="date", expires_on=day)
    assert "60 days at most" in text_of(answer)


def test_creation_is_throttled(browser, alpha_user, monkeypatch) -> None:
    monkeypatch.setattr("pat_tokens.services.issue.PER_HOUR", 1)
    client = browser(alpha_user)
    create(client)
    assert "You can create 1 tokens an hour." in text_of(create(client))


def test_revoke(browser, issue, stored, alpha_user) -> None:
    token, _ = issue(alpha_user)
    client = browser(alpha_user)
    asked = client.get(f"{URL}{token.pk}/revoke/")
    assert "Revoke “Laptop”?" in text_of(asked)
    assert stored(token).status == "active"
    answer = post(client, f"{URL}{token.pk}/revoke/")
    assert answer["Location"] == f"{URL}?done=revoked"
    assert stored(token).status == "revoked"
    shown = text_of(client.get(answer["Location"]))
    assert "The token was revoked." in shown
    assert f"Revoked by {alpha_user.user.email}." in shown


def test_revoke_one_of_the_host(browser, alpha_user) -> None:
    row, _ = issue_host_token(alpha_user)
    client = browser(alpha_user)
    assert "Older" in text_of(client.get(URL))
    assert "Revoke “Older”?" in text_of(client.get(f"{URL}{row.pk}/revoke/"))
    post(client, f"{URL}{row.pk}/revoke/")
    row.refresh_from_db()
    assert row.revoked_at is not None


def test_rotate(browser, issue, alpha_user) -> None:
    token, old = issue(alpha_user)
    client = browser(alpha_user)
    assert "The old secret ends" in text_of(client.get(f"{URL}{token.pk}/rotate/"))
    answer = post(client, f"{URL}{token.pk}/rotate/")
    new = secret_in(answer)
    assert new != old
    assert resolve_token(new) == resolve_token(old) == token


def test_revoked_token_cannot_be_rotated(browser, issue, alpha_user) -> None:
    token, _ = issue(alpha_user)
    with in_organisation(token.org_id):
        token.revoke()
    answer = post(browser(alpha_user), f"{URL}{token.pk}/rotate/")
    assert answer.status_code == 409
    assert "Only an active token can be rotated." in text_of(answer)


def test_forms_need_the_csrf_token(browser, issue, stored, alpha_user) -> None:
    token, _ = issue(alpha_user)
    answer = browser(alpha_user).post(f"{URL}{token.pk}/revoke/")
    assert answer.status_code == 403
    assert stored(token).status == "active"


@pytest.mark.parametrize("stranger", ["alpha_user", "beta_user", "beta_admin"])
@pytest.mark.parametrize("kind", ["ours", "host"])
def test_another_persons_token_is_not_found(
    browser, issue, stored, alpha_admin, request, stranger, kind
) -> None:
    target: Any = issue(alpha_admin)[0] if kind == "ours" else issue_host_token(alpha_admin)[0]
    client = browser(request.getfixturevalue(stranger))
    paths = [f"{URL}{target.pk}/{end}" for end in ("", "connection/", "rotate/", "revoke/")]
    paths += [f"{ORG}{target.pk}/revoke/", f"{ORG}of/{alpha_admin.pk}/revoke/"]
    for path in paths:
        for answer in (client.get(path), post(client, path)):
            assert answer.status_code in (403, 404, 405)
            assert target.name not in text_of(answer)
    if kind == "ours":
        assert (stored(target).status, stored(target).digest) == ("active", target.digest)
    else:
        target.refresh_from_db()
        assert target.revoked_at is None


def test_members_see_nothing_of_the_organisation(browser, alpha_user) -> None:
    client = browser(alpha_user)
    assert "Policy" not in text_of(client.get(URL))
    for path in ("", "policy/", "events/", "revoke/"):
        assert client.get(ORG + path).status_code == 403
        assert post(client, ORG + path).status_code == 403


def test_organisation(browser, issue, alpha_admin, alpha_user, beta_user) -> None:
    issue(alpha_user, name="Theirs")
    issue(beta_user, name="Elsewhere")
    shown = text_of(browser(alpha_admin).get(ORG))
    assert "Theirs" in shown
    assert "Alpha User" in shown
    assert "Elsewhere" not in shown


def test_dead_tokens_are_paged(browser, issue, alpha_user, monkeypatch) -> None:
    monkeypatch.setattr("pat_tokens.pages.rendering.ROWS", 3)
    issue(alpha_user, name="Living")
    for number in range(4):
        issue(alpha_user, name=f"Dead {number}", expires_at=timezone.now())
    client = browser(alpha_user)
    first = client.get(URL)
    assert [row["token"].name for row in first.context["rows"]] == ["Living", "Dead 3", "Dead 2"]
    second = client.get(URL + first.context["next"])
    assert [row["token"].name for row in second.context["rows"]] == ["Dead 1", "Dead 0"]
    assert 'rel="next"' in text_of(first)
    assert 'rel="next"' not in text_of(second)
    assert client.get(f"{URL}?cursor=x").status_code == 404


def test_organisation_is_narrowed_and_paged(browser, issue, alpha_admin, alpha_user) -> None:
    for number in range(3):
        issue(alpha_user, name=f"Theirs {number}")
    issue(alpha_admin, name="Mine", expires_at=timezone.now())
    client = browser(alpha_admin)
    query = {"person": alpha_user.user.email, "state": "live", "limit": 2}
    first = client.get(ORG, query)
    second = client.get(ORG + first.context["next"])
    shown = [[row["token"].name for row in page.context["rows"]] for page in (first, second)]
    assert shown == [["Theirs 2", "Theirs 1"], ["Theirs 0"]]
    assert "Mine" in text_of(client.get(ORG, {"state": "dead"}))
    assert "No token fits these filters." in text_of(client.get(ORG, {"state": "orphaned"}))
    bad = client.get(ORG, {"person": "nobody@example.com"})
    assert bad.status_code == 400
    assert "Nobody here is called so" in text_of(bad)
    assert client.get(ORG, {"cursor": "x"}).status_code == 404


def test_person_by_a_part_of_the_name(browser, issue, alpha_admin, alpha_user) -> None:
    issue(alpha_user, name="Theirs")
    issue(alpha_admin, name="Mine")
    client, address = browser(alpha_admin), alpha_user.user.email
    for called in (address.partition("@")[0].upper(), name_of(alpha_user), address[:-1]):
        shown = client.get(ORG, {"person": called})
        assert [row["token"].name for row in shown.context["rows"]] == ["Theirs"], called
    several = client.get(ORG, {"person": "@"})
    assert several.status_code == 400
    assert "are called so: " in text_of(several)


def test_too_many_live_tokens(browser, issue, alpha_user, settings) -> None:
    settings.PAT_TOKENS_MAX_LIVE = 1
    issue(alpha_user)
    answer = create(browser(alpha_user))
    assert answer.status_code == 400
    assert "1 live tokens at most" in text_of(answer)


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata"])
def test_date_lasts_until_its_end_in_the_organisation(browser, alpha_user, zone) -> None:
    alpha_user.org.timezone = zone
    alpha_user.org.save()
    answer = create(browser(alpha_user), expires="date", expires_on="2030-06-15")
    end = resolve_token(secret_in(answer)).expires_at.astimezone(ZoneInfo(zone))
    assert end.isoformat()[:19] == "2030-06-15T23:59:59"


def test_administrator_revokes(browser, issue, stored, alpha_admin, alpha_user) -> None:
    one, two, mine = issue(alpha_user)[0], issue(alpha_user)[0], issue(alpha_admin)[0]
    client = browser(alpha_admin)
    assert "belongs to Alpha User" in text_of(client.get(f"{ORG}{one.pk}/revoke/"))
    post(client, f"{ORG}{one.pk}/revoke/")
    assert [stored(each).status for each in (one, two)] == ["revoked", "active"]
    path = f"{ORG}of/{alpha_user.pk}/revoke/"
    assert "Revoke all tokens and connections of “Alpha User”?" in text_of(client.get(path))
    post(client, path)
    assert [stored(each).status for each in (two, mine)] == ["revoked", "active"]
    assert "1 live token and 0 connected clients" in text_of(client.get(f"{ORG}revoke/"))
    for typed in ("", "revoke"):
        answer = post(client, f"{ORG}revoke/", typed=typed)
        assert (answer.status_code, stored(mine).status) == (400, "active")
        assert "Type “revoke all” to go on." in text_of(answer)
    post(client, f"{ORG}revoke/", typed="Revoke all ")
    assert stored(mine).status == "revoked"


@pytest.mark.parametrize("member", ["00000000-0000-4000-8000-000000000000", "nobody"])
def test_unknown_member(browser, alpha_admin, member) -> None:
    assert browser(alpha_admin).get(f"{ORG}of/{member}/revoke/").status_code == 404


def test_policy(browser, alpha_admin) -> None:
    client = browser(alpha_admin)
    form = {"agents": "read_only", "max_lifetime_days": "30", "confirmation": "sealed"}
    connections = {
        "clients": "listed",
        "client_hosts": "Claude.ai\nchatgpt.com\n",
        "max_connection_days": "7",
        "default_access": "read_write",
    }
    answer = post(client, f"{ORG}policy/", **form, **connections)
    assert answer["Location"] == f"{ORG}policy/?done=policy"
    policy = policy_of(alpha_admin.org_id)
    assert (policy.agents, policy.max_lifetime_days, policy.sealed) == ("read_only", 30, True)
    assert (policy.clients, policy.client_hosts) == ("listed", ["claude.ai", "chatgpt.com"])
    assert (policy.max_connection_days, policy.default_access) == (7, "read_write")
    assert "claude.ai\nchatgpt.com</textarea>" in text_of(client.get(f"{ORG}policy/"))
    assert "Events" in text_of(client.get(answer["Location"]))
    assert "What tokens may do: Read and write → Read only" in text_of(client.get(f"{ORG}events/"))
    assert "lets tokens read only" in text_of(client.get(URL))


@pytest.mark.parametrize("hosts", ["https://claude.ai", "claude", "10.0.0.1", "a b!", "x" * 300])
def test_policy_with_bad_hosts(browser, alpha_admin, hosts) -> None:
    form = {"agents": "on", "confirmation": "sealed", "default_access": "read_only"}
    client = browser(alpha_admin)
    answer = post(client, f"{ORG}policy/", **form, clients="listed", client_hosts=hosts)
    assert answer.status_code == 400
    assert "is not the name of a host" in text_of(answer)


def test_bad_policy(browser, alpha_admin) -> None:
    form = {"agents": "maybe", "max_lifetime_days": "0", "confirmation": "sealed"}
    answer = post(browser(alpha_admin), f"{ORG}policy/", **form)
    assert answer.status_code == 400
    assert "That is not one of the choices." in text_of(answer)
    assert "Give a whole number of days from 1 to 3650, or leave it empty." in text_of(answer)
    assert policy_of(alpha_admin.org_id).agents == "on"


@pytest.mark.parametrize("field", ["max_lifetime_days", "max_connection_days"])
@pytest.mark.parametrize("days", ODD_TEXTS)
def test_odd_number_in_the_policy(browser, alpha_admin, field, days) -> None:
    form = {"agents": "on", "confirmation": "sealed", "default_access": "read_only"}
    answer = post(browser(alpha_admin), f"{ORG}policy/", **form, clients="any", **{field: days})
    assert answer.status_code == 400
    assert not policy_of(alpha_admin.org_id).sealed


def test_tokens_are_kept_out(token_api, alpha_admin) -> None:
    for path in (URL, ORG):
        answer = token_api(alpha_admin).get(path)
        assert answer.status_code == 403
        assert "Sign in" in answer.json()["detail"]


def test_session_of_the_page_is_none_of_the_api(browser, alpha_user) -> None:
    assert browser(alpha_user).get("/api/profile/tokens/").status_code == 403


def test_inactive_member(browser, alpha_user) -> None:
    client = browser(alpha_user)
    alpha_user.is_active = False
    alpha_user.save()
    assert "is in no organisation" in text_of(client.get(URL, follow=True))


def test_names_are_escaped(browser, issue, alpha_admin) -> None:
    token, _ = issue(alpha_admin, name="</script><script>alert(1)</script>")
    client = browser(alpha_admin)
    for path in (URL, ORG, f"{URL}{token.pk}/", f"{URL}{token.pk}/revoke/"):
        assert "<script>alert" not in client.get(path).content.decode()


def test_times_are_the_organisations(browser, issue, alpha_user) -> None:
    token, _ = issue(alpha_user, expires_at=datetime(2099, 1, 1, 20, tzinfo=UTC))
    assert "2 Jan 2099" in text_of(browser(alpha_user).get(f"{URL}{token.pk}/"))


def test_policy_page_that_was_open_while_others_changed_it(browser, alpha_admin) -> None:
    client = browser(alpha_admin)
    shown = client.get(f"{ORG}policy/").content.decode()
    seen = re.search(r'name="seen" value="([^"]*)"', shown)
    assert seen
    change_policy(alpha_admin, agents="off")
    form = {"agents": "on", "confirmation": "explicit", "default_access": "read_only"}
    answer = post(client, f"{ORG}policy/", **form, clients="any", seen=seen[1])
    assert answer.status_code == 400
    assert "changed meanwhile" in answer.content.decode()
    assert policy_of(alpha_admin.org_id).agents == "off"


def names_on(page) -> list[str]:
    return [row["token"].name for row in page.context["rows"]]


def test_own_tokens_are_searched_and_narrowed(browser, issue, alpha_user) -> None:
    for name in ("Claude at home", "Nightly export"):
        issue(alpha_user, name=name)
    paused, _ = issue(alpha_user, name="Old script")
    issue_host_token(alpha_user)
    pause(paused)
    client = browser(alpha_user)
    assert names_on(client.get(URL, {"search": "CLAUDE"})) == ["Claude at home"]
    assert names_on(client.get(URL, {"search": paused.prefix})) == ["Old script"]
    assert names_on(client.get(URL, {"search": "older"})) == ["Older"]
    assert names_on(client.get(URL, {"status": "paused"})) == ["Old script"]
    assert len(names_on(client.get(URL, {"status": "live"}))) == 4
    assert "No token of yours fits." in text_of(client.get(URL, {"search": "nothing"}))
    assert client.get(URL, {"status": "odd"}).status_code == 400


def test_organisation_is_searched(browser, issue, alpha_admin, alpha_user) -> None:
    paused, _ = issue(alpha_user, name="Theirs")
    issue(alpha_admin, name="Mine")
    pause(paused)
    client = browser(alpha_admin)
    assert names_on(client.get(ORG, {"search": "their"})) == ["Theirs"]
    assert names_on(client.get(ORG, {"state": "paused"})) == ["Theirs"]


def test_token_as_an_administrator_sees_it(browser, issue, alpha_admin, alpha_user, beta_user):
    theirs, _ = issue(alpha_user, name="Theirs", scopes=["leads:read"], note="Mine alone")
    client = browser(alpha_admin)
    shown = text_of(client.get(f"{ORG}{theirs.pk}/"))
    assert "leads:read" in shown
    assert "Alpha User" in shown
    assert "Mine alone" not in shown
    elsewhere, _ = issue(beta_user, name="Elsewhere")
    assert client.get(f"{ORG}{elsewhere.pk}/").status_code == 404
    assert browser(alpha_user).get(f"{ORG}{theirs.pk}/").status_code == 403


@pytest.mark.parametrize("end", ["edit/", "pause/", "rotate/"])
def test_nobody_changes_a_token_of_another(
    browser, issue, stored, alpha_admin, alpha_user, end
) -> None:
    token, _ = issue(alpha_user)
    client = browser(alpha_admin)
    answer = post(client, f"{URL}{token.pk}/{end}", name="x", pause="1", overlap="0")
    assert answer.status_code == 404
    now = stored(token)
    assert (now.name, now.status, now.digest) == (token.name, "active", token.digest)


@pytest.mark.parametrize("name", ["", "x" * 256, "a\u202eb"])
def test_bad_name(browser, issue, stored, alpha_user, name) -> None:
    token, _ = issue(alpha_user)
    answer = post(browser(alpha_user), f"{URL}{token.pk}/edit/", name=name, note="")
    assert answer.status_code == 400
    assert 'aria-describedby="id_name_helptext id_name_error"' in text_of(answer)
    assert stored(token).name == token.name


@pytest.mark.parametrize("overlap", ["5", "-1", "x"])
def test_bad_overlap(browser, issue, stored, alpha_user, overlap) -> None:
    token, _ = issue(alpha_user)
    answer = post(browser(alpha_user), f"{URL}{token.pk}/rotate/", overlap=overlap)
    assert answer.status_code == 400
    assert "That is not one of the choices." in text_of(answer)
    assert stored(token).digest == token.digest


@pytest.mark.parametrize(
    ("agents", "said"), [("off", "has switched tokens off"), ("read_only", "lets tokens read only")]
)
def test_policy_is_told_where_tokens_are_made(browser, issue, alpha_admin, agents, said) -> None:
    token, _ = issue(alpha_admin)
    change_policy(alpha_admin, agents=agents)
    client = browser(alpha_admin)
    for path in (URL, NEW, f"{URL}{token.pk}/", ORG, f"{ORG}policy/"):
        assert said in text_of(client.get(path))
    assert said in text_of(create(client))
    assert ("Cut off" in text_of(client.get(URL))) is (agents == "off")
    assert ("Reads only for now" in text_of(client.get(NEW))) is (agents == "read_only")


def test_address_below_the_pages_that_is_none(browser, alpha_user) -> None:
    client = browser(alpha_user)
    answer = client.get(f"{URL}nowhere/")
    assert answer.status_code == 404
    assert "Back to your tokens" in text_of(answer)
    assert client.get(f"{URL}new").status_code == 301
