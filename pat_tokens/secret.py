"""Secret of a token: how it is made, recognised and stored.

`bcrm_pat_`, 256 random bits as 43 base62 digits, and the CRC32 of all that as 6 more. BottleCRM's
own tokens end in 43 url-safe base64 characters, so the length alone tells the two apart.
"""

import hashlib
import hmac
import re
import secrets
import string
import zlib

from django.conf import settings
from django.http import HttpRequest

PREFIX = "bcrm_pat_"
# What OAuth clients carry besides access tokens, which are tokens like all others.
CODE_PREFIX = "bcrm_oac_"
REFRESH_PREFIX = "bcrm_ort_"
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
RANDOM_DIGITS = 43
CHECKSUM_DIGITS = 6
OWN_SHAPE = re.compile(
    rf"(?:{PREFIX}|{CODE_PREFIX}|{REFRESH_PREFIX})[0-9A-Za-z]{{{RANDOM_DIGITS + CHECKSUM_DIGITS}}}"
)
IN_TEXT = re.compile(rf"(?:{PREFIX}|{CODE_PREFIX}|{REFRESH_PREFIX})[0-9A-Za-z_-]{{5,}}")
HOST_SHAPE = re.compile(rf"{PREFIX}[0-9A-Za-z_-]{{43}}")


def generate(prefix: str = PREFIX) -> str:
    """A new secret of 256 random bits, with its prefix and a checksum."""
    body = prefix + _base62(secrets.randbits(256), RANDOM_DIGITS)
    return body + _checksum(body)


def following(secret: str, prefix: str) -> str:
    """The secret that comes after this one: always the same, and known to nobody without a key."""
    key = hmac.new(settings.SECRET_KEY.encode(), secret.encode(), "sha256").digest()
    body = prefix + _base62(int.from_bytes(key), RANDOM_DIGITS)
    return body + _checksum(body)


def digest(secret: str) -> str:
    """What is stored. A fast hash is enough: 256 random bits can't be guessed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def display_prefix(secret: str) -> str:
    """As much of the secret as may be shown, to tell one token from another."""
    shown = secret.startswith((PREFIX, CODE_PREFIX, REFRESH_PREFIX))
    return secret[: len(PREFIX) + 4] if shown else ""


def redacted(text: str) -> str:
    """The text with every secret in it cut to its display prefix."""
    return IN_TEXT.sub(lambda found: f"{found[0][: len(PREFIX) + 4]}…", text)


def from_header(authorization: str) -> str | None:
    """The secret in an Authorization header, if it carries a personal access token."""
    scheme, _, credentials = authorization.partition(" ")
    return credentials if scheme == "Bearer" and credentials.startswith(PREFIX) else None


def made_with_credential(request: HttpRequest) -> bool:
    """Whether a token or a key is behind the request, and not a person."""
    return (
        getattr(request, "_pat", None) is not None
        or "Token" in request.headers
        or from_header(request.headers.get("Authorization", "")) is not None
    )


def is_plausible(secret: str) -> bool:
    """Whether a look-up can succeed: a token of ours without a typing error, or a host's."""
    return has_valid_checksum(secret) or HOST_SHAPE.fullmatch(secret) is not None


def has_valid_checksum(secret: str) -> bool:
    if not OWN_SHAPE.fullmatch(secret):
        return False
    return _checksum(secret[:-CHECKSUM_DIGITS]) == secret[-CHECKSUM_DIGITS:]


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), CHECKSUM_DIGITS)


def _base62(number: int, width: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 62)
        digits = BASE62[digit] + digits
    return digits.rjust(width, BASE62[0])
