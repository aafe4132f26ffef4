"""What a write publishes, with a worker of Celery's own at the other end of a broker of files."""

from queue import Queue

import pytest
from celery import Celery
from celery.contrib.testing.worker import start_worker
from django.db import connection
from rest_framework.exceptions import ValidationError

from demo_crm.access.row_security import org_context
from demo_crm.entities.sales.contacts import ContactList
from demo_crm.models import Contact

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def celery(tmp_path):
    app = Celery("worker", broker="filesystem://", set_as_current=False)
    app.conf.worker_hijack_root_logger = False
    app.conf.broker_transport_options = {
        "data_folder_in": tmp_path,
        "data_folder_out": tmp_path,
        "control_folder": tmp_path / "control",
        "polling_interval": 0.01,
    }
    return app


@pytest.fixture
def done(celery, monkeypatch, alpha_admin) -> Queue[tuple[str, bool]]:
    """A view publishes a task for each contact; each that ran says whether it was there."""
    results: Queue[tuple[str, bool]] = Queue()

    @celery.task
    def greet(city):
        with org_context(alpha_admin.org):
            results.put((city, Contact.objects.filter(city=city).exists()))
        connection.close()

    create = ContactList.create

    def create_and_publish(self, data):
        contact = create(self, data)
        greet.delay(data["city"])
        if data["city"] == "Atlantis":
            raise ValidationError("no such city")
        return contact

    monkeypatch.setattr(ContactList, "create", create_and_publish)
    return results


def test_tasks_run_after_the_commit_and_not_after_a_rollback(
    celery, done, crm_of, alpha_admin
) -> None:
    gateway = crm_of(alpha_admin).gateway

    def create(city):
        body = {"first_name": "A", "last_name": "B", "city": city}
        return gateway.write("POST", "/api/contacts/", body).status

    with start_worker(celery, pool="solo", perform_ping_check=False):
        assert create("Atlantis") == 400
        assert create("Oslo") == 200
        # In the order in which they were published.
        assert done.get(timeout=30) == ("Oslo", True)
    assert done.empty()
