"""BottleCRM's contract for contacts."""

from __future__ import annotations

from dataclasses import replace

from bottlecrm_mcp.catalogue.field_helpers import (
    ATTACHMENTS,
    BY_CREATION,
    BY_PEOPLE_AND_TAGS,
    COMMENTS,
    CREATED,
    CUSTOM_FIELDS,
    PHONE,
    TEAM,
    UPDATED,
    address,
    boolean,
    email,
    many,
    note_actions,
    one,
    text,
    url,
)
from bottlecrm_mcp.catalogue.model import (
    Access,
    Entity,
    RestFilter,
    Section,
)

LINKED_ACCOUNTS = replace(
    many("linked_accounts", "accounts", access=Access.READ_ONLY),
    column="account_contacts",
    note="the accounts that list it; filters by account find these, too",
)
CONTACTS = Entity(
    name="contacts",
    singular="contact",
    path="/api/contacts/",
    web_path="/contacts/{id}",
    resource="contacts",
    model="contacts.Contact",
    write_serializers=("contacts.serializer.CreateContactSerializer",) * 2,
    sections=(Section("results", "count"),),
    detail_key="contact_obj",
    label=(("first_name", "last_name"), ("email",)),
    columns=("first_name", "last_name", "email", "phone", "account", "organization"),
    fields=(
        # Inbound mail makes contacts by its display name, and so does the form on the site.
        text("first_name", 255, required=True, untrusted=True),
        text("last_name", 255, required=True, untrusted=True),
        email("email", untrusted=True),
        PHONE,
        text("organization", 255),
        text("title", 255),
        text("department", 255),
        boolean("do_not_call"),
        url("linkedin_url", 200),
        *address(),
        text("description", untrusted=True),
        # The CRM joins contacts to accounts twice: by this, and by the account's own contacts,
        # where it shows most of them.
        replace(one("account", "accounts"), also=LINKED_ACCOUNTS),
        LINKED_ACCOUNTS,
        boolean("is_active"),
        *TEAM,
        CUSTOM_FIELDS,
        *CREATED,
        UPDATED,
    ),
    search_fields=("first_name", "last_name", "email", "phone", "organization"),
    rest_filters={
        "city__contains": RestFilter("city"),
        "phone__contains": RestFilter("phone"),
        "email__contains": RestFilter("email"),
        "is_active": RestFilter("is_active"),
        **BY_PEOPLE_AND_TAGS,
        **BY_CREATION,
    },
    newest_first=True,
    actions=note_actions("contacts", "contact"),
    includes=(COMMENTS, ATTACHMENTS),
    address="email",
    identity=(("email",), ("first_name", "last_name")),
    delete_consequence="delete the contact with its comments and attachments",
    custom_fields="Contact",
)
