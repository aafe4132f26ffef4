from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bottlecrm_mcp.tools.confirmation.seal import LIFETIME, Seal, derive_key

NOW = 1_800_000_000.0
SUBJECT = {"caller": "a", "tool": "crm_delete", "arguments": {"id": "1"}, "record": "f00"}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
# How fast values are made depends on what else the machine does.
at_any_speed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
subjects = st.dictionaries(st.text(), json_values, max_size=4)


def seal_with(*secrets: str) -> Seal:
    return Seal([derive_key(secret) for secret in secrets])


@at_any_speed
@given(subjects)
def test_own_subject(subject) -> None:
    seal = seal_with("one")
    assert seal.holds(seal.issue(subject, NOW), subject, NOW)


@at_any_speed
@given(subjects, subjects)
def test_other_subject(subject, other) -> None:
    seal = seal_with("one")
    assert seal.holds(seal.issue(subject, NOW), other, NOW) == (subject == other)


@at_any_speed
@given(st.text())
def test_made_up_string(text) -> None:
    assert not seal_with("one").holds(text, SUBJECT, NOW)


def test_good_for_ten_minutes() -> None:
    seal = seal_with("one")
    confirmation = seal.issue(SUBJECT, NOW)
    assert LIFETIME == 600
    assert seal.holds(confirmation, SUBJECT, NOW + 600)
    assert not seal.holds(confirmation, SUBJECT, NOW + 601)


def test_expiry_is_signed() -> None:
    seal = seal_with("one")
    _, signature = seal.issue(SUBJECT, NOW).split(".")
    assert not seal.holds(f"{int(NOW) + 9999}.{signature}", SUBJECT, NOW)


def test_has_one_spelling() -> None:
    """What is used up is the text of a confirmation, so no other text may hold as well."""
    seal = seal_with("one")
    confirmation = seal.issue(SUBJECT, NOW)
    respelled = [f"0{confirmation}", f"00{confirmation}", f"{confirmation}=", f"{confirmation}\n"]
    assert not any(seal.holds(each, SUBJECT, NOW) for each in respelled)


def test_order_of_keys_in_the_subject_does_not_matter() -> None:
    seal = seal_with("one")
    turned = dict(reversed(SUBJECT.items()))
    assert seal.holds(seal.issue(SUBJECT, NOW), turned, NOW)


def test_unrelated_key() -> None:
    assert not seal_with("two").holds(seal_with("one").issue(SUBJECT, NOW), SUBJECT, NOW)


def test_rotated_key_still_verifies() -> None:
    before, after = seal_with("old"), seal_with("new", "old")
    assert after.holds(before.issue(SUBJECT, NOW), SUBJECT, NOW)


def test_first_key_signs() -> None:
    after = seal_with("new", "old")
    assert not seal_with("old").holds(after.issue(SUBJECT, NOW), SUBJECT, NOW)


def test_derived_key_is_not_the_secret() -> None:
    assert derive_key("secret") != b"secret"
    assert derive_key("secret") == derive_key(b"secret")
    assert len(derive_key("secret")) == 32
