"""A write is saved, and the message broker does not take what the CRM wanted done after it."""

from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery
from django.db.models.signals import post_delete, post_save

from bottlecrm_mcp.gateway.base import GatewayError
from bottlecrm_mcp.models import KeyedWrite
from demo_crm.access.row_security import org_context
from demo_crm.models import Comment, Contact

app = Celery("unsent", broker="memory://", backend="cache+memory://", set_as_current=False)
PERSON = {"first_name": "Annika", "last_name": "Leeuw"}
NEW = {"entity": "contacts", "data": PERSON}

# What the hand-over after the commit does is part of these tests.
pytestmark = pytest.mark.django_db(transaction=True)


@app.task(name="tests.mail_customer")  # type: ignore[untyped-decorator]
def mail_customer() -> None:
    pass


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bool]]:
    """A broker that can be switched off, and tasks published whenever one of these is stored."""
    state = {"up": True}

    def send(producer: Any, name: str, message: Any, **options: Any) -> None:
        if not state["up"]:
            raise ConnectionError("no broker")

    def publish(**kwargs: Any) -> None:
        mail_customer.delay()

    monkeypatch.setitem(app.amqp.__dict__, "send_task_message", send)
    signals = [
        (signal, model) for signal in (post_save, post_delete) for model in (Contact, Comment)
    ]
    for signal, model in signals:
        signal.connect(publish, sender=model, weak=False, dispatch_uid="unsent")
    yield state
    for signal, model in signals:
        signal.disconnect(sender=model, dispatch_uid="unsent")


@pytest.fixture
def writes(admin: Any, broker: dict[str, bool]) -> dict[str, Any]:
    pk = admin("crm_create", **NEW)["id"]
    one = {"entity": "contacts", "id": pk}
    comment = {"action": "add_comment", "params": {"comment": "Called back"}}
    return {
        "crm_create": NEW,
        "crm_update": {**one, "data": {"city": "Pune"}},
        "crm_action": {**one, **comment},
        "crm_delete": {**one, "confirm": True},
    }


@pytest.mark.parametrize("tool", ["crm_create", "crm_update", "crm_action", "crm_delete"])
def test_answer_says_what_was_not_handed_over(admin, writes, broker, tool) -> None:
    broker["up"] = False
    answer = admin(tool, **writes[tool])
    assert "error" not in answer
    (warning,) = answer["warnings"]
    assert "tests.mail_customer" in warning
    assert "not mailed" in warning


@pytest.mark.parametrize("tool", ["crm_create", "crm_update", "crm_action", "crm_delete"])
def test_nothing_to_say_otherwise(admin, writes, broker, tool) -> None:
    assert "warnings" not in admin(tool, **writes[tool])


@pytest.mark.parametrize("tool", ["crm_create", "crm_action"])
def test_repeated_call_says_so_again(admin, writes, broker, tool) -> None:
    keyed = {**writes[tool], "idempotency_key": "k1"}
    broker["up"] = False
    first = admin(tool, **keyed)
    broker["up"] = True
    second = admin(tool, **keyed)
    assert second["repeated"] is True
    assert second["warnings"] == first["warnings"]


@pytest.mark.parametrize("tool", ["crm_create", "crm_action"])
def test_repeated_call_of_a_write_without_trouble(admin, writes, broker, tool) -> None:
    keyed = {**writes[tool], "idempotency_key": "k1"}
    assert "warnings" not in admin(tool, **keyed)
    assert "warnings" not in admin(tool, **keyed)


def test_process_that_dies_before_the_hand_over(
    admin, alpha_admin, broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows then whether the tasks were handed over, and the repeated call says so."""
    from bottlecrm_mcp.gateway.in_process.idempotency import Claim

    keyed = {**NEW, "idempotency_key": "k1"}
    with monkeypatch.context() as patch:
        patch.setattr(Claim, "note_unsent", lambda self, tasks: None)
        admin("crm_create", **keyed)
    with org_context(alpha_admin.org):
        assert KeyedWrite.objects.get().unsent == ["tests.mail_customer"]
    assert "tests.mail_customer" in admin("crm_create", **keyed)["warnings"][0]


def test_write_that_is_rolled_back_leaves_nothing_to_say(admin, alpha_admin, broker) -> None:
    broker["up"] = False
    refused = {"entity": "contacts", "data": {**PERSON, "phone": "12"}, "idempotency_key": "k1"}
    assert admin("crm_create", **refused)["error"]["code"] == "rejected"
    with org_context(alpha_admin.org):
        assert not KeyedWrite.objects.exists()


def test_other_call_under_the_key_is_still_refused(admin, broker) -> None:
    broker["up"] = False
    admin("crm_create", **NEW, idempotency_key="k1")
    other = {"entity": "contacts", "data": {**PERSON, "city": "Pune"}}
    with pytest.raises(GatewayError, match="used for another call"):
        admin("crm_create", **other, idempotency_key="k1")
