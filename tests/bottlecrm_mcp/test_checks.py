import pytest
from rest_framework.pagination import CursorPagination, LimitOffsetPagination

from bottlecrm_mcp.checks import check_cache, check_lists, check_settings
from demo_crm.entities.sales.leads import LeadList


def test_settings_and_lists_of_the_demo_are_right():
    assert check_settings() + check_lists() == []


@pytest.mark.parametrize(
    "given",
    [{"CATALOG": "x"}, {"CATALOGUE": "demo_crm.catalogue.STAND_INS"}, {"CATALOGUE": "no.where"}],
)
def test_wrong_settings_are_an_error(settings, given):
    settings.BOTTLECRM_MCP = given

    assert [each.id for each in check_settings()] == ["bottlecrm_mcp.E001"]
    assert check_lists() == []


def test_list_with_pagination_of_its_own_is_a_warning(monkeypatch):
    def paginate_queryset(self, queryset, request, view=None):
        return list(queryset)

    monkeypatch.setattr(LeadList, "paginate_queryset", paginate_queryset)

    warnings = check_lists()

    assert [each.id for each in warnings] == ["bottlecrm_mcp.W001"]
    assert "leads" in warnings[0].msg


def test_pagination_class_of_a_view_counts(monkeypatch):
    monkeypatch.setattr(LeadList, "paginate_queryset", None)
    monkeypatch.setattr(LeadList, "pagination_class", CursorPagination, raising=False)
    assert len(check_lists()) == 1

    monkeypatch.setattr(LeadList, "pagination_class", LimitOffsetPagination)
    assert check_lists() == []


@pytest.mark.parametrize(
    ("backend", "found"),
    [
        ("locmem.LocMemCache", ["bottlecrm_mcp.W002"]),
        ("dummy.DummyCache", ["bottlecrm_mcp.W002"]),
        ("redis.RedisCache", []),
        ("db.DatabaseCache", []),
    ],
)
def test_cache_of_one_process_is_a_warning(settings, backend, found):
    settings.CACHES = {"default": {"BACKEND": f"django.core.cache.backends.{backend}"}}
    assert [each.id for each in check_cache()] == found
