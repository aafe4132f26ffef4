import hashlib
import re

from hypothesis import given
from hypothesis import strategies as st

from pat_tokens import secret

HOST_SECRET = "bcrm_pat_" + "aB3_-" * 8 + "xyz"


def test_shape() -> None:
    assert re.fullmatch(r"bcrm_pat_[0-9A-Za-z]{49}", secret.generate())


def test_secrets_differ() -> None:
    assert secret.generate() != secret.generate()


def test_smallest_and_largest_random_number(monkeypatch) -> None:
    for number in (0, 2**256 - 1):
        monkeypatch.setattr(
            "pat_tokens.secret.secrets.randbits", lambda bits, number=number: number
        )
        assert secret.has_valid_checksum(secret.generate())


def test_known_checksum() -> None:
    # Scanners verify the checksum without us, so the format must not drift.
    assert secret.has_valid_checksum("bcrm_pat_" + "0" * 43 + "2MLJ6L")


def test_digest_is_the_hosts() -> None:
    assert secret.digest(HOST_SECRET) == hashlib.sha256(HOST_SECRET.encode()).hexdigest()


@given(position=st.integers(0, 48), digit=st.sampled_from(secret.BASE62))
def test_any_one_wrong_digit_fails_the_checksum(position: int, digit: str) -> None:
    right = secret.generate()
    place = len(secret.PREFIX) + position
    typed = right[:place] + digit + right[place + 1 :]
    assert secret.has_valid_checksum(typed) == (typed == right)


def test_swapped_digits_fail_the_checksum() -> None:
    right = secret.PREFIX + "ab" + "0" * 41
    swapped = secret.PREFIX + "ba" + "0" * 41
    assert not secret.has_valid_checksum(swapped + secret._checksum(right))


def test_host_secret_is_plausible_without_a_checksum() -> None:
    assert not secret.has_valid_checksum(HOST_SECRET)
    assert secret.is_plausible(HOST_SECRET)


def test_other_lengths_are_not_plausible() -> None:
    own = secret.generate()
    for wrong in (own[:-1], own + "0", HOST_SECRET[:-1], HOST_SECRET + "a", "bcrm_pat_", ""):
        assert not secret.is_plausible(wrong)


def test_line_break_is_not_plausible() -> None:
    assert not secret.is_plausible(secret.generate() + "\n")


def test_from_header() -> None:
    assert secret.from_header("Bearer bcrm_pat_x") == "bcrm_pat_x"


def test_from_header_wants_the_exact_scheme() -> None:
    headers = ("", "bcrm_pat_x", "bearer bcrm_pat_x", "Token bcrm_pat_x", "Bearer  bcrm_pat_x")
    assert [secret.from_header(header) for header in headers] == [None] * len(headers)


def test_from_header_leaves_other_credentials_to_the_host() -> None:
    assert secret.from_header("Bearer eyJhbGciOi.J9.x") is None


def test_display_prefix_shows_nothing_of_other_credentials() -> None:
    assert secret.display_prefix("bcrm_pat_abcdefgh") == "bcrm_pat_abcd"
    assert secret.display_prefix("bcrm_ort_abcdefgh") == "bcrm_ort_abcd"
    assert secret.display_prefix("eyJhbGciOi.J9.x") == ""
