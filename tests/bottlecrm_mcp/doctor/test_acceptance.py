import json
from dataclasses import replace
from io import StringIO

import pytest
from django.core import mail
from django.core.management import CommandError, call_command

from bottlecrm_mcp.catalogue.model import Field, Kind
from bottlecrm_mcp.doctor import person
from bottlecrm_mcp.doctor.acceptance.answer_rules import objections
from bottlecrm_mcp.doctor.acceptance.ground_truth import same
from bottlecrm_mcp.doctor.acceptance.matrix import planned, trials_of
from bottlecrm_mcp.doctor.acceptance.refusals import RefusalCells
from bottlecrm_mcp.doctor.acceptance.runner import Runner
from bottlecrm_mcp.doctor.diagnosis import examine
from bottlecrm_mcp.doctor.findings import Outcome
from bottlecrm_mcp.doctor.report import lines
from bottlecrm_mcp.doctor.rollback import never_committed
from bottlecrm_mcp.gateway.base import Reply
from bottlecrm_mcp.gateway.in_process.gateway import InProcessGateway
from bottlecrm_mcp.tools.arguments.references import Reference, References
from bottlecrm_mcp.tools.registry import Registry
from demo_crm.access.row_security import org_context
from demo_crm.models import Team
from tests.bottlecrm_mcp.population import NAMES, unchanged
from tests.whole_crm.catalogue import CATALOGUE


def examined(profile, *, write):
    return examine(profile.user.email, profile.org.name, write=write)


def outcomes(diagnosis, outcome):
    return {
        f"{cell.entity}, {cell.what}": cell.sentence
        for cell in diagnosis.cells
        if cell.outcome is outcome
    }


def test_everything_as_admin(alpha, beta):
    with unchanged():
        diagnosis = examined(alpha.admin, write=True)
    assert outcomes(diagnosis, Outcome.FAILED) == {}
    assert diagnosis.is_healthy
    assert mail.outbox == []
    require_every_tool_on_every_entity(diagnosis)
    text = "\n".join(lines(diagnosis))
    assert all(name in text for name in NAMES)
    assert "Everything is right." in text


def require_every_tool_on_every_entity(diagnosis):
    tried = {(cell.entity, cell.what) for cell in diagnosis.cells}
    tools = {tool.name for tool in Registry(CATALOGUE).tools} - {"crm_action"}
    for entity in CATALOGUE.entities:
        assert {(entity.name, tool) for tool in tools} <= tried
        assert {(entity.name, f"action {each.name}") for each in entity.actions} <= tried
    assert {("all", "crm_search"), ("my_day", "crm_search")} <= tried


def test_everything_as_user(alpha, beta):
    with unchanged():
        diagnosis = examined(alpha.user, write=True)
    assert outcomes(diagnosis, Outcome.FAILED) == {}
    assert diagnosis.is_healthy
    instead = outcomes(diagnosis, Outcome.INSTEAD)
    assert "admin" in instead["solutions, action publish"]
    assert "Cancel it" in instead["invoices, crm_delete"]


def test_reading_only(alpha):
    with never_committed():
        runner = Runner(person.person(alpha.user.user.email, "Alpha"))
    trials = list(planned(runner, write=False))
    assert not any(trial.makes for trial in trials)
    assert not any(trial.what.startswith(("crm_create", "action")) for trial in trials)
    assert {trial.entity for trial in trials} == {*CATALOGUE.entity_names, "all", "my_day"}


@pytest.fixture
def failures(alpha, beta):
    """What fails of these trials of one entity, for its administrator."""

    def find(name, *names):
        with never_committed():
            runner = Runner(person.person(alpha.admin.user.email, "Alpha"))
        trials = {each.what: each for each in trials_of(runner, CATALOGUE.entity(name), write=True)}
        runner.run(trials[each] for each in names)
        return {cell.what: cell.sentence for cell in runner.cells if cell.outcome is Outcome.FAILED}

    return find


@pytest.fixture
def only_solutions(monkeypatch):
    """A CRM with one entity and its people, where that is enough to see what is said of it."""
    served = tuple(CATALOGUE.entity(name) for name in ("solutions", "people"))
    alone = replace(CATALOGUE, entities=served, duties=())
    monkeypatch.setattr("tests.whole_crm.catalogue.CATALOGUE", alone)


def test_tools_that_forget_to_confirm(failures, monkeypatch):
    for module in ("prepared", "bulk.run"):
        target = f"bottlecrm_mcp.tools.{module}.require_confirmation"
        monkeypatch.setattr(target, lambda *args, **kwargs: None)
    names = (
        "delete unconfirmed",
        "action convert unconfirmed",
        "update status=converted",
        "create status=converted",
    )
    said = failures("leads", *names)
    assert set(said) == set(names)
    for what in names[:3]:
        assert "without a confirmation" in said[what]


def test_write_that_does_nothing(failures, monkeypatch):
    write = InProcessGateway.write

    def lazy(self, method, path, *args, **kwargs):
        # As if it had been done.
        return Reply(200, {}) if method == "PATCH" else write(self, method, path, *args, **kwargs)

    monkeypatch.setattr(InProcessGateway, "write", lazy)
    said = failures("contacts", "crm_update", "action edit_comment")
    assert "Asked for and not there" in said["crm_update"]
    assert "action edit_comment" in said


