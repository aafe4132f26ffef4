"""BottleCRM's REST contract: paths, envelopes, fields, filters, actions, effects and quirks.

Observed on a running backend (MicroPyramid/Django-CRM, commit d3eb5f94 of 2026-08-08).
"""

from __future__ import annotations

from bottlecrm_mcp.catalogue import choices
from bottlecrm_mcp.catalogue.model import (
    Access,
    Action,
    Catalogue,
    Effect,
    Entity,
    Field,
    HiddenValue,
    Included,
    Kind,
    Lookup,
    RestFilter,
    Section,
    ValueEffect,
)

WRITE = Access.WRITE
CREATE = Access.CREATE


def text(
    name: str, max_length: int | None = None, *, required: bool = False, untrusted: bool = False
) -> Field:
    return Field(
        name, Kind.TEXT, WRITE, required=required, max_length=max_length, untrusted=untrusted
    )


def email(name: str) -> Field:
    return Field(name, Kind.EMAIL, WRITE, max_length=254)


def url(name: str, max_length: int) -> Field:
    return Field(name, Kind.URL, WRITE, max_length=max_length)


def integer(name: str, note: str = "") -> Field:
    return Field(name, Kind.INTEGER, WRITE, note=note)


def money(name: str, note: str = "", *, access: Access = WRITE, listed: bool = True) -> Field:
    return Field(name, Kind.DECIMAL, access, note=note, money=True, listed=listed)


def boolean(name: str) -> Field:
    return Field(name, Kind.BOOLEAN, WRITE)


def date(name: str) -> Field:
    return Field(name, Kind.DATE, WRITE)


def choice(name: str, values: tuple[str, ...], *, required: bool = False, note: str = "") -> Field:
    return Field(name, Kind.CHOICE, WRITE, required=required, choices=values, note=note)


def one(
    name: str,
    to: str,
    *,
    access: Access = WRITE,
    required: bool = False,
    write_name: str = "",
    listed: bool = True,
    note: str = "",
) -> Field:
    return Field(
        name,
        Kind.RELATION,
        access,
        required=required,
        to=to,
        write_name=write_name,
        listed=listed,
        note=note,
    )


def many(name: str, to: str, *, access: Access = WRITE, listed: bool = True) -> Field:
    return Field(name, Kind.RELATIONS, access, to=to, listed=listed)


def shown(
    name: str,
    kind: Kind,
    *,
    values: tuple[str, ...] = (),
    listed: bool = True,
    computed: bool = False,
) -> Field:
    """A field that a record shows and nobody writes."""
    return Field(name, kind, choices=values, listed=listed, computed=computed)


COUNTRY_NOTE = "two-letter country code, such as US"
CUSTOM_FIELDS = Field(
    "custom_fields",
    Kind.OBJECT,
    WRITE,
    note="the organisation's own fields, as {key: value}",
)
CREATED = (
    one("created_by", "users", access=Access.READ_ONLY),
    shown("created_at", Kind.DATETIME),
)
UPDATED = shown("updated_at", Kind.DATETIME)
TEAM = (many("assigned_to", "people"), many("teams", "teams"), many("tags", "tags"))


def address(prefix: str = "", line_length: int = 255, *, listed: bool = True) -> tuple[Field, ...]:
    def part(name: str, length: int, note: str = "") -> Field:
        return Field(prefix + name, Kind.TEXT, WRITE, max_length=length, listed=listed, note=note)

    short = 255 if not prefix else 100
    return (
        part("address_line", line_length),
        part("city", short),
        part("state", short),
        part("postcode", 64 if not prefix else 20),
        part("country", 2, COUNTRY_NOTE),
    )


def parameter(
    name: str,
    kind: Kind = Kind.TEXT,
    *,
    required: bool = False,
    to: str = "",
    values: tuple[str, ...] = (),
    max_length: int | None = None,
    note: str = "",
) -> Field:
    return Field(
        name,
        kind,
        WRITE,
        required=required,
        to=to,
        choices=values,
        max_length=max_length,
        note=note,
    )


COMMENT_TEXT = parameter("comment", required=True, max_length=255)
COMMENT_ID = parameter("comment_id", required=True, note="the comment's id, from crm_get")


def delete_attachment(path: str) -> Action:
    return Action(
        "delete_attachment",
        "Delete an attached file of this record.",
        "DELETE",
        path,
        params=(
            parameter("attachment_id", required=True, note="the attachment's id, from crm_get"),
        ),
        effects=(Effect.DELETES,),
        consequence="delete the attached file",
        belongs=("attachment_id", "attachments"),
    )


