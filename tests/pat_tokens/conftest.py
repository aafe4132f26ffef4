from collections.abc import Callable
from typing import Any

import pytest

from pat_tokens.models import Token


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
