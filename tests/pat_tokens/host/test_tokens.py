import pytest
from django.db.models import Count
from django.utils import timezone

from pat_tokens.host import tokens
from pat_tokens.host.tokens import HostTokens
from pat_tokens.services.org_tokens import org_page, totals
from pat_tokens.services.own_tokens import own_page
from tests.host_tokens.models import issue_host_token


@pytest.fixture
def no_table(settings) -> None:
    settings.PAT_TOKENS_HOST_MODEL = "common.PersonalAccessToken"


def test_host_without_such_a_table_has_no_tokens(alpha_user, no_table) -> None:
    row, _ = issue_host_token(alpha_user)
    found = HostTokens.of(alpha_user.org_id)
    assert not tokens.is_installed()
    assert (found.live(), found.dead(), found.unrevoked()) == ([], [], [])
    assert (found.count_live(), found.aggregate(count=Count("pk"))) == (0, {"count": 0})
    assert (found.find(row.pk), found.names(row.pk), found.revoke()) == (None, None, 0)
    assert tokens.revoke_by_digest(row.token_hash) is None
    assert not tokens.is_host_token(row)
    tokens.write_last_use(row, timezone.now())
    row.refresh_from_db()
    assert (row.revoked_at, row.last_used_at) == (None, None)


def test_its_lists_and_totals_are_of_our_tokens_only(alpha_user, no_table) -> None:
    issue_host_token(alpha_user)
    assert own_page(alpha_user).lines == org_page(alpha_user.org_id).lines == []
    assert totals(alpha_user.org_id) == {
        "count": 0,
        "live": 0,
        "orphaned": 0,
        "unused_90d": 0,
        "connections": 0,
    }


def test_tokens_of_one_person(alpha_user, alpha_admin) -> None:
    row, _ = issue_host_token(alpha_user, name="Mine")
    issue_host_token(alpha_admin, revoked_at=timezone.now())
    mine = HostTokens.of(alpha_user.org_id, alpha_user.pk)
    assert mine.count_live() == 1
    assert mine.names(row.pk) == ("Mine", row.token_prefix)
    assert HostTokens.of(alpha_user.org_id).aggregate(count=Count("pk")) == {"count": 2}
    assert HostTokens.of(alpha_user.org_id, alpha_admin.pk).find(row.pk) is None
