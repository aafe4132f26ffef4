"""What the answer of a write says about the day on which a record was closed."""

from typing import Any

LATER = "2031-05-06"


def is_ahead(answer: Any) -> bool:
    said = f"closed_on is {LATER}, which is yet to come"
    return any(each.startswith(said) for each in answer.get("warnings", ()))


def test_closed_on_the_day_that_was_expected(admin: Any, alpha: Any) -> None:
    deal = {"name": "Robots", "amount": 5, "closed_on": LATER}
    made = admin("crm_create", entity="opportunities", data={**deal, "stage": "PROPOSAL"})
    assert not is_ahead(made)
    one = {"entity": "opportunities", "id": made["id"]}
    assert is_ahead(admin("crm_update", **one, data={"stage": "CLOSED_WON"}))
    assert not is_ahead(admin("crm_update", **one, data={"description": "x"}))
    assert not is_ahead(admin("crm_update", **one, data={"closed_on": "today"}))
    lost = {**deal, "name": "Arms", "stage": "CLOSED_LOST"}
    assert is_ahead(admin("crm_create", entity="opportunities", data=lost))
