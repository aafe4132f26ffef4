"""The limits of a day: counted in the transaction of the write, whoever else writes."""

import json
import os
import subprocess
import sys
import threading
from datetime import date, timedelta
from urllib.parse import urlsplit

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection

from pat_tokens.models import DailyCount, Policy
from pat_tokens.resolver import resolve_token
from pat_tokens.rls import in_organisation, presenting
from pat_tokens.services.asked_changes import AskedChanges, changes_asked
from pat_tokens.services.daily_limits import (
    LimitReached,
    count_request,
    count_write,
    left_today,
    limits_of,
    little_left,
    used_today,
)
from pat_tokens.services.policy import change_policy

POLICY = "/api/org/tokens/policy/"


def count(org_id, whose="a", times=1, **kinds) -> None:
    for _ in range(times):
        with in_organisation(org_id):
            count_write(org_id, whose, **kinds)


def used(org_id, whose="a") -> dict[str, int]:
    return {each.kind: each.used for each in used_today(Policy(org_id=org_id), whose)}


def test_each_kind_has_its_limit(two_orgs, settings) -> None:
    settings.PAT_TOKENS_DAILY_LIMITS = {"writes": 3, "deletes": 1, "mails": 2}
    org_id = two_orgs.alpha.pk
    count(org_id, deletes=1, mails=1)
    with pytest.raises(LimitReached, match=r"1 of 1 deletes today.* h \d+ min; an administrator"):
        count(org_id, deletes=1)
    assert used(org_id) == {"writes": 1, "deletes": 1, "mails": 1}
    count(org_id, times=2)
    with pytest.raises(LimitReached, match="3 of 3 writes today"):
        count(org_id)
    # Another token, and one of the same id elsewhere, have theirs.
    count(org_id, "b", deletes=1)
    count(two_orgs.beta.pk, deletes=1)


def test_rolled_back_with_its_write(two_orgs) -> None:
    def fail() -> None:
        with in_organisation(two_orgs.alpha.pk):
            count_write(two_orgs.alpha.pk, "a")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert used(two_orgs.alpha.pk)["writes"] == 0


def test_policy_decides_within_the_ceiling(api, alpha_admin, settings) -> None:
    settings.PAT_TOKENS_DAILY_CEILINGS = {"deletes": 60}
    assert limits_of(Policy()) == {"writes": 500, "deletes": 50, "mails": 50}
    admin = api(alpha_admin)
    refused = admin.patch(POLICY, {"max_deletes": 61}, format="json")
    assert refused.json()["errors"] == {"max_deletes": ["This server allows 60 at most."]}
    for wrong in (-1, "x", 1.5, 10**7):
        assert admin.patch(POLICY, {"max_writes": wrong}, format="json").status_code == 400
    told = admin.patch(POLICY, {"max_deletes": 0, "max_writes": 900}, format="json").json()
    assert (told["max_deletes"], told["max_writes"], told["max_mails"]) == (0, 900, None)
    with pytest.raises(LimitReached, match="0 of 0 deletes"):
        count(alpha_admin.org_id, deletes=1)
    # Lowered by the operator afterwards.
    settings.PAT_TOKENS_DAILY_CEILINGS = {"writes": 0}
    with pytest.raises(LimitReached, match="0 of 0 writes"):
        count(alpha_admin.org_id)


@pytest.mark.parametrize("name", ["PAT_TOKENS_DAILY_LIMITS", "PAT_TOKENS_DAILY_CEILINGS"])
@pytest.mark.parametrize(
    "value", [{"write": 1}, {"writes": -1}, {"writes": "1"}, 5, {"mails": True}]
)
def test_bad_setting(settings, name, value) -> None:
    setattr(settings, name, value)
    with pytest.raises(ImproperlyConfigured, match=name):
        limits_of(Policy())


def test_what_is_left_comes_with_the_look_up(issue, alpha_admin, beta_admin, settings) -> None:
    settings.PAT_TOKENS_DAILY_LIMITS = {"deletes": 5}
    token, secret = issue(alpha_admin)
    assert little_left(left_today(resolve_token(secret))) == ()
    count(alpha_admin.org_id, str(token.pk), times=3, deletes=1)
    assert little_left(left_today(resolve_token(secret))) == ()
    count(alpha_admin.org_id, str(token.pk), deletes=1)
    assert little_left(left_today(resolve_token(secret))) == ("4 of 5 deletes today",)
    change_policy(alpha_admin, max_deletes=50)
    assert little_left(left_today(resolve_token(secret))) == ()
    other, _ = issue(alpha_admin)
    count(alpha_admin.org_id, str(other.pk))
    with presenting(token.digest):
        assert DailyCount.objects.get().token_id == str(token.pk)
    assert not DailyCount.objects.exists()


