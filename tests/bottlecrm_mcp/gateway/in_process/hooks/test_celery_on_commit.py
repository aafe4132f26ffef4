import uuid
from contextlib import contextmanager
from typing import Any

import pytest
from celery import Celery
from celery.result import AsyncResult
from django.db import transaction
from rest_framework.exceptions import ValidationError

from bottlecrm_mcp.gateway.in_process.hooks.celery_on_commit import held_until_commit, install
from demo_crm.entities.sales.contacts import ContactList

app = Celery("tests", broker="memory://", backend="cache+memory://", set_as_current=False)


@app.task(name="tests.greet")  # type: ignore[untyped-decorator]
def greet(name: str) -> None:
    pass


@pytest.fixture
def sent(monkeypatch) -> list[tuple[Any, ...]]:
    """What reaches the broker, as (task, args, countdown, id)."""
    messages = []

    def publish(producer, name, message, **options):
        headers = message.headers
        messages.append((name, message.body[0], headers.get("eta"), headers["id"]))

    monkeypatch.setitem(app.amqp.__dict__, "send_task_message", publish)
    return messages


@pytest.fixture
def committed(db, django_capture_on_commit_callbacks):
    """A write of the gateway, which is committed at the end."""

    @contextmanager
    def write():
        capture = django_capture_on_commit_callbacks(execute=True)
        with capture, held_until_commit(), transaction.atomic():
            yield

    return write


PUBLISHERS = {
    "delay": lambda: greet.delay("Ann"),
    "apply_async": lambda: greet.apply_async(("Ann",), countdown=1800),
    "apply_async with keywords": lambda: greet.apply_async(args=["Ann"]),
    "send_task": lambda: app.send_task("tests.greet", ("Ann",)),
}


@pytest.fixture(params=PUBLISHERS)
def publish(request):
    return PUBLISHERS[request.param]


def create(gateway, **body):
    return gateway.write("POST", "/api/contacts/", {"first_name": "A", "last_name": "B", **body})


@pytest.fixture
def publishing_view(monkeypatch, publish):
    """A view that publishes a task in the middle of a write, and what publishing gave it."""
    results = []
    original = ContactList.create

    def create_and_publish(self, data):
        contact = original(self, data)
        results.append(publish())
        if data.get("city") == "refuse":
            raise ValidationError("too late")
        return contact

    monkeypatch.setattr(ContactList, "create", create_and_publish)
    return results


@pytest.mark.django_db(transaction=True)
def test_sent_after_the_commit(crm_of, alpha_admin, sent, publishing_view) -> None:
    assert create(crm_of(alpha_admin).gateway).ok
    ((name, args, _, task_id),) = sent
    assert (name, list(args)) == ("tests.greet", ["Ann"])
    assert isinstance(publishing_view[0], AsyncResult)
    assert publishing_view[0].id == task_id
    assert uuid.UUID(task_id)


@pytest.mark.django_db(transaction=True)
def test_dropped_on_rollback(crm_of, alpha_admin, sent, publishing_view) -> None:
    assert create(crm_of(alpha_admin).gateway, city="refuse").status == 400
    assert publishing_view
    assert sent == []


def test_held_while_the_write_is_not_committed(
    crm_of, alpha_admin, sent, publishing_view, django_capture_on_commit_callbacks
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        assert create(crm_of(alpha_admin).gateway).ok
    assert sent == []
    assert len(callbacks) == 1


@pytest.mark.django_db
def test_requests_of_others_publish_at_once(sent, publish) -> None:
    with transaction.atomic():
        publish()
        assert len(sent) == 1


def test_countdown_is_kept(sent, committed) -> None:
    with committed():
        greet.apply_async(("Ann",), countdown=1800)
        assert sent == []
    assert sent[0][2] is not None


def test_arguments_are_those_of_the_moment(sent, committed) -> None:
    names = ["Ann"]
    with committed():
        greet.apply_async(names)
        names[0] = "Bob"
    assert list(sent[0][1]) == ["Ann"]


def test_given_id_is_kept(sent, committed) -> None:
    with committed():
        assert greet.apply_async(("Ann",), task_id="mine").id == "mine"
    assert sent[0][3] == "mine"


def test_broker_that_is_down_does_not_undo_the_write(monkeypatch, caplog, committed) -> None:
    def down(*args, **options):
        raise ConnectionError("no broker")

    monkeypatch.setitem(app.amqp.__dict__, "send_task_message", down)
    with committed():
        greet.delay("Ann")
    assert "could not be published after a commit" in caplog.text


def test_installed_once() -> None:
    before = Celery.send_task
    install()
    assert Celery.send_task is before
