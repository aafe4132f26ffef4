"""Where a token must not count, and what its look-up gives away."""

import re
import string
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pat_tokens import secret as token_secret
from tests.bottlecrm_mcp.hosted.http import LIST_TOOLS, send

SAVEPOINT = re.compile(r"\"s\d+_x\d+\"")
BODIES = (
    {"token": "{}"},
    {"access_token": "{}"},
    {"params": {"token": "{}"}},
    {"params": {"_meta": {"authorization": "Bearer {}", "token": "{}"}}},
)


@pytest.mark.parametrize("body", BODIES)
def test_token_in_the_body_is_none(app: Any, secret: str, body: Any) -> None:
    content = str(LIST_TOOLS | body).replace("{}", secret).replace("'", '"').encode()
    response = send(app, body=content)
    assert response.status_code == 401
    assert secret not in response.text


@pytest.mark.parametrize(
    "name", ["X-Authorization", "X-Api-Key", "Proxy-Authorization", "Token", "Authorization_"]
)
def test_token_in_another_header_is_none(app: Any, secret: str, name: str) -> None:
    assert send(app, headers={name: f"Bearer {secret}"}).status_code == 401


def near(secret: str) -> list[str]:
    """Tokens of good shape that begin like this one, ever longer, and end otherwise."""
    body = secret[: -token_secret.CHECKSUM_DIGITS]
    found = []
    for length in (len(token_secret.PREFIX), len(body) // 2, len(body) - 1):
        digits = string.digits if body[length] in string.ascii_letters else string.ascii_letters
        other = body[:length] + digits[0] + body[length + 1 :]
        found.append(other + token_secret._checksum(other))
    return found


def test_near_miss_is_looked_up_like_any_other(app: Any, secret: str) -> None:
    """By its digest alone, so that no prefix can be told from another by time or by queries."""
    seen = []
    for wrong in [*near(secret), token_secret.generate()]:
        with CaptureQueriesContext(connection) as captured:
            response = send(app, headers={"Authorization": f"Bearer {wrong}"})
        assert response.status_code == 401
        digest = token_secret.digest(wrong)
        said = [SAVEPOINT.sub("", each["sql"].replace(digest, "…")) for each in captured]
        seen.append((response.text, said))
        assert not any(wrong[-12:] in each["sql"] for each in captured)
    assert all(each == seen[0] for each in seen)
