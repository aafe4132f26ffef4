"""Download of an attached file, by whoever may read the record that it is attached to."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404
from rest_framework.request import Request
from rest_framework.views import APIView

from demo_crm.entities.base import Entity
from demo_crm.entities.billing.invoices import Invoices
from demo_crm.entities.sales.accounts import Accounts
from demo_crm.entities.sales.contacts import Contacts
from demo_crm.entities.sales.leads import Leads
from demo_crm.entities.sales.opportunities import Opportunities
from demo_crm.entities.service.cases import Cases
from demo_crm.entities.tasks import Tasks
from demo_crm.models import Attachment

KINDS: Mapping[str, type[Entity]] = {
    each.model.__name__.lower(): each
    for each in (Leads, Contacts, Accounts, Opportunities, Tasks, Cases, Invoices)
}


class Download(APIView):
    def get(self, request: Request, pk: UUID) -> FileResponse:
        profile = request.profile  # type: ignore[attr-defined]
        found: Any = get_object_or_404(Attachment, pk=pk, org=profile.org)
        kind = KINDS[found.content_type.model]()
        kind.request = request
        kind.to_read(found.object_id)
        if not found.attachment:
            raise Http404
        opened = found.attachment.open("rb")
        return FileResponse(opened, as_attachment=True, filename=found.file_name)