def note_actions(entity: str, *extra: Field) -> tuple[Action, ...]:
    """Comments and attachments of the CRM entities.

    A comment is added by POST on the record itself, and changed at /comment/<id>/.
    """
    return (
        Action(
            "add_comment",
            "Add a comment to the record.",
            "POST",
            f"/api/{entity}/{{id}}/",
            params=(COMMENT_TEXT, *extra),
        ),
        Action(
            "edit_comment",
            "Replace the text of a comment of this record.",
            "PATCH",
            f"/api/{entity}/comment/{{comment_id}}/",
            params=(COMMENT_ID, COMMENT_TEXT),
            belongs=("comment_id", "comments"),
        ),
        Action(
            "delete_comment",
            "Delete a comment of this record.",
            "DELETE",
            f"/api/{entity}/comment/{{comment_id}}/",
            params=(COMMENT_ID,),
            effects=(Effect.DELETES,),
            consequence="delete the comment",
            belongs=("comment_id", "comments"),
        ),
        delete_attachment(f"/api/{entity}/attachment/{{attachment_id}}/"),
    )


COMMENT_KEYS = ("id", "comment", "commented_on", "commented_by", "is_internal")
ATTACHMENT_KEYS = ("id", "file_name", "created_at", "created_by")
LINE_ITEM_KEYS = (
    "id",
    "name",
    "description",
    "quantity",
    "unit_price",
    "discount_type",
    "discount_value",
    "tax_rate",
    "total",
)
COMMENTS = Included("comments", "comments, newest first", "comments", COMMENT_KEYS, untrusted=True)
ATTACHMENTS = Included("attachments", "attached files", "attachments", ATTACHMENT_KEYS)

BY_PEOPLE_AND_TAGS = {
    "assigned_to": RestFilter("assigned_to", repeats=True),
    "tags": RestFilter("tags", repeats=True),
}
BY_CREATION = {
    "created_at__gte": RestFilter("created_at__gte"),
    "created_at__lte": RestFilter("created_at__lte"),
}

CONVERT_LEAD = (
    "convert the lead: an account, a contact and an opportunity are created or matched, comments "
    "and attachments move to the account, and the lead leaves the list"
)
LEADS = Entity(
    name="leads",
    singular="lead",
    path="/api/leads/",
    resource="leads",
    model="leads.Lead",
    write_serializers=("leads.serializer.LeadCreateSerializer",) * 2,
    sections=(
        Section("open_leads.open_leads", "open_leads.leads_count"),
        Section("close_leads.close_leads", "close_leads.leads_count"),
    ),
    detail_key="lead_obj",
    label=(("first_name", "last_name"), ("title",), ("company_name",), ("email",)),
    columns=("first_name", "last_name", "company_name", "email", "status", "assigned_to"),
    fields=(
        text("title", 255, untrusted=True),
        text("salutation", 64),
        text("first_name", 255),
        text("last_name", 255),
        email("email"),
        Field("phone", Kind.TEXT, WRITE, max_length=25, note="7 to 25 digits and separators"),
        text("job_title", 255),
        text("website", 255),
        url("linkedin_url", 500),
        text("company_name", 255),
        choice("status", choices.LEAD_STATUS),
        choice("source", choices.LEAD_SOURCE),
        choice("industry", choices.INDUSTRY),
        choice("rating", choices.RATING),
        money("opportunity_amount"),
        choice("currency", choices.CURRENCY),
        integer("probability", "percent, 0 to 100"),
        date("close_date"),
        *address(),
        date("last_contacted"),
        date("next_follow_up"),
        text("description", untrusted=True),
        boolean("is_active"),
        *TEAM,
        many("contacts", "contacts"),
        CUSTOM_FIELDS,
        *CREATED,
        UPDATED,
    ),
    search_fields=("first_name", "last_name", "company_name", "email"),
    rest_filters={
        "status": RestFilter("status", repeats=True),
        "source": RestFilter("source"),
        "rating": RestFilter("rating"),
        "city__contains": RestFilter("city"),
        "email__contains": RestFilter("email"),
        "close_date__gte": RestFilter("close_date__gte"),
        "close_date__lte": RestFilter("close_date__lte"),
        "next_follow_up": RestFilter("next_follow_up"),
        **BY_PEOPLE_AND_TAGS,
        **BY_CREATION,
    },
    hidden=(
        HiddenValue(
            "status",
            "converted",
            "The CRM leaves converted leads out of the list. Search the account, contact or "
            "opportunity made from the lead, or get the lead by its id.",
        ),
    ),
    hidden_note="Converted leads are not listed.",
    value_effects=(
        ValueEffect(
            "status",
            "converted",
            (Effect.IRREVERSIBLE,),
            CONVERT_LEAD,
            alone=True,
        ),
    ),
    actions=(
        Action(
            "convert",
            "Convert the lead into an account, a contact and an opportunity.",
            "PATCH",
            "/api/leads/{id}/",
            body={"status": "converted"},
            effects=(Effect.IRREVERSIBLE,),
            consequence=CONVERT_LEAD,
            returns=("account_id", "contact_id", "opportunity_id"),
        ),
        *note_actions("leads"),
    ),
    includes=(
        COMMENTS,
        ATTACHMENTS,
        Included("tasks", "tasks of this lead", entity="tasks", by="lead"),
    ),
    identity=(("email",), ("first_name", "last_name"), ("company_name",)),
    delete_consequence="delete the lead with its comments and attachments",
    custom_fields="Lead",
)