def test_requests_of_a_token_to_the_api(token_api, issue, alpha_admin, settings) -> None:
    settings.PAT_TOKENS_DAILY_LIMITS = {"writes": 2, "deletes": 1}
    client = token_api(alpha_admin)
    lead = {"last_name": "Lee", "status": "assigned"}
    made = [client.post("/api/leads/", lead, format="json").status_code for _ in range(3)]
    assert made[0] < 300
    assert made[2] == 403
    refused = client.delete("/api/leads/x/")
    assert "2 of 2 writes today" in refused.json()["detail"]
    assert client.get("/api/leads/").status_code == 200
    one = AskedChanges(1, deletes=1)
    assert count_request(alpha_admin.org_id, "other", one) is None
    assert "1 of 1 deletes" in (count_request(alpha_admin.org_id, "other", one) or "")


BULK = {"/api/cases/bulk/update/": (3, 0, 0), "/api/cases/bulk/delete/": (3, 3, 0)}
ONE = {
    "/api/cases/x/merge/y/": (1, 1, 0),
    "/api/cases/x/unmerge/": (1, 0, 0),
    "/api/invoices/x/send/": (1, 0, 1),
    "/api/accounts/x/create_mail/": (1, 0, 1),
}


@pytest.mark.parametrize("ids", [list("abc"), {"a": 1, "b": 2, "c": 3}, None], ids=str)
@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "cp037"])
def test_what_a_request_changes(rf, ids, charset) -> None:
    """Each of the records that its body lists, in whatever way the host would read it."""
    for path, counts in (BULK if ids else ONE).items():
        body = json.dumps({"ids": ids} if ids else {}).encode(charset)
        request = rf.generic("POST", path, body, f"application/json; charset={charset}")
        assert changes_asked(request) == counts
        # The view reads it after that.
        assert request.read() == body
    assert changes_asked(rf.delete("/api/tasks/x/")) == (1, 1, 0)
    assert changes_asked(rf.post("/api/tasks/", "[" * 9999, "application/json")) == (1, 0, 0)
    assert changes_asked(rf.post("/api/tasks/", "[{},{}]", "application/json")) == (2, 0, 0)
    assert changes_asked(rf.get("/api/tasks/")) == (0, 0, 0)


@pytest.mark.parametrize(
    ("content_type", "count"),
    [
        ("*/*", 2),
        ("application/*; q=1", 2),
        ("Application/JSON", 2),
        ("application/vnd.api+json", 2),
        ("application/x-www-form-urlencoded", 1),
        ("", 1),
    ],
)
def test_content_types_that_the_host_reads_as_json(rf, content_type, count) -> None:
    """A type with an asterisk means whichever parser the view has first."""
    request = rf.generic("POST", "/api/cases/bulk/delete/", b'{"ids": [1, 2]}', content_type)
    assert changes_asked(request) == (count, count, 0)


def test_bulk_request_beyond_the_limit(token_api, alpha_admin, settings) -> None:
    """All of it is refused, and none of it counted; so is one that is too long to be counted."""
    settings.PAT_TOKENS_DAILY_LIMITS = {"writes": 9, "deletes": 4}
    client = token_api(alpha_admin)
    path = "/api/cases/bulk/delete/"
    for ids, said in (("abc", None), ("de", "3 of 4 deletes today"), ("d", None)):
        answer = client.post(path, {"ids": list(ids)}, format="json")
        assert said is None or (answer.status_code, said in answer.json()["detail"]) == (403, True)
        assert said or answer.status_code != 403
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 50
    answer = client.post(path, {"ids": ["a" * 50]}, format="json")
    assert (answer.status_code, "longer than 50 bytes" in answer.json()["detail"]) == (403, True)


def test_counts_of_long_ago_are_removed(two_orgs) -> None:
    org_id, today = two_orgs.alpha.pk, date.today()
    with in_organisation(org_id):
        for age in (0, 80, 100):
            DailyCount.objects.create(org_id=org_id, token_id="a", day=today - timedelta(days=age))
    call_command("pat_prune")
    with in_organisation(org_id):
        assert DailyCount.objects.count() == 2


PROGRAM = """
import sys, django
django.setup()
from pat_tokens.rls import in_organisation
from pat_tokens.services.daily_limits import LimitReached, count_write
print("ready", flush=True)
sys.stdin.readline()
done = 0
for _ in range(20):
    try:
        with in_organisation("{org}"):
            count_write("{org}", "a", deletes=1)
        done += 1
    except LimitReached:
        pass
print(done)
"""


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_only_as_many_as_are_left(two_orgs) -> None:
    """Four threads and another process, with one delete left, and then with none."""
    org_id, name = two_orgs.alpha.pk, connection.settings_dict["NAME"]
    count(org_id, times=30, deletes=1)
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    other = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(org=org_id)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "DATABASE_URL": url},
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "ready\n"
    done: list[int] = []
    together = threading.Barrier(5)

    def work() -> None:
        together.wait()
        for _ in range(10):
            try:
                count(org_id, deletes=1)
                done.append(1)
            except LimitReached:
                pass
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for each in threads:
        each.start()
    together.wait()
    answer, _ = other.communicate("go\n", timeout=60)
    for each in threads:
        each.join()
    assert len(done) + int(answer) == 20
    assert used(org_id)["deletes"] == used(org_id)["writes"] == 50
