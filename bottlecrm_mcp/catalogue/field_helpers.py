"""Field helpers: the usual fields, actions and filters of BottleCRM's entities."""

from __future__ import annotations

from bottlecrm_mcp.catalogue import choices
from bottlecrm_mcp.catalogue.model import (
    Access,
    Action,
    ChangeEffect,
    Effect,
    Field,
    Included,
    Kind,
    RestFilter,
    State,
)

WRITE = Access.WRITE
CREATE = Access.CREATE


def text(
    name: str, max_length: int | None = None, *, required: bool = False, untrusted: bool = False
) -> Field:
    return Field(
        name, Kind.TEXT, WRITE, required=required, max_length=max_length, untrusted=untrusted
    )


def email(name: str, *, untrusted: bool = False) -> Field:
    return Field(name, Kind.EMAIL, WRITE, max_length=254, untrusted=untrusted)


def url(name: str, max_length: int) -> Field:
    return Field(name, Kind.URL, WRITE, max_length=max_length)


def integer(name: str, note: str = "", *, maximum: int | None = None) -> Field:
    return Field(name, Kind.INTEGER, WRITE, minimum=0, maximum=maximum, note=note)


def money(name: str, note: str = "", *, access: Access = WRITE, listed: bool = True) -> Field:
    return Field(name, Kind.DECIMAL, access, minimum=0, note=note, money=True, listed=listed)


def boolean(name: str) -> Field:
    return Field(name, Kind.BOOLEAN, WRITE)


def date(name: str) -> Field:
    return Field(name, Kind.DATE, WRITE)


def choice(
    name: str,
    values: tuple[str, ...],
    *,
    required: bool = False,
    note: str = "",
    admin_values: tuple[str, ...] = (),
) -> Field:
    return Field(
        name,
        Kind.CHOICE,
        WRITE,
        required=required,
        choices=values,
        note=note,
        admin_values=admin_values,
    )


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


def detail(kind: Kind, *names: str) -> tuple[Field, ...]:
    """Fields that only a detail answer has."""
    return tuple(Field(name, kind, WRITE, listed=False) for name in names)


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


PHONE = Field(
    "phone",
    Kind.PHONE,
    WRITE,
    max_length=25,
    note="7 to 25 digits and separators",
    examples=("+1 555 010 0123", "+1 555 010 0456"),
)
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


def billed_to(of: str, *, opportunity_listed: bool = False) -> tuple[Field, ...]:
    """To whom an invoice or the like goes; `of` names it in front of its account."""
    return (
        one("account", "accounts", required=True, write_name="account_id"),
        one(
            "contact",
            "contacts",
            required=True,
            write_name="contact_id",
            note=f"a contact of {of} account, or one without an account",
        ),
        one(
            "opportunity",
            "opportunities",
            write_name="opportunity_id",
            listed=opportunity_listed,
        ),
        text("client_name", 255),
    )


def address(prefix: str = "", line_length: int = 255, *, listed: bool = True) -> tuple[Field, ...]:
    def part(name: str, length: int, note: str = "", examples: tuple[str, ...] = ()) -> Field:
        return Field(
            prefix + name,
            Kind.TEXT,
            WRITE,
            max_length=length,
            listed=listed,
            note=note,
            examples=examples,
        )

    short = 255 if not prefix else 100
    return (
        part("address_line", line_length),
        part("city", short),
        part("state", short),
        part("postcode", 64 if not prefix else 20),
        part("country", 2, COUNTRY_NOTE, ("US", "DE")),
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
    alters: bool = False,
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
        alters=alters,
    )


def part(name: str, included: str) -> Field:
    """The id of a part of the record, such as one of its comments."""
    singular = name.removesuffix("_id").replace("_", " ")
    note = f"the {singular}'s id, from crm_get"
    return Field(name, Kind.TEXT, WRITE, required=True, part_of=included, note=note)


COMMENT_TEXT = parameter("comment", required=True, max_length=255)
COMMENT_ID = part("comment_id", "comments")


def add_attachment(path: str, key: str) -> Action:
    """The file is the part `key` of a multipart body."""
    return Action(
        "add_attachment",
        "Attach a file; answers with an address.",
        "POST",
        path,
        params=(parameter("file_name", required=True, max_length=60),),
        upload=key,
        way_back="crm_action delete_attachment",
    )


def delete_attachment(path: str) -> Action:
    return Action(
        "delete_attachment",
        "Delete an attached file of this record.",
        "DELETE",
        path,
        params=(part("attachment_id", "attachments"),),
        effects=(Effect.DELETES,),
        consequence="delete the attached file",
    )