CONTACTS = Entity(
    name="contacts",
    singular="contact",
    path="/api/contacts/",
    resource="contacts",
    model="contacts.Contact",
    write_serializers=("contacts.serializer.CreateContactSerializer",) * 2,
    sections=(Section("results", "count"),),
    detail_key="contact_obj",
    label=(("first_name", "last_name"), ("email",)),
    columns=("first_name", "last_name", "email", "phone", "account", "organization"),
    fields=(
        text("first_name", 255, required=True),
        text("last_name", 255, required=True),
        email("email"),
        Field("phone", Kind.TEXT, WRITE, max_length=25, note="7 to 25 digits and separators"),
        text("organization", 255),
        text("title", 255),
        text("department", 255),
        boolean("do_not_call"),
        url("linkedin_url", 200),
        *address(),
        text("description"),
        one("account", "accounts"),
        boolean("is_active"),
        *TEAM,
        CUSTOM_FIELDS,
        *CREATED,
        UPDATED,
    ),
    search_fields=("first_name", "last_name", "email", "phone"),
    rest_filters={
        "city__contains": RestFilter("city"),
        "phone__contains": RestFilter("phone"),
        "email__contains": RestFilter("email"),
        "is_active": RestFilter("is_active"),
        **BY_PEOPLE_AND_TAGS,
        **BY_CREATION,
    },
    newest_first=True,
    actions=note_actions("contacts"),
    includes=(COMMENTS, ATTACHMENTS),
    identity=(("email",), ("first_name", "last_name")),
    delete_consequence="delete the contact with its comments and attachments",
    custom_fields="Contact",
)

ACCOUNTS = Entity(
    name="accounts",
    singular="account",
    path="/api/accounts/",
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
        text("name", 255, required=True),
        email("email"),
        Field("phone", Kind.TEXT, WRITE, max_length=25, note="7 to 25 digits and separators"),
        url("website", 200),
        choice("industry", choices.INDUSTRY),
        integer("number_of_employees", "0 or more"),
        money("annual_revenue", "0 or more"),
        choice("currency", choices.CURRENCY),
        *address(),
        text("description"),
        boolean("is_active"),
        *TEAM,
        many("contacts", "contacts"),
        CUSTOM_FIELDS,
        *CREATED,
    ),
    # A POST takes tag names and creates missing ones; the tool sends names of tags that exist.
    names_tags_on_create=True,
    search_fields=("name",),
    rest_filters={
        "name__contains": RestFilter("name"),
        "city__contains": RestFilter("city"),
        **BY_PEOPLE_AND_TAGS,
        **BY_CREATION,
    },
    actions=note_actions("accounts"),
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
    held_by=(("invoices", "account"),),
    custom_fields="Account",
)

LINE_ITEM = (
    parameter("description", max_length=500),
    parameter("quantity", Kind.DECIMAL),
    parameter("unit_price", Kind.DECIMAL),
    parameter("discount_type", Kind.CHOICE, values=choices.DISCOUNT_TYPE),
    parameter("discount_value", Kind.DECIMAL),
)
LINE_ITEM_ID = parameter("line_item_id", required=True, note="the line item's id, from crm_get")


def line_item_actions(path: str, *extra: Field) -> tuple[Action, ...]:
    return (
        Action(
            "add_line_item",
            "Add a line item; the CRM recalculates the amounts.",
            "POST",
            path,
            params=(parameter("name", required=True, max_length=255), *LINE_ITEM, *extra),
            returns=LINE_ITEM_KEYS,
            returns_in="line_item",
        ),
        Action(
            "update_line_item",
            "Change a line item; the CRM recalculates the amounts.",
            "PUT",
            path + "{line_item_id}/",
            params=(LINE_ITEM_ID, parameter("name", max_length=255), *LINE_ITEM, *extra),
            returns=LINE_ITEM_KEYS,
            returns_in="line_item",
            belongs=("line_item_id", "line_items"),
        ),
        Action(
            "remove_line_item",
            "Remove a line item; the CRM recalculates the amounts.",
            "DELETE",
            path + "{line_item_id}/",
            params=(LINE_ITEM_ID,),
            effects=(Effect.DELETES,),
            consequence="delete the line item and recalculate the amounts",
            belongs=("line_item_id", "line_items"),
        ),
    )


