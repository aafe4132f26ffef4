"""The soak sees what must not be: otherwise its zeros say nothing."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from tests.soak.client import Client, Outcome
from tests.soak.ledger import Ledger, State, check
from tests.soak.logs import token_material
from tests.soak.site import Person

ADMIN, USER, STRANGER = Person(1, "ADMIN", "a"), Person(1, "USER", "b"), Person(2, "ADMIN", "c")
LEAD = {"company_name": "version 0", "job_title": "version 0", "assigned_to": [{"id": "1"}]}


class Canned(Client):
    """Answers every request alike; `records` are the leads that a search finds."""

    def __init__(self, ledger: Ledger, status: int = 200, text: str = "") -> None:
        super().__init__("http://127.0.0.1:1/mcp", ledger.owners)
        self.status, self.text, self.records = status, text, list[dict[str, Any]]()

    async def _post(self, person: Person, tool: str, arguments: Any) -> httpx2.Response:
        records = self.records if arguments.get("entity") == "leads" else []
        result = {"structuredContent": {"records": records}}
        text = self.text or json.dumps({"result": result})
        return httpx2.Response(self.status, text=text)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def saved(ledger: Ledger, owner: Person = ADMIN) -> Any:
    entry = ledger.new(owner, "leads")
    ledger.settle(
        entry, Outcome(result={"id": f"00000000-0000-0000-0000-{len(ledger.owners):012}"})
    )
    return entry


def problems(client: Canned) -> str:
    return " ".join(client.tally.problems)


def checked(ledger: Ledger, *records: dict[str, Any]) -> str:
    client = Canned(ledger)
    client.records = list(records)
    asyncio.run(check(client, ledger, [ADMIN]))
    return problems(client)


def test_everything_in_order(ledger: Ledger) -> None:
    entry = saved(ledger)
    assert checked(ledger, {**LEAD, "last_name": entry.name}) == ""


def test_lost_doubled_and_unknown_records(ledger: Ledger) -> None:
    entry = saved(ledger)
    row = {**LEAD, "last_name": entry.name}
    assert "is lost" in checked(ledger)
    assert "2 times" in checked(ledger, row, row)
    assert "never written" in checked(ledger, row, {**LEAD, "last_name": "mk001ax9"})


@pytest.mark.parametrize("state", [State.REFUSED, State.DELETED])
def test_record_that_should_not_be_there(ledger: Ledger, state: State) -> None:
    entry = saved(ledger)
    entry.state = state
    assert f"although it was {state.value}" in checked(ledger, {**LEAD, "last_name": entry.name})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"assigned_to": []}, "half written"),
        ({"job_title": "version 1"}, "half changed"),
        ({"job_title": "version 9", "company_name": "version 9"}, "has version 9"),
    ],
)
def test_half_written_records(ledger: Ledger, changed: dict[str, Any], said: str) -> None:
    entry = saved(ledger)
    assert said in checked(ledger, {**LEAD, "last_name": entry.name, **changed})


def called(ledger: Ledger, person: Person, status: int = 200, text: str = "") -> tuple[Any, str]:
    client = Canned(ledger, status, text)
    outcome = asyncio.run(client.call(person, "crm_search", entity="leads"))
    return outcome, problems(client)


def test_records_of_others_in_an_answer(ledger: Ledger) -> None:
    saved(ledger, STRANGER)
    (foreign_id,) = ledger.owners
    for text in ("mk002ax000001", foreign_id):
        assert "was shown a record of mk002a" in called(ledger, ADMIN, text=f'{{"x": "{text}"')[1]
    assert "was shown" in called(ledger, USER, text='{"x": "mk001ax000001"')[1]
    assert "was shown" not in called(ledger, ADMIN, text='{"x": "mk001ux000001"')[1]


def test_answers_that_are_not_in_order(ledger: Ledger) -> None:
    outcome, said = called(ledger, ADMIN, 500, "<html>Traceback")
    assert outcome.code == "not_json"
    assert "is not JSON" in said
    assert "shows" in said


def test_what_an_error_says_of_a_write(ledger: Ledger) -> None:
    assert Outcome("crm_error", "… Nothing was changed.").changed_nothing
    assert Outcome("http_503").changed_nothing
    assert not Outcome("crm_error", "The CRM may have kept this").changed_nothing
    assert not Outcome("hung_up").changed_nothing


@pytest.mark.parametrize("shown", ["{0}", "…{0[13]}{1}", "{2}"])
def test_tokens_in_logs(tmp_path: Any, shown: str) -> None:
    from hashlib import sha256

    secret = "bcrm_pat_" + "0123456789" * 4
    digest = sha256(secret.encode()).hexdigest()
    log = tmp_path / "log"
    site: Any = SimpleNamespace(logs=(log,), people=(Person(1, "ADMIN", secret),))
    log.write_text(f"token_prefix={secret[:13]}")
    assert token_material(site) == 0
    log.write_text(shown.format(secret, secret[14:], digest))
    assert token_material(site) == 1
