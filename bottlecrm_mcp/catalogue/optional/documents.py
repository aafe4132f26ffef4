"""BottleCRM's contract for documents: files with a title that are shared with people and teams.

PATCH ignores whom a document is shared with, and PUT ends every share that is not sent again.
"""

from __future__ import annotations

from bottlecrm_mcp.catalogue import choices
from bottlecrm_mcp.catalogue.field_helpers import (
    choice,
    many,
    one,
    shown,
    text,
)
from bottlecrm_mcp.catalogue.model import Access, Entity, Kind, RestFilter, Section

DOCUMENTS = Entity(
    name="documents",
    singular="document",
    path="/api/documents/",
    web_path="/documents/{id}",
    resource="documents",
    model="common.Document",
    write_serializers=("common.serializer.DocumentCreateSerializer",) * 2,
    sections=tuple(
        Section(
            f"documents_{status}.documents_{status}", f"documents_{status}.documents_{status}_count"
        )
        for status in choices.DOCUMENT_STATUS
    ),
    detail_key="doc_obj",
    update_method="PUT",
    sent_with_updates=("shared_to", "teams"),
    label=(("title",),),
    columns=("title", "status", "shared_to", "teams", "created_at"),
    fields=(
        text("title", required=True),
        choice("status", choices.DOCUMENT_STATUS),
        many("shared_to", "people"),
        many("teams", "teams"),
        shown("size_bytes", Kind.INTEGER, computed=True),
        one("created_by", "users", access=Access.READ_ONLY),
        shown("created_at", Kind.DATETIME),
    ),
    search_fields=("title",),
    search_parameter="title",
    rest_filters={
        "title__contains": RestFilter("title"),
        "status": RestFilter("status"),
        "shared_to": RestFilter("shared_to"),
    },
    delete_consequence="delete the document with its file",
    no_create="A document is a file, which a tool call does not carry. Upload it in the CRM, under "
    "Documents; its title, status and shares can be changed here.",
    no_comments="BottleCRM keeps no comments on documents.",
)