OPPORTUNITIES = Entity(
    name="opportunities",
    singular="opportunity",
    path="/api/opportunities/",
    resource="opportunities",
    model="opportunity.Opportunity",
    write_serializers=("opportunity.serializer.OpportunityCreateSerializer",) * 2,
    sections=(Section("opportunities", "opportunities_count"),),
    detail_key="opportunity_obj",
    label=(("name",),),
    columns=("name", "account", "stage", "amount", "currency", "closed_on"),
    fields=(
        text("name", 255, required=True),
        one("account", "accounts"),
        choice("stage", choices.STAGE, note="a closed stage needs closed_on, CLOSED_WON an amount"),
        choice("opportunity_type", choices.OPPORTUNITY_TYPE),
        choice("currency", choices.CURRENCY),
        money("amount", "0 or more; fixed by the line items once there are any"),
        integer("probability", "percent, 0 to 100"),
        date("closed_on"),
        choice("lead_source", choices.OPPORTUNITY_SOURCE),
        text("description"),
        boolean("is_active"),
        *TEAM,
        many("contacts", "contacts"),
        CUSTOM_FIELDS,
        shown("amount_source", Kind.TEXT),
        shown("stage_changed_at", Kind.DATETIME),
        *CREATED,
    ),
    search_fields=("name",),
    rest_filters={
        "name__contains": RestFilter("name"),
        "account": RestFilter("account"),
        "stage": RestFilter("stage"),
        "lead_source": RestFilter("lead_source"),
        "closed_on__gte": RestFilter("closed_on__gte"),
        "closed_on__lte": RestFilter("closed_on__lte"),
        "amount__gte": RestFilter("amount__gte"),
        "amount__lte": RestFilter("amount__lte"),
        **BY_PEOPLE_AND_TAGS,
        **BY_CREATION,
    },
    actions=(
        *note_actions("opportunities"),
        *line_item_actions("/api/opportunities/{id}/line-items/"),
    ),
    includes=(
        COMMENTS,
        ATTACHMENTS,
        Included("line_items", "line items", "opportunity_obj.line_items", LINE_ITEM_KEYS),
        Included("tasks", "tasks of this opportunity", entity="tasks", by="opportunity"),
        Included("invoices", "invoices of this opportunity", entity="invoices", by="opportunity"),
    ),
    identity=(("name",),),
    delete_consequence="delete the opportunity with its line items, comments and attachments",
    custom_fields="Opportunity",
)

TASK_PARENT = "a task has at most one of account, opportunity, case and lead"
TASKS = Entity(
    name="tasks",
    singular="task",
    path="/api/tasks/",
    resource="tasks",
    model="tasks.Task",
    write_serializers=("tasks.serializer.TaskCreateSerializer",) * 2,
    sections=(Section("tasks", "tasks_count"),),
    detail_key="task_obj",
    label=(("title",),),
    columns=("title", "status", "priority", "due_date", "assigned_to"),
    fields=(
        text("title", 200, required=True),
        choice("status", choices.TASK_STATUS, required=True),
        choice("priority", choices.TASK_PRIORITY, required=True),
        date("due_date"),
        Field("description", Kind.TEXT, WRITE, listed=False),
        one("account", "accounts", note=TASK_PARENT),
        one("opportunity", "opportunities", note=TASK_PARENT),
        one("case", "cases", note=TASK_PARENT),
        one("lead", "leads", note=TASK_PARENT),
        many("assigned_to", "people"),
        many("teams", "teams", listed=False),
        many("tags", "tags"),
        many("contacts", "contacts", listed=False),
        Field(
            "custom_fields",
            Kind.OBJECT,
            WRITE,
            listed=False,
            note=CUSTOM_FIELDS.note,
        ),
        one("created_by", "users", access=Access.READ_ONLY, listed=False),
        shown("created_at", Kind.DATETIME),
    ),
    # Without it the list bundles every account and contact of the organisation.
    list_parameters={"slim": "true"},
    search_fields=("title",),
    rest_filters={
        "title__contains": RestFilter("title"),
        "status": RestFilter("status", repeats=True),
        "priority": RestFilter("priority"),
        "due_date__gte": RestFilter("due_date__gte"),
        "due_date__lte": RestFilter("due_date__lte"),
        "account": RestFilter("account"),
        "opportunity": RestFilter("opportunity"),
        "case": RestFilter("case"),
        "lead": RestFilter("lead"),
        **BY_PEOPLE_AND_TAGS,
        **BY_CREATION,
    },
    actions=note_actions("tasks"),
    includes=(COMMENTS, ATTACHMENTS),
    identity=(("title",),),
    delete_consequence="delete the task with its comments and attachments",
    custom_fields="Task",
)

