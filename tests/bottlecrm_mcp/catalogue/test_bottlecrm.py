"""The declared contract agrees with itself, and with the CRM that it is served from here."""

from string import Formatter

import pytest

from bottlecrm_mcp.catalogue.model import Kind
from bottlecrm_mcp.tools.arguments.filters import operators
from tests.bottlecrm_mcp.population import EVERY, model_of
from tests.whole_crm.catalogue import CATALOGUE

entities = pytest.mark.parametrize("entity", EVERY.values(), ids=EVERY.keys())


def test_served_by_default() -> None:
    assert CATALOGUE.entity_names == (
        "leads",
        "contacts",
        "accounts",
        "opportunities",
        "tasks",
        "cases",
        "invoices",
        "solutions",
        "tags",
        "teams",
        "people",
        "custom_fields",
    )


@entities
def test_names_are_unique(entity) -> None:
    for names in (
        [each.name for each in entity.fields],
        [each.name for each in entity.actions],
        [each.name for each in entity.includes],
    ):
        assert len(names) == len(set(names))


@entities
def test_columns_are_in_lists(entity) -> None:
    for name in entity.columns:
        field = entity.field(name)
        assert field.listed
        assert not field.computed


@entities
def test_fields_named_elsewhere_exist(entity) -> None:
    named = {*entity.columns, *entity.search_fields, *entity.rest_sort}
    named |= {name for group in (*entity.label, *entity.identity) for name in group}
    named |= {effect.field for effect in entity.value_effects}
    assert all(entity.field(name) for name in named)


@entities
def test_rest_filters_are_filters(entity) -> None:
    for key in entity.rest_filters:
        name, _, operator = key.partition("__")
        assert (operator or "eq") in operators(entity.field(name)), key


@entities
def test_relations_point_somewhere(entity) -> None:
    for field in entity.fields:
        assert bool(field.to) == field.kind.is_relation
        assert bool(field.choices) == (field.kind is Kind.CHOICE)


@entities
def test_columns_of_the_model(entity) -> None:
    columns = {each.name for each in model_of(entity)._meta.get_fields()}
    for field in entity.fields:
        assert field.computed or field.attribute.partition("__")[0] in columns, field.name


@entities
def test_nothing_secret_is_published(entity) -> None:
    secret = {"public_token", "public_url", "password", "org", "updated_by", "digest"}
    assert not secret & {field.name for field in entity.fields}


@entities
def test_paths_of_actions_are_filled(entity) -> None:
    for action in entity.actions:
        needed = {name for _, name, _, _ in Formatter().parse(action.path) if name} - {"id"}
        required = {each.name for each in action.params if each.required}
        assert needed <= required, action.name
        assert bool(action.effects) == bool(action.consequence), action.name


@entities
def test_write_fields_are_the_serializers(entity, admin) -> None:
    from django.utils.module_loading import import_string

    for path in entity.write_serializers:
        accepted = set(import_string(path)().fields)
        related = {"assigned_to", "teams", "tags", "contacts", "custom_fields", "assign_users"}
        related.add("shared_to")
        for field in entity.writable_fields:
            in_path = f"{{{field.body_name}}}" in entity.create_path
            assert in_path or field.body_name in accepted | related, field.name


@entities
def test_lists_that_come_whole_have_all_in_their_rows(entity) -> None:
    if not entity.paged:
        assert all(field.listed and not field.computed for field in entity.fields)


@entities
def test_what_there_is_no_way_to_write_is_told(entity) -> None:
    if not entity.writable_fields:
        assert entity.is_read_only
    for name in entity.sent_with_updates:
        assert entity.field(name).writable
