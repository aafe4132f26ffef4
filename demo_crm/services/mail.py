"""Mail, sent on commit."""

from collections.abc import Iterable
from functools import partial

from django.core.mail import send_mail
from django.db import transaction


def mail(subject: str, body: str, recipients: Iterable[str | None]) -> None:
    """Sent once the change it tells of is stored."""
    addresses = [address for address in recipients if address]
    if addresses:
        transaction.on_commit(partial(send_mail, subject, body, None, addresses))