def test_ids_that_nobody_checks(failures, monkeypatch):
    monkeypatch.setattr(References, "_record", lambda self, entity, value: Reference(value, ""))
    said = failures("tasks", "refuse bad contacts in a create", "refuse bad contacts in an update")
    # The CRM drops an unknown id from a list without a word.
    assert "took" in said["refuse bad contacts in a create"]
    assert "took" in said["refuse bad contacts in an update"]


@pytest.mark.parametrize(
    ("answer", "objection"),
    [
        ({"entity": "leads", "records": [{"city": None}]}, "null"),
        ({"entity": "leads", "record": {"notes": "x"}}, "unpublished notes"),
        ({"entity": "leads", "record": {}, "countries": []}, "countries is not for an agent"),
        ({"entity": "leads", "record": {"description": "<!DOCTYPE html>"}}, "HTML"),
    ],
)
def test_answers_that_no_tool_should_give(answer, objection):
    assert objection in " ".join(objections("crm_search", answer))


@pytest.mark.usefixtures("only_solutions")
def test_json(alpha):
    out, err = StringIO(), StringIO()
    arguments = ["--as", alpha.user.user.email, "--org", "Alpha", "--json"]
    call_command("mcp_doctor", *arguments, stdout=out, stderr=err)
    diagnosis = json.loads(out.getvalue())
    looking, trying, *_ = err.getvalue().splitlines()
    assert looking == "Looking at the host. Nothing is written."
    assert (
        trying
        == f"Trying {len(diagnosis['cells'])} things as {arguments[1]} (USER), all of which read."
    )
    assert diagnosis["ok"] is True
    cell = diagnosis["cells"][0]
    assert cell.keys() == {
        "entity",
        "what",
        "outcome",
        "sentence",
        "milliseconds",
        "characters",
    }
    assert cell["characters"] < 4_000


@pytest.mark.usefixtures("only_solutions")
def test_markdown_beside_rest(alpha):
    out = StringIO()
    arguments = ["--as", alpha.admin.user.email, "--org", "Alpha", "--beside-rest", "--markdown"]
    call_command("mcp_doctor", *arguments, stdout=out)
    rows = [line.strip("| ").split(" | ") for line in out.getvalue().splitlines()]
    assert any(row[0] == "solutions" and set(row[1:]) == {"works"} for row in rows)
    for tool in ("crm_search", "crm_get"):
        (row,) = [row for row in rows if row[:2] == ["solutions", tool]]
        assert float(row[2]) > 0
        assert int(row[5]) < int(row[6])


@pytest.mark.usefixtures("only_solutions")
def test_exit_code(alpha, monkeypatch):
    monkeypatch.setattr(
        "bottlecrm_mcp.doctor.acceptance.answer_rules.MOST_CHARACTERS_OF_TEN_ROWS", 100
    )
    arguments = ["--as", alpha.user.user.email, "--org", "Alpha"]
    out = StringIO()
    with pytest.raises(SystemExit) as exit_:
        call_command("mcp_doctor", *arguments, stdout=out)
    assert exit_.value.code == 1
    assert "FAILED" in out.getvalue()
    assert "characters for 10 rows" in out.getvalue()


def test_unknown_person(alpha):
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("mcp_doctor", "--as", "nobody@example.com", "--org", "Alpha", stdout=out)
    assert "No nobody@example.com is an active member" in out.getvalue()


@pytest.mark.parametrize("arguments", [["--as", "nobody@example.com"], ["--beside-rest"]])
def test_person_without_organisation(arguments):
    with pytest.raises(CommandError):
        call_command("mcp_doctor", *arguments)


def test_writing_that_is_forbidden_needs_a_record(alpha):
    with org_context(alpha.org):
        Team.objects.all().delete()
    with never_committed():
        runner = Runner(person.person(alpha.user.user.email, "Alpha"))
        runner.run(RefusalCells(runner, CATALOGUE.entity("teams")).trials())
    said = {cell.what: (cell.outcome, cell.sentence) for cell in runner.cells}
    assert said["crm_update"] == (Outcome.INSTEAD, "There are no teams to try it on.")
    assert said["crm_create"][0] is Outcome.INSTEAD


def test_moments_are_compared_as_such():
    moment = Field("started_at", Kind.DATETIME)
    assert same(moment, "2026-11-21T02:37:00+00:00", "2026-11-21T02:37:00Z")
    assert not same(moment, "2026-11-21T02:37:00+00:00", "2026-11-21T02:37:00+01:00")
    assert not same(moment, "2026-11-21T02:37:00+00:00", None)


def test_custom_values_are_compared_as_such():
    values = Field("custom_fields", Kind.OBJECT)
    assert same(values, {"score": 5, "region": "north"}, {"score": 5.0, "region": "north"})
    assert not same(values, {"score": 5}, {"score": 6.0})
    assert not same(values, {"score": 5}, None)