def note_actions(entity: str, singular: str, *extra: Field) -> tuple[Action, ...]:
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
            returns=NEW_COMMENT_KEYS,
            # The answer lists all comments, and those that only staff see apart.
            returns_in=("comments", "internal_notes"),
            newest_by="commented_on",
            adds="comments",
            way_back="crm_action delete_comment",
        ),
        Action(
            "edit_comment",
            "Replace the text of a comment of this record.",
            "PATCH",
            f"/api/{entity}/comment/{{comment_id}}/",
            params=(COMMENT_ID, COMMENT_TEXT),
            way_back="crm_action edit_comment with the text that it had",
        ),
        Action(
            "delete_comment",
            "Delete a comment of this record.",
            "DELETE",
            f"/api/{entity}/comment/{{comment_id}}/",
            params=(COMMENT_ID,),
            effects=(Effect.DELETES,),
            consequence="delete the comment",
        ),
        add_attachment(f"/api/{entity}/{{id}}/", f"{singular}_attachment"),
        delete_attachment(f"/api/{entity}/attachment/{{attachment_id}}/"),
    )


NEW_COMMENT_KEYS = ("id", "comment", "commented_on")
COMMENT_KEYS = ("id", "comment", "commented_on", "commented_by")
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
COMMENTS = Included(
    "comments",
    "comments, newest first",
    "comments",
    COMMENT_KEYS,
    newest_by="commented_on",
    untrusted=True,
    model="common.Comment",
    fields=(
        shown("comment", Kind.TEXT),
        shown("commented_on", Kind.DATETIME),
        one("commented_by", "people", access=Access.READ_ONLY),
    ),
)
ATTACHMENTS = Included(
    "attachments",
    "attached files",
    "attachments",
    ATTACHMENT_KEYS,
    newest_by="created_at",
    model="common.Attachments",
    fields=(
        shown("file_name", Kind.TEXT),
        shown("created_at", Kind.DATETIME),
        one("created_by", "users", access=Access.READ_ONLY),
    ),
    file="attachment",
    download="/api/attachments/{id}/download/",
)

BY_PEOPLE_AND_TAGS = {
    "assigned_to": RestFilter("assigned_to", repeats=True),
    "tags": RestFilter("tags", repeats=True),
}
BY_CREATION = {
    "created_at__gte": RestFilter("created_at__gte"),
    "created_at__lte": RestFilter("created_at__lte"),
}


LINE_ITEM = (
    parameter("description", max_length=500),
    parameter("quantity", Kind.DECIMAL),
    parameter("unit_price", Kind.DECIMAL),
    parameter("discount_type", Kind.CHOICE, values=choices.DISCOUNT_TYPE),
    parameter("discount_value", Kind.DECIMAL),
)
INVOICE_LINE = (
    parameter("name", max_length=255),
    *LINE_ITEM,
    parameter("tax_rate", Kind.DECIMAL),
    parameter("order", Kind.INTEGER),
)
TAXED_LINE = Field(
    "line_items",
    Kind.OBJECTS,
    WRITE,
    listed=False,
    computed=True,
    rows="line_items",
    parts=INVOICE_LINE,
    note="in an update, all line items are replaced by these",
)


def numbered(document: str) -> str:
    """Why a document of this kind may not be saved at all."""
    return (
        f"A known cause: BottleCRM counts {document} numbers by day in each organisation, but "
        "wants each number once on the whole host. Where another organisation has issued one "
        "today, this fails until tomorrow; its operator can make them unique by organisation."
    )


TOTAL_NOTE = "line items less discount, plus the record's (not the lines') tax_rate and shipping"
LINE_ITEM_ID = part("line_item_id", "line_items")
REPLACES_LINE_ITEMS = ChangeEffect(
    (Effect.DELETES,),
    "delete its line items and put the given ones there",
    "it has any",
    fields=("line_items",),
    before=(State("line_items"),),
)


def revises(document: str, statuses: tuple[str, ...]) -> ChangeEffect:
    """Any change of a document that the customer was sent, and reads on a page of the CRM."""
    return ChangeEffect(
        (Effect.REVISES,),
        f"change an issued {document}, also on the customer's page",
        "it is no draft",
        before=(State("status", statuses),),
    )


def line_item_actions(
    path: str, *extra: Field, change_effects: tuple[ChangeEffect, ...] = ()
) -> tuple[Action, ...]:
    """Adding, changing and removing line items of a record, with the given effects."""
    return (
        Action(
            "add_line_item",
            "Add a line item; the CRM recalculates the amounts.",
            "POST",
            path,
            params=(parameter("name", required=True, max_length=255), *LINE_ITEM, *extra),
            change_effects=change_effects,
            returns=LINE_ITEM_KEYS,
            returns_in=("line_item",),
            adds="line_items",
            way_back="crm_action remove_line_item",
        ),
        Action(
            "update_line_item",
            "Change a line item; the CRM recalculates the amounts.",
            "PUT",
            path + "{line_item_id}/",
            params=(LINE_ITEM_ID, parameter("name", max_length=255), *LINE_ITEM, *extra),
            change_effects=change_effects,
            returns=LINE_ITEM_KEYS,
            returns_in=("line_item",),
            way_back="crm_action update_line_item with what it had",
        ),
        Action(
            "remove_line_item",
            "Remove a line item; the CRM recalculates the amounts.",
            "DELETE",
            path + "{line_item_id}/",
            params=(LINE_ITEM_ID,),
            effects=(Effect.DELETES,),
            consequence="delete the line item and recalculate the amounts",
            change_effects=change_effects,
        ),
    )
