import re
from dataclasses import replace
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from rest_framework.pagination import LimitOffsetPagination

from bottlecrm_mcp.catalogue import coverage
from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.doctor import person
from bottlecrm_mcp.doctor.checks import database
from bottlecrm_mcp.doctor.diagnosis import examine_host
from bottlecrm_mcp.doctor.findings import Level
from tests.bottlecrm_mcp.population import with_settings
from tests.whole_crm.catalogue import CATALOGUE

IDENTITY = "demo_crm.access.middleware.IdentityMiddleware"
TOKENS = "pat_tokens.middleware.TokenContext"
CONTEXT = "demo_crm.access.middleware.OrgContextMiddleware"
OTHERS = [each for each in settings.MIDDLEWARE if each not in (IDENTITY, TOKENS, CONTEXT)]

pytestmark = pytest.mark.usefixtures("two_orgs")


def found(level):
    return {each.part: each.sentence for each in examine_host().findings if each.level is level}


@pytest.fixture
def catalogue_with(settings, monkeypatch):
    """The demo's catalogue with the entity leads changed, or with other changes."""

    def use(**changes):
        leads, *others = CATALOGUE.entities
        changed = replace(CATALOGUE, entities=(replace(leads, **changes), *others))
        monkeypatch.setattr("tests.whole_crm.catalogue.CATALOGUE", changed)

    return use


def sql(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_demo_is_right():
    diagnosis = examine_host()
    assert [each for each in diagnosis.findings if each.level is not Level.OK] == []
    assert {each.part for each in diagnosis.findings} == {
        "settings",
        "token source",
        "paths",
        "models",
        "write serializers",
        "coverage",
        "ASGI",
        "OAuth",
        "migrations",
        "database role",
        "row-level security",
        "rows without an organisation",
        "database sessions",
        "connection pool",
        "repeated calls",
        "search",
        "statistics and indexes",
        "middleware",
        "live fields",
        "fast path",
    }


def test_keys_of_calls_without_a_table():
    sql("ALTER TABLE bottlecrm_mcp_keyedwrite RENAME TO elsewhere")
    assert "migrate bottlecrm_mcp" in found(Level.WARNING)["repeated calls"]


def test_search_with_and_without_likeness(monkeypatch):
    for there, said in ((True, "found by likeness"), (False, "CREATE EXTENSION pg_trgm")):
        monkeypatch.setattr(database, "has_trigrams", lambda there=there: there)
        (finding,) = database.check_trigrams()
        assert finding.level is Level.OK
        assert said in finding.sentence


def test_command_says_so():
    out = StringIO()
    call_command("mcp_doctor", stdout=out)
    assert "Everything is right." in out.getvalue()


def test_routes_that_no_tool_uses(monkeypatch):
    told = [each.sentence for each in examine_host().findings if each.part == "coverage"]
    assert re.match(r"Of the CRM's routes under /api/ the tools use \d+; \d+ are left", told[0])
    assert "not covered: POST /api/auth/login/" not in told
    monkeypatch.setattr(coverage, "reason_for_exclusion", lambda route: "")
    told = [each.sentence for each in examine_host().findings if each.part == "coverage"]
    assert "not covered: POST /api/auth/login/" in told


def test_bad_settings(settings):
    settings.BOTTLECRM_MCP = {"THREADS": 0}
    assert "must be a positive integer" in found(Level.FAILURE)["settings"]


def test_no_token_source(monkeypatch):
    monkeypatch.setattr("bottlecrm_mcp.hosted.authentication.KNOWN_RESOLVERS", {})
    failures = found(Level.FAILURE)
    assert "pat_tokens" in failures["token source"]


def test_path_of_another_version(catalogue_with):
    catalogue_with(path="/api/prospects/")
    sentences = [each.sentence for each in examine_host().findings if each.part == "paths"]
    assert any(sentence.startswith("/api/prospects/ does not exist") for sentence in sentences)


def test_method_that_is_not_there(catalogue_with):
    catalogue_with(update_method="TRACE")
    assert "does not take TRACE" in found(Level.FAILURE)["paths"]


def test_unknown_model(catalogue_with):
    catalogue_with(model="demo_crm.Prospect")
    assert "no model demo_crm.Prospect" in found(Level.FAILURE)["models"]


def test_serializer_that_is_not_there(catalogue_with):
    catalogue_with(write_serializers=("demo_crm.nowhere.Serializer",) * 2)
    failures = found(Level.FAILURE)
    assert "can't be imported" in failures["write serializers"]
    assert "live fields" in failures


def test_serializer_of_another_view(catalogue_with):
    other = CATALOGUE.entities[1].write_serializers
    catalogue_with(write_serializers=other)
    assert "does not use" in found(Level.FAILURE)["write serializers"]


@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        ([IDENTITY, CONTEXT], f"Add {TOKENS}"),
        ([TOKENS, IDENTITY, CONTEXT], f"put {TOKENS} after it"),
        ([IDENTITY, CONTEXT, TOKENS], f"put {TOKENS} before it"),
        ([IDENTITY, TOKENS], "No middleware sets app.current_org"),
    ],
)
def test_middleware(settings, chain, expected):
    settings.MIDDLEWARE = [*OTHERS, *chain]
    assert expected in found(Level.FAILURE)["middleware"]


