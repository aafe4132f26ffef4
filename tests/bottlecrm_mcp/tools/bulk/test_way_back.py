"""The calls that bring back what an update of several records changed."""

from typing import Any

from bottlecrm_mcp.catalogue.bottlecrm import CATALOGUE
from bottlecrm_mcp.catalogue.model import Effect
from bottlecrm_mcp.tools.bulk.way_back import MAIL, way_back

LEADS = CATALOGUE.entity("leads")
ANN, BO = ({"id": each, "name": each} for each in ("ann", "bo"))


def back(*records: dict[str, tuple[Any, Any]], effects: tuple[Effect, ...] = ()) -> dict[str, Any]:
    """The way back of these records, given what each of their fields held before and after."""
    assert LEADS is not None
    asked = {name for record in records for name in record}
    done = {
        str(number): (
            {name: {"before": was, "after": now} for name, (was, now) in record.items()},
            effects,
        )
        for number, record in enumerate(records)
    }
    return way_back(LEADS, asked, done)


def test_those_that_held_the_same_go_back_together() -> None:
    (first, second) = back(
        {"rating": ("HOT", "COLD")}, {"rating": (None, "COLD")}, {"rating": ("HOT", "COLD")}
    )["calls"]
    expect = {"rating": "COLD"}
    assert first == {
        "entity": "leads",
        "ids": ["0", "2"],
        "data": {"rating": "HOT"},
        "expect": expect,
    }
    assert second == {"entity": "leads", "ids": ["1"], "data": {"rating": ""}, "expect": expect}


def test_as_few_calls_as_there_can_be() -> None:
    """Each of them is asked about: here one for each value, not for each pair of values."""
    records = [
        {"rating": (rating, "COLD"), "probability": (number, 9)}
        for rating in ("HOT", "WARM")
        for number in (1, 2, 3)
    ]
    calls = back(*records)["calls"]
    assert len(calls) == 5
    assert len(back(*records[:1])["calls"]) == 1
    for number, record in enumerate(records):
        sent: dict[str, Any] = {}
        for each in calls:
            sent |= each["data"] if str(number) in each["ids"] else {}
        assert sent == {name: was for name, (was, _) in record.items()}


def test_lists_and_custom_fields() -> None:
    (call,) = back(
        {
            "assigned_to": ([ANN], [BO]),
            "custom_fields": ({"region": "north", "plan": "a"}, {"region": "south", "plan": "a"}),
        }
    )["calls"]
    assert call["data"] == {
        "assigned_to": {"add": ["ann"], "remove": ["bo"]},
        "custom_fields.region": "north",
    }
    assert call["expect"] == {"custom_fields.region": "south"}


def test_what_stays() -> None:
    long = "x" * 501
    told = back({"description": (long, "short"), "title": ("a", long)})
    assert told["calls"][0]["data"] == {"title": "a"}
    assert "expect" not in told["calls"][0]
    assert "too long to be repeated" in told["stays"][0]
    assert back({"rating": ("HOT", "COLD")}, effects=(Effect.MAILS,))["stays"] == [MAIL]
    final = back({"status": ("new", "converted")}, effects=(Effect.IRREVERSIBLE,))
    assert final == {"stays": ["What cannot be undone."]}
    assert back({}) == {}
