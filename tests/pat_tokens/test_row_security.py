"""Row-level security of the token table, on a role that it binds."""

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.utils import timezone

from pat_tokens.models import Token
from pat_tokens.rls import presenting


def presented_digest() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('pat_tokens.digest', true)")
        return cursor.fetchone()[0] or ""


def test_no_rows_without_a_context(alpha_user, issue) -> None:
    issue(alpha_user)
    assert not Token.objects.exists()


def test_rows_of_the_organisation(alpha_user, beta_user, issue, org_context) -> None:
    ours, _ = issue(alpha_user)
    issue(beta_user)
    with org_context(alpha_user.org):
        assert list(Token.objects.all()) == [ours]


def test_another_organisations_row_cannot_be_changed(
    alpha_user, beta_user, issue, org_context
) -> None:
    token, _ = issue(alpha_user)
    with org_context(beta_user.org):
        assert Token.objects.filter(pk=token.pk).update(name="Theirs") == 0
        assert Token.objects.filter(pk=token.pk).delete()[0] == 0


def test_no_row_for_another_organisation(alpha_user, beta_user, org_context) -> None:
    with (
        org_context(beta_user.org),
        pytest.raises(ProgrammingError, match="row-level security"),
        transaction.atomic(),
    ):
        Token.create(owner=alpha_user, name="Theirs")


def test_no_row_moves_to_another_organisation(alpha_user, beta_user, issue, org_context) -> None:
    token, _ = issue(alpha_user)
    with (
        org_context(alpha_user.org),
        pytest.raises(ProgrammingError, match="row-level security"),
        transaction.atomic(),
    ):
        Token.objects.filter(pk=token.pk).update(org_id=beta_user.org_id)


def test_presented_digest_opens_its_row_only(alpha_user, issue) -> None:
    token, _ = issue(alpha_user)
    issue(alpha_user)
    with presenting(token.digest):
        assert list(Token.objects.all()) == [token]


def test_presented_digest_allows_an_update_of_its_row_only(alpha_user, issue, stored) -> None:
    token, _ = issue(alpha_user)
    other, _ = issue(alpha_user)
    with presenting(token.digest):
        assert Token.objects.update(last_used_at=timezone.now()) == 1
    assert stored(other).last_used_at is None


def test_presented_digest_allows_no_delete(alpha_user, issue, stored) -> None:
    token, _ = issue(alpha_user)
    with presenting(token.digest):
        assert Token.objects.filter(pk=token.pk).delete()[0] == 0
    assert stored(token) == token


def test_presented_digest_allows_no_insert(alpha_user) -> None:
    row = Token(owner=alpha_user, org_id=alpha_user.org_id, name="Forged", digest="d" * 64)
    with pytest.raises(ProgrammingError, match="row-level security"), presenting(row.digest):
        row.save(force_insert=True)


def test_presented_digest_cannot_be_changed(alpha_user, issue) -> None:
    token, _ = issue(alpha_user)
    with pytest.raises(ProgrammingError, match="row-level security"), presenting(token.digest):
        Token.objects.update(digest="d" * 64)


def test_empty_digest_opens_nothing(alpha_user, issue) -> None:
    issue(alpha_user)
    with presenting(""):
        assert not Token.objects.exists()


def test_row_with_an_empty_digest_stays_hidden(alpha_user, org_context) -> None:
    with org_context(alpha_user.org):
        Token.objects.create(owner=alpha_user, org_id=alpha_user.org_id, name="Odd", digest="")
    with presenting(""):
        assert not Token.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_variable_ends_with_the_look_up_in_autocommit() -> None:
    with presenting("d" * 64):
        assert presented_digest() == "d" * 64
    assert presented_digest() == ""


@pytest.mark.django_db(transaction=True)
def test_variable_ends_with_the_look_up_inside_a_transaction() -> None:
    with transaction.atomic():
        with presenting("d" * 64):
            assert presented_digest() == "d" * 64
        assert presented_digest() == ""


@pytest.mark.django_db(transaction=True)
def test_variable_ends_with_a_failed_look_up_inside_a_transaction() -> None:
    with transaction.atomic():
        with pytest.raises(Token.DoesNotExist), presenting("d" * 64):
            Token.objects.get(digest="d" * 64)
        assert presented_digest() == ""


@pytest.mark.django_db(transaction=True)
def test_variable_ends_with_a_database_error_inside_a_transaction() -> None:
    with transaction.atomic():
        with pytest.raises(IntegrityError), presenting("d" * 64):
            raise_not_null_violation()
        assert presented_digest() == ""


@pytest.mark.django_db(transaction=True)
def test_variable_ends_when_autocommit_is_off() -> None:
    transaction.set_autocommit(False)
    try:
        with presenting("d" * 64):
            assert presented_digest() == "d" * 64
        assert presented_digest() == ""
    finally:
        transaction.rollback()
        transaction.set_autocommit(True)


def raise_not_null_violation() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE short_lived (name text NOT NULL)")
        cursor.execute("INSERT INTO short_lived VALUES (NULL)")