class LeavesItSet:
    """Sets the organisation and never clears it."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        sql(f"SELECT set_config('app.current_org', '{request.org.pk}', false)")
        return self.get_response(request)


def test_middleware_that_leaves_the_organisation_behind(settings):
    settings.MIDDLEWARE = [*OTHERS, IDENTITY, TOKENS, f"{__name__}.LeavesItSet"]
    assert "still set after a request" in found(Level.FAILURE)["middleware"]


@pytest.mark.parametrize("what", ["NO FORCE", "DISABLE"])
def test_row_security_is_off(what):
    sql(f"ALTER TABLE demo_crm_lead {what} ROW LEVEL SECURITY")
    assert "demo_crm_lead" in found(Level.FAILURE)["row-level security"]


def test_policy_that_lets_everything_pass(alpha):
    sql("CREATE POLICY everyone ON demo_crm_lead USING (true)")
    assert "demo_crm_lead" in found(Level.FAILURE)["rows without an organisation"]


@pytest.mark.parametrize("row", [("root", True, False), ("root", False, True)])
def test_role_that_row_security_does_not_bind(monkeypatch, row):
    class Cursor:
        def __enter__(self):
            return self

        def __exit__(self, *args):
            pass

        def execute(self, *args):
            pass

        def fetchone(self):
            return row

    class Connection:
        def cursor(self):
            return Cursor()

    from bottlecrm_mcp.doctor.checks import database

    monkeypatch.setattr(database, "connection", Connection())
    (finding,) = database.check_role()
    assert finding.level is Level.FAILURE
    assert "ordinary role" in finding.sentence


def test_migration_that_is_not_applied(two_orgs):
    from django.db.migrations.recorder import MigrationRecorder

    MigrationRecorder.Migration.objects.filter(app="pat_tokens", name="0006_calls").delete()
    said = found(Level.FAILURE)["migrations"]
    assert "pat_tokens.0006_calls" in said
    assert "manage.py migrate" in said


def test_slow_list(monkeypatch):
    paginate = LimitOffsetPagination.paginate_queryset
    monkeypatch.setattr(
        "demo_crm.entities.sales.leads.LeadList.paginate_queryset",
        lambda self, queryset, *args, **kwargs: paginate(self, list(queryset), *args, **kwargs),
    )
    assert "leads" in found(Level.WARNING)["fast path"]


def test_application_without_mcp(settings):
    settings.ASGI_APPLICATION = "settings.asgi.django_application"
    assert "curl" in found(Level.WARNING)["ASGI"]


def test_application_that_is_not_there(settings):
    settings.ASGI_APPLICATION = "settings.nowhere.application"
    assert "can't be read" in found(Level.WARNING)["ASGI"]


def test_nobody_to_send_requests_as(monkeypatch):
    monkeypatch.setattr(person, "_members", lambda: mcp_settings() and _Nobody())
    assert "None could be tried" in found(Level.WARNING)["requests"]


class _Nobody:
    def first(self):
        return None


def test_host_name_and_scheme_that_the_host_accepts(settings):
    settings.ALLOWED_HOSTS = [".crm.example", "*"]
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    diagnosis = examine_host()
    assert diagnosis.is_healthy
    assert person.origin().host == "crm.example"


def test_token_from_the_environment(settings, monkeypatch, token_for, alpha_user):
    secret = token_for(alpha_user)
    monkeypatch.setattr("bottlecrm_mcp.doctor.person.apps.is_installed", lambda app: False)
    settings.BOTTLECRM_MCP = with_settings(TOKEN_RESOLVERS=("pat_tokens.resolver.resolve_token",))
    with pytest.raises(person.NoPerson, match="BCRM_TOKEN"):
        person.anyone()
    monkeypatch.setenv("BCRM_TOKEN", secret)
    assert person.anyone().caller.email == alpha_user.user.email
    with pytest.raises(person.NoPerson, match="is that of"):
        person.person("somebody@example.com", "Alpha")
