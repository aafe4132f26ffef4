import pytest

from pat_tokens.request_cache import cached, request_cache
from pat_tokens.resolver import RevokedToken, resolve_token
from pat_tokens.services.revocation import revoke


def test_asked_twice_within_a_call_is_looked_up_once(
    token_for, alpha_admin, django_assert_num_queries
):
    secret = token_for(alpha_admin)

    with request_cache():
        first = resolve_token(secret)
        with django_assert_num_queries(0):
            assert resolve_token(secret) is first


def test_nothing_is_kept_for_the_next_call(token_for, alpha_admin, org_context):
    secret = token_for(alpha_admin)
    with request_cache():
        token = resolve_token(secret)
    with org_context(alpha_admin.org):
        revoke(token, by=alpha_admin)

    with request_cache(), pytest.raises(RevokedToken):
        resolve_token(secret)


def test_outside_a_call_nothing_is_kept():
    answers = iter((1, 2))

    assert [cached("key", lambda: next(answers)) for _ in range(2)] == [1, 2]


def test_calls_within_calls_are_apart():
    with request_cache():
        assert cached("key", lambda: "outer") == "outer"
        with request_cache():
            assert cached("key", lambda: "inner") == "inner"
        assert cached("key", lambda: "again") == "outer"


def test_what_is_not_there_is_remembered_too():
    with request_cache():
        assert cached("key", lambda: None) is None
        assert cached("key", lambda: 1) is None
