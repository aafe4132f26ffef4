"""No expiry is stored that could not be read again, by whichever way it is set."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client

from pat_tokens.models import Token
from pat_tokens.models.expiry import EXPIRY_CEILING
from pat_tokens.rls import in_organisation
from pat_tokens.services.issue import rotate_token
from tests.host_tokens.models import issue_host_token

URL = "/api/profile/tokens/"
ORG = "/api/org/tokens/"
PAGE = "/settings/api-tokens/"
WEST, EAST = "Pacific/Pago_Pago", "Pacific/Kiritimati"
LATEST = EXPIRY_CEILING - timedelta(seconds=1)


@pytest.fixture(params=[WEST, EAST, "UTC"])
def admin(request, alpha_admin):
    org = alpha_admin.org
    org.timezone = request.param
    org.save()
    return alpha_admin


@pytest.fixture
def browser(admin) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(admin.user)
    return client


def spoil(table: str, pk) -> None:
    """Put a year into a row that Python can't read, as an organisation west of UTC could."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET expires_at = '9999-12-31 23:59:59-11' WHERE id = %s", [pk]
        )
        assert cursor.rowcount == 1


@pytest.mark.parametrize(
    "expires",
    [
        "9999-12-31",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59.999999-11:00",
        "9999-12-31T00:00:00+14:00",
        "3000-01-01T00:00:00Z",
        "3000-01-02",
    ],
)
def test_rest(api, admin, expires) -> None:
    client = api(admin)
    answer = client.post(URL, {"name": "Late", "expires_at": expires}, format="json")
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["expires_at"]
    assert client.get(ORG).json()["tokens"] == []


def test_latest_expiry_is_listed(api, admin, browser) -> None:
    client = api(admin)
    body = {"name": "Late", "expires_at": LATEST.isoformat()}
    assert client.post(URL, body, format="json").status_code == 201
    for path in (URL, ORG):
        (row,) = client.get(path).json()["tokens"]
        assert datetime.fromisoformat(row["expires_at"]) == LATEST
    for path in (PAGE, f"{PAGE}organisation/"):
        assert "Late" in browser.get(path).content.decode()


@pytest.mark.parametrize("day", ["9999-12-31", "3000-01-02"])
def test_page(browser, admin, day) -> None:
    ticket = browser.get(f"{PAGE}new/").context["form"]["ticket"].value()
    form = {"name": "Late", "access": "read_only", "expires": "date", "expires_on": day}
    answer = browser.post(f"{PAGE}new/", {**form, "ticket": ticket})
    assert answer.status_code == 400
    assert "before the year 3000" in answer.content.decode()
    assert browser.get(f"{PAGE}organisation/").status_code == 200


def test_model(alpha_user, org_context) -> None:
    with org_context(alpha_user.org), pytest.raises(ValidationError, match="year 3000"):
        Token.create(owner=alpha_user, name="Late", expires_at=EXPIRY_CEILING)
    with pytest.raises(ValidationError) as caught:
        Token(name="Late", expires_at=EXPIRY_CEILING).full_clean(exclude=["owner"])
    assert "expires_at" in caught.value.message_dict


def test_database(alpha_user, issue, org_context) -> None:
    token, _ = issue(alpha_user)
    for moment in (EXPIRY_CEILING, datetime.max.replace(tzinfo=timezone(timedelta(hours=-11)))):
        with (
            org_context(alpha_user.org),
            pytest.raises(IntegrityError, match="pat_tokens_token_expiry"),
            transaction.atomic(),
        ):
            Token.objects.filter(pk=token.pk).update(expires_at=moment)


def test_rotation(alpha_user, issue, stored) -> None:
    token, _ = issue(alpha_user, expires_at=LATEST)
    with in_organisation(token.org_id):
        Token.objects.update(created_at=datetime(2020, 1, 1, tzinfo=UTC))
    rotate_token(stored(token))
    assert stored(token).expires_at == LATEST


def test_row_of_the_host_hides_no_other(api, admin, browser, issue) -> None:
    """The host's table has no such constraint."""
    issue(admin, name="Ours")
    issue_host_token(admin, name="Good")
    bad, _ = issue_host_token(admin, name="Bad")
    spoil("host_tokens_hosttoken", bad.pk)
    client = api(admin)
    for path in (URL, ORG):
        rows = {row["name"]: row["expires_at"] for row in client.get(path).json()["tokens"]}
        assert rows == {"Ours": None, "Good": None, "Bad": None}
    for path in (PAGE, f"{PAGE}organisation/", f"{PAGE}organisation/{bad.pk}/revoke/"):
        assert "Bad" in browser.get(path).content.decode()
    assert client.delete(f"{ORG}{bad.pk}/").status_code == 200
    assert client.post(f"{ORG}revoke/", {"all": True}, format="json").json()["revoked"] == 2


def test_row_of_the_host_is_adopted(alpha_user) -> None:
    bad, _ = issue_host_token(alpha_user, name="Bad")
    spoil("host_tokens_hosttoken", bad.pk)
    call_command("pat_adopt", "--apply", verbosity=0)
    with in_organisation(alpha_user.org_id):
        assert Token.objects.get().expires_at is None


@pytest.fixture
def bad_row(alpha_user, issue):
    """A row that can't be loaded, as if the constraint were missing."""
    token, secret = issue(alpha_user, name="Bad")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE pat_tokens_token DROP CONSTRAINT pat_tokens_token_expiry")
    with in_organisation(token.org_id):
        spoil("pat_tokens_token", token.pk)
        with pytest.raises(Exception, match="year"):
            Token.objects.get(pk=token.pk)
    return token, secret


def revoked(token) -> bool:
    with in_organisation(token.org_id):
        return Token.objects.filter(pk=token.pk, revoked_at__isnull=False).exists()


@pytest.mark.parametrize("by", ["owner", "admin", "person", "all", "finder"])
def test_revocation_loads_nothing_that_could_keep_it(
    api, bad_row, alpha_user, alpha_admin, by
) -> None:
    from pat_tokens.services.revocation import revoke_leaked

    token, secret = bad_row
    admin = api(alpha_admin)
    if by == "owner":
        assert api(alpha_user).delete(f"{URL}{token.pk}/").status_code == 200
    elif by == "admin":
        assert admin.delete(f"{ORG}{token.pk}/").status_code == 200
    elif by == "finder":
        assert revoke_leaked(secret)
    else:
        body = {"all": True} if by == "all" else {"owner": str(alpha_user.pk)}
        assert admin.post(f"{ORG}revoke/", body, format="json").json()["revoked"] == 1
    assert revoked(token)


def test_one_organisation_keeps_no_other_from_its_notices(
    bad_row, beta_user, issue, events
) -> None:
    issue(beta_user, expires_at=datetime.now(UTC) - timedelta(days=1))
    with in_organisation(bad_row[0].org_id):
        # Due by its policy, so that the command has to read it.
        from pat_tokens.models import Policy

        Policy.objects.create(org_id=bad_row[0].org_id, max_lifetime_days=1)
    with pytest.raises(CommandError, match="1 step failed"):
        call_command("pat_expiry", verbosity=0)
    assert [event.kind for event in events(beta_user.org)] == ["expired"]