TIME_ENTRY_KEYS = ("id", "started_at", "ended_at", "duration_minutes", "description", "billable")
TIME_ENTRY_ID = parameter("time_entry_id", required=True, note="the entry's id, from crm_get")
APPROVAL_KEYS = ("id", "state", "note", "reason", "decided_at", "created_at")
APPROVAL_ID = parameter("approval_id", required=True, note="the request's id, from crm_get")
CLOSE_CASE = "close the case, which sends the customer a satisfaction survey by e-mail"
CASES = Entity(
    name="cases",
    singular="case",
    path="/api/cases/",
    resource="cases",
    model="cases.Case",
    write_serializers=("cases.serializer.CaseCreateSerializer",) * 2,
    sections=(Section("cases", "cases_count"),),
    detail_key="cases_obj",
    label=(("name",),),
    columns=("name", "status", "priority", "account", "created_at"),
    fields=(
        text("name", 64, required=True, untrusted=True),
        choice("status", choices.CASE_STATUS, required=True, note="Closed needs closed_on"),
        choice("priority", choices.CASE_PRIORITY, required=True),
        choice("case_type", choices.CASE_TYPE),
        date("closed_on"),
        text("description", untrusted=True),
        one(
            "account",
            "accounts",
            access=CREATE,
            note="the CRM keeps the account that the case was created with",
        ),
        one("parent", "cases"),
        boolean("is_problem"),
        boolean("is_active"),
        *TEAM,
        many("contacts", "contacts"),
        CUSTOM_FIELDS,
        shown("escalation_count", Kind.INTEGER),
        shown("first_response_at", Kind.DATETIME),
        shown("resolved_at", Kind.DATETIME),
        shown("first_response_sla_deadline", Kind.DATETIME, computed=True),
        shown("resolution_sla_deadline", Kind.DATETIME, computed=True),
        shown("is_sla_first_response_breached", Kind.BOOLEAN, computed=True),
        shown("is_sla_resolution_breached", Kind.BOOLEAN, computed=True),
        *CREATED,
    ),
    list_parameters={"slim": "true"},
    search_fields=("name", "description"),
    rest_filters={
        "name__contains": RestFilter("name"),
        "status": RestFilter("status", repeats=True),
        "priority": RestFilter("priority"),
        "case_type": RestFilter("case_type"),
        "account": RestFilter("account"),
        **BY_PEOPLE_AND_TAGS,
        **BY_CREATION,
    },
    rest_sort={
        "created_at": "ordering",
        "priority": "ordering",
        "name": "ordering",
    },
    merged_parameters={"show_merged": "true"},
    hidden_note="Merged and deleted cases are not listed.",
    value_effects=(
        ValueEffect("status", "Closed", (Effect.MAILS,), CLOSE_CASE, mails=("contacts",)),
    ),
    actions=(
        Action(
            "close",
            "Close the case.",
            "PATCH",
            "/api/cases/{id}/",
            params=(
                parameter("closed_on", Kind.DATE, required=True, note="the day it was closed"),
            ),
            body={"status": "Closed"},
            effects=(Effect.MAILS,),
            consequence=CLOSE_CASE,
            mails=("contacts",),
        ),
        Action(
            "close_with_children",
            "Close the case and every open case below it.",
            "PATCH",
            "/api/cases/{id}/",
            params=(
                parameter("closed_on", Kind.DATE, required=True, note="the day they were closed"),
            ),
            body={"status": "Closed"},
            effects=(Effect.MAILS,),
            consequence="close the case and the open cases below it, each of which sends its "
            "customer a satisfaction survey by e-mail",
            mails=("contacts",),
            descendants="parent",
        ),
        Action(
            "link_parent",
            "Put the case under a parent case; crm_update with parent null takes it out.",
            "PATCH",
            "/api/cases/{id}/",
            params=(parameter("parent", Kind.RELATION, required=True, to="cases"),),
        ),
        Action("watch", "Watch the case.", "POST", "/api/cases/{id}/watch/"),
        Action("unwatch", "Stop watching the case.", "DELETE", "/api/cases/{id}/watch/"),
        Action(
            "merge",
            "Merge this case, a duplicate, into another one; unmerge takes it back.",
            "POST",
            "/api/cases/{id}/merge/{into}/",
            params=(parameter("into", Kind.RELATION, required=True, to="cases"),),
            effects=(Effect.DELETES,),
            consequence="move the comments, attachments and e-mails of this case into the other "
            "one, mark this one as a duplicate and take it out of the list",
        ),
        Action("unmerge", "Take back the merge of this case.", "POST", "/api/cases/{id}/unmerge/"),
        Action(
            "link_solution",
            "Link a solution to the case.",
            "POST",
            "/api/cases/{id}/solutions/",
            params=(parameter("solution_id", Kind.RELATION, required=True, to="solutions"),),
        ),
        Action(
            "unlink_solution",
            "Remove the link between the case and a solution.",
            "DELETE",
            "/api/cases/{id}/solutions/{solution_id}/",
            params=(parameter("solution_id", Kind.RELATION, required=True, to="solutions"),),
        ),
        Action(
            "log_time",
            "Log time spent on the case.",
            "POST",
            "/api/cases/{id}/time-entries/",
            params=(
                parameter("started_at", Kind.DATETIME, required=True),
                parameter("ended_at", Kind.DATETIME, required=True),
                parameter("description", required=True),
                parameter("billable", Kind.BOOLEAN),
                parameter("hourly_rate", Kind.DECIMAL),
                parameter("currency", Kind.CHOICE, values=choices.CURRENCY),
            ),
            returns=TIME_ENTRY_KEYS,
            unguarded=True,
        ),
        Action(
            "start_timer",
            "Start a timer on the case; a person has one running timer at most.",
            "POST",
            "/api/cases/{id}/time-entries/start/",
            params=(parameter("description"), parameter("billable", Kind.BOOLEAN)),
            returns=TIME_ENTRY_KEYS,
            unguarded=True,
        ),
        Action(
            "stop_timer",
            "Stop a running timer of this case.",
            "POST",
            "/api/time-entries/{time_entry_id}/stop/",
            params=(TIME_ENTRY_ID,),
            returns=TIME_ENTRY_KEYS,
            belongs=("time_entry_id", "time_entries"),
        ),
        Action(
            "delete_time_entry",
            "Delete a time entry of this case.",
            "DELETE",
            "/api/time-entries/{time_entry_id}/",
            params=(TIME_ENTRY_ID,),
            effects=(Effect.DELETES,),
            consequence="delete the time entry",
            belongs=("time_entry_id", "time_entries"),
        ),
        Action(
            "request_approval",
            "Ask for the approval that an approval rule wants before the case is closed.",
            "POST",
            "/api/cases/{id}/request-approval/",
            params=(parameter("note"),),
            returns=APPROVAL_KEYS,
        ),
        Action(
            "approve",
            "Approve a pending request of this case; nobody approves their own.",
            "POST",
            "/api/cases/approvals/{approval_id}/approve/",
            params=(APPROVAL_ID, parameter("note")),
            returns=APPROVAL_KEYS,
            belongs=("approval_id", "approvals"),
        ),
        Action(
            "reject",
            "Reject a pending request of this case.",
            "POST",
            "/api/cases/approvals/{approval_id}/reject/",
            params=(APPROVAL_ID, parameter("reason", required=True)),
            returns=APPROVAL_KEYS,
            belongs=("approval_id", "approvals"),
        ),
        Action(
            "cancel_approval",
            "Withdraw a pending request of this case.",
            "POST",
            "/api/cases/approvals/{approval_id}/cancel/",
            params=(APPROVAL_ID,),
            returns=APPROVAL_KEYS,
            belongs=("approval_id", "approvals"),
        ),
        *note_actions(
            "cases",
            parameter("is_internal", Kind.BOOLEAN, note="true for a note that only staff see"),
        ),
    ),
    includes=(
        COMMENTS,
        Included("internal_notes", "comments that only staff see", "internal_notes", COMMENT_KEYS),
        Included(
            "emails",
            "e-mails of the case",
            "email_messages",
            ("id", "direction", "from_address", "subject", "body_text", "received_at"),
            untrusted=True,
        ),
        ATTACHMENTS,
        Included("solutions", "linked solutions", "solutions", ("id", "title", "status")),
        Included(
            "activity",
            "the latest activity",
            "activities",
            ("action", "description", "created_at", "user"),
        ),
        Included(
            "watchers",
            "who watches this case",
            "watchers",
            ("profile_id", "name", "subscribed_via"),
            path="/api/cases/{id}/watchers/",
        ),
        Included("children", "cases below this one", entity="cases", by="parent"),
        Included("tasks", "tasks of this case", entity="tasks", by="case"),
        Included(
            "time_entries",
            "time spent on this case",
            keys=(*TIME_ENTRY_KEYS, "profile"),
            path="/api/cases/{id}/time-entries/",
        ),
        Included(
            "approvals",
            "approval requests of this case",
            "approvals",
            (*APPROVAL_KEYS, "requested_by", "can_act"),
            path="/api/cases/approvals/",
            parameters=(("case", "{id}"), ("state", "all")),
        ),
        Included(
            "suggested_solutions",
            "solutions that may answer this case",
            "results",
            ("id", "title", "snippet"),
            path="/api/cases/{id}/solution-suggestions/",
        ),
    ),
    identity=(("name",),),
    delete_consequence="delete the case with its comments and attachments",
    custom_fields="Case",
)

