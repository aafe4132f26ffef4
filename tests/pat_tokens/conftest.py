from collections.abc import Callable
from typing import Any

import pytest

from pat_tokens.models import Event, Token


@pytest.fixture
def issue(org_context: Callable[..., Any]) -> Callable[..., tuple[Token, str]]:
    """Make a token in its owner's organisation; the second value is its secret."""

    def issue_token(owner: Any, **fields: Any) -> tuple[Token, str]:
        with org_context(owner.org):
            return Token.create(owner=owner, **{"name": "Laptop", **fields})

    return issue_token


@pytest.fixture
def stored(org_context: Callable[..., Any]) -> Callable[[Token], Token]:
    """The token as the database has it now."""

    def read(token: Token) -> Token:
        with org_context(token.org):
            return Token.objects.get(pk=token.pk)

    return read


@pytest.fixture
def events(org_context: Callable[..., Any]) -> Callable[..., list[Event]]:
    """The log of an organisation, oldest first."""

    def read(org: Any, **filters: Any) -> list[Event]:
        with org_context(org):
            return list(Event.objects.filter(**filters).order_by("created_at"))

    return read
