"""BottleCRM's contract for accounts."""

from __future__ import annotations

from dataclasses import replace

from bottlecrm_mcp.catalogue import choices
from bottlecrm_mcp.catalogue.field_helpers import (
    ATTACHMENTS,
    BY_CREATION,
    BY_PEOPLE_AND_TAGS,
    COMMENTS,
    CREATED,
    CUSTOM_FIELDS,
    PHONE,
    TEAM,
    address,
    boolean,
    choice,
    email,
    integer,
    many,
    money,
    note_actions,
    text,
    url,
)
from bottlecrm_mcp.catalogue.model import (
    Entity,
    Included,
    RestFilter,
    Section,
)

# A create takes names and makes those that are missing. It finds a tag whose slug is the lower-case
# name, and fails on "At Risk", so the tools send slugs of tags that exist.
TAGS_BY_SLUG = replace(many("tags", "tags"), created_by_key="slug")

ACCOUNTS = Entity(
    name="accounts",
    singular="account",
    aliases=("companies", "company", "customers", "customer"),
    path="/api/accounts/",
    web_path="/accounts/{id}",
    resource="accounts",
    model="accounts.Account",
    write_serializers=("accounts.serializer.AccountCreateSerializer",) * 2,
    sections=(
        Section("active_accounts.open_accounts", "active_accounts.open_accounts_count"),
        Section("closed_accounts.close_accounts", "closed_accounts.close_accounts_count"),
    ),
    detail_key="account_obj",
    label=(("name",),),
    columns=("name", "email", "phone", "industry", "city", "assigned_to"),
    fields=(
        # A conversion takes those that are untrusted from the lead.
        text("name", 255, required=True, untrusted=True),
        email("email", untrusted=True),
        PHONE,
        url("website", 200),
        choice("industry", choices.INDUSTRY),
        integer("number_of_employees"),
        money("annual_revenue"),
        choice("currency", choices.CURRENCY),
        *address(),
        text("description", untrusted=True),
        boolean("is_active"),
        *(TAGS_BY_SLUG if each.name == "tags" else each for each in TEAM),
        many("contacts", "contacts"),
        CUSTOM_FIELDS,
        *CREATED,
    ),
    search_fields=("name",),
    rest_filters={
        "name__contains": RestFilter("name"),
        "city__contains": RestFilter("city"),
        **BY_PEOPLE_AND_TAGS,
        **BY_CREATION,
    },
    actions=note_actions("accounts", "account"),
    includes=(
        COMMENTS,
        ATTACHMENTS,
        Included("contacts", "contacts whose account this is", entity="contacts", by="account"),
        Included(
            "opportunities",
            "opportunities of this account",
            entity="opportunities",
            by="account",
        ),
        Included("cases", "cases of this account", entity="cases", by="account"),
        Included("tasks", "tasks of this account", entity="tasks", by="account"),
        Included("invoices", "invoices of this account", entity="invoices", by="account"),
    ),
    identity=(("name",), ("email",)),
    delete_consequence="delete the account together with its opportunities and cases",
    deletes_with=(("opportunities", "account"), ("cases", "account")),
    held_by=(
        ("invoices", "account"),
        ("estimates", "account"),
        ("recurring_invoices", "account"),
    ),
    custom_fields="Account",
)