PAYMENT_KEYS = ("id", "amount", "payment_date", "payment_method", "reference_number", "notes")
INVOICE_LINE = (
    parameter("name", max_length=255),
    *LINE_ITEM,
    parameter("tax_rate", Kind.DECIMAL),
    parameter("order", Kind.INTEGER),
)


def detail(kind: Kind, *names: str) -> tuple[Field, ...]:
    return tuple(Field(name, kind, WRITE, listed=False) for name in names)


INVOICES = Entity(
    name="invoices",
    singular="invoice",
    path="/api/invoices/",
    resource="invoices",
    model="invoices.Invoice",
    write_serializers=("invoices.serializer.InvoiceCreateSerializer",) * 2,
    sections=(Section("results", "count"),),
    detail_key="invoice",
    update_method="PUT",
    label=(("invoice_number",), ("invoice_title",)),
    columns=("invoice_number", "invoice_title", "status", "account", "total_amount", "due_date"),
    fields=(
        shown("invoice_number", Kind.TEXT),
        text("invoice_title", 100, required=True),
        shown("status", Kind.CHOICE, values=choices.INVOICE_STATUS),
        one("account", "accounts", required=True, write_name="account_id"),
        one(
            "contact",
            "contacts",
            required=True,
            write_name="contact_id",
            note="a contact of the invoice's account, or one without an account",
        ),
        one("opportunity", "opportunities", write_name="opportunity_id", listed=False),
        text("client_name", 255),
        email("client_email"),
        Field("client_phone", Kind.TEXT, WRITE, max_length=25, listed=False),
        *address("billing_", listed=False),
        *address("client_", listed=False),
        Field("discount_type", Kind.CHOICE, WRITE, choices=choices.DISCOUNT_TYPE, listed=False),
        *detail(Kind.DECIMAL, "discount_value", "tax_rate", "shipping_amount"),
        choice("currency", choices.CURRENCY),
        date("issue_date"),
        date("due_date"),
        Field("payment_terms", Kind.CHOICE, WRITE, choices=choices.PAYMENT_TERMS, listed=False),
        Field("reminder_enabled", Kind.BOOLEAN, WRITE, listed=False),
        *detail(Kind.INTEGER, "reminder_days_before", "reminder_days_after"),
        Field(
            "reminder_frequency",
            Kind.CHOICE,
            WRITE,
            choices=choices.REMINDER_FREQUENCY,
            listed=False,
        ),
        Field("public_link_enabled", Kind.BOOLEAN, WRITE, listed=False),
        *detail(Kind.TEXT, "notes", "terms", "billing_period", "po_number"),
        Field(
            "line_items",
            Kind.OBJECTS,
            WRITE,
            listed=False,
            computed=True,
            parts=INVOICE_LINE,
            note="in an update, all line items are replaced by these",
        ),
        Field(
            "custom_fields",
            Kind.OBJECT,
            WRITE,
            listed=False,
            note=CUSTOM_FIELDS.note,
        ),
        *(
            money(name, access=Access.READ_ONLY)
            for name in ("total_amount", "amount_paid", "amount_due")
        ),
        shown("is_overdue", Kind.BOOLEAN, computed=True),
        *(
            money(name, access=Access.READ_ONLY, listed=False)
            for name in ("subtotal", "discount_amount", "tax_amount")
        ),
        *(shown(name, Kind.DATETIME, listed=False) for name in ("sent_at", "viewed_at", "paid_at")),
        many("assigned_to", "people", access=Access.READ_ONLY, listed=False),
        many("teams", "teams", access=Access.READ_ONLY, listed=False),
        one("created_by", "users", access=Access.READ_ONLY, listed=False),
        shown("created_at", Kind.DATETIME),
        shown("updated_at", Kind.DATETIME, listed=False),
    ),
    search_fields=("invoice_title", "invoice_number", "client_name", "client_email"),
    # The list spells its date bounds with one underscore.
    rest_filters={
        "status": RestFilter("status"),
        "account": RestFilter("account"),
        "contact": RestFilter("contact"),
        "opportunity": RestFilter("opportunity"),
        "assigned_to": RestFilter("assigned_to"),
        "issue_date__gte": RestFilter("issue_date_gte"),
        "issue_date__lte": RestFilter("issue_date_lte"),
        "due_date__gte": RestFilter("due_date_gte"),
        "due_date__lte": RestFilter("due_date_lte"),
    },
    rest_sort=dict.fromkeys(
        ("created_at", "due_date", "issue_date", "total_amount", "status"), "sort"
    ),
    actions=(
        Action(
            "send",
            "Send the invoice to the customer by e-mail; a draft becomes Sent.",
            "POST",
            "/api/invoices/{id}/send/",
            effects=(Effect.MAILS,),
            consequence="e-mail the invoice to the customer",
            mails=("client_email", "contact"),
        ),
        Action(
            "mark_paid",
            "Record the payment of the invoice, by default of the whole amount due.",
            "POST",
            "/api/invoices/{id}/mark-paid/",
            params=(
                parameter("amount", Kind.DECIMAL),
                parameter("payment_method", Kind.CHOICE, values=choices.PAYMENT_METHOD),
                parameter("payment_date", Kind.DATE),
                parameter("reference_number", max_length=100),
                parameter("notes"),
            ),
        ),
        Action(
            "record_payment",
            "Record one payment.",
            "POST",
            "/api/invoices/{id}/payments/",
            params=(
                parameter("amount", Kind.DECIMAL, required=True),
                parameter("payment_date", Kind.DATE, required=True),
                parameter(
                    "payment_method", Kind.CHOICE, required=True, values=choices.PAYMENT_METHOD
                ),
                parameter("reference_number", max_length=100),
                parameter("notes"),
            ),
            returns=PAYMENT_KEYS,
            returns_in="payment",
        ),
        Action(
            "remove_payment",
            "Delete a recorded payment.",
            "DELETE",
            "/api/invoices/{id}/payments/{payment_id}/",
            params=(parameter("payment_id", required=True, note="the payment's id, from crm_get"),),
            effects=(Effect.DELETES,),
            consequence="delete the payment and recalculate what is due",
            belongs=("payment_id", "payments"),
        ),
        Action(
            "cancel",
            "Cancel the invoice.",
            "POST",
            "/api/invoices/{id}/cancel/",
            effects=(Effect.IRREVERSIBLE,),
            consequence="cancel the invoice for good",
        ),
        Action(
            "duplicate",
            "Make a new draft with the same content.",
            "POST",
            "/api/invoices/{id}/duplicate/",
            returns=("invoice",),
            returns_entity="invoices",
        ),
        *line_item_actions("/api/invoices/{id}/line-items/", parameter("tax_rate", Kind.DECIMAL)),
        Action(
            "add_comment",
            "Add a comment to the invoice.",
            "POST",
            "/api/invoices/{id}/comments/",
            params=(COMMENT_TEXT,),
        ),
        Action(
            "edit_comment",
            "Replace the text of a comment of this invoice.",
            "PUT",
            "/api/invoices/comments/{comment_id}/",
            params=(COMMENT_ID, COMMENT_TEXT),
            belongs=("comment_id", "comments"),
        ),
        Action(
            "delete_comment",
            "Delete a comment of this invoice.",
            "DELETE",
            "/api/invoices/comments/{comment_id}/",
            params=(COMMENT_ID,),
            effects=(Effect.DELETES,),
            consequence="delete the comment",
            belongs=("comment_id", "comments"),
        ),
        delete_attachment("/api/invoices/attachments/{attachment_id}/"),
    ),
    includes=(
        COMMENTS,
        ATTACHMENTS,
        Included("line_items", "line items", "invoice.line_items", LINE_ITEM_KEYS),
        Included(
            "payments",
            "recorded payments",
            "invoice.payments",
            PAYMENT_KEYS,
        ),
    ),
    no_delete="BottleCRM does not delete invoices. Cancel it with crm_action, action `cancel`.",
    custom_fields="Invoice",
)

SOLUTIONS = Entity(
    name="solutions",
    singular="solution",
    path="/api/cases/solutions/",
    # Scopes go by the first path segment.
    resource="cases",
    model="cases.Solution",
    write_serializers=("cases.solution_serializers.SolutionCreateUpdateSerializer",) * 2,
    sections=(Section("results", "count"),),
    label=(("title",),),
    columns=("title", "status", "is_published", "updated_at"),
    fields=(
        text("title", 255, required=True),
        text("description", required=True),
        choice("status", choices.SOLUTION_STATUS, note="only an admin approves"),
        Field(
            "is_published",
            Kind.BOOLEAN,
            WRITE,
            note="only an admin publishes, and only what is approved",
        ),
        shown("author", Kind.TEXT, computed=True),
        shown("case_count", Kind.INTEGER, computed=True),
        one("created_by", "users", access=Access.READ_ONLY),
        shown("created_at", Kind.DATETIME),
        UPDATED,
    ),
    search_fields=("title", "description"),
    rest_filters={
        "status": RestFilter("status"),
        "is_published": RestFilter("is_published"),
    },
    actions=(
        Action(
            "publish",
            "Publish an approved solution.",
            "POST",
            "/api/cases/solutions/{id}/publish/",
            admin_only=True,
        ),
        Action(
            "unpublish",
            "Take a published solution back.",
            "POST",
            "/api/cases/solutions/{id}/unpublish/",
            admin_only=True,
        ),
    ),
    includes=(Included("cases", "linked cases", "linked_cases", ("id", "name", "status")),),
    identity=(("title",),),
    delete_consequence="delete the solution and its links to cases",
    no_comments="BottleCRM keeps no comments on solutions; comment on a case that links it.",
)

PEOPLE = Lookup(
    "people",
    "person",
    label=(("user__name",), ("user__email",)),
    path="/api/users/get-teams-and-users/",
    rows="profiles",
    names=("user_details.email", "user_details.name"),
    resource="users",
)
TEAMS = Lookup(
    "teams",
    "team",
    label=(("name",),),
    path="/api/users/get-teams-and-users/",
    rows="teams",
    names=("name",),
    resource="users",
)
TAGS = Lookup(
    "tags",
    "tag",
    label=(("name",),),
    path="/api/tags/",
    rows="tags",
    names=("name",),
    resource="tags",
)
# `created_by` is a user, while `assigned_to` is a profile: a user's membership in one organisation.
USERS = Lookup("users", "user", label=(("name",), ("email",)))

CATALOGUE = Catalogue(
    entities=(LEADS, CONTACTS, ACCOUNTS, OPPORTUNITIES, TASKS, CASES, INVOICES, SOLUTIONS),
    lookups=(PEOPLE, TEAMS, TAGS, USERS),
    profile_path="/api/profile/",
    organisation_path="/api/org/settings/",
    custom_fields_path="/api/custom-fields/",
)
