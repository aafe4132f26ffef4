"""A day of Avery, who looks after the customers: what Avery says and what comes of it."""

from types import SimpleNamespace
from typing import Any

from tests.agent import Agent


async def support_day(agent: Agent) -> SimpleNamespace:
    """The day, over any connection that acts as Avery. Returns the ids of what was made."""
    # "Which cases are new?"
    new = await agent("crm_search", entity="cases", filters={"status": "New"}, sort="created_at")
    by_name = {case["name"]: case["id"] for case in new["records"]}
    assert set(by_name) == {"Robot arm stops after warm-up", "How to reset the controller"}
    robot, reset = by_name["Robot arm stops after warm-up"], by_name["How to reset the controller"]

    # "How many cases are open, by priority?"
    load = await agent(
        "crm_summarize",
        entity="cases",
        group_by=["priority"],
        filters={"status": ["New", "Assigned", "Pending"]},
    )
    counts = {group["priority"]: group["count"] for group in load["groups"]}
    assert counts == {"Urgent": 1, "High": 2, "Normal": 1, "Low": 1}

    # "Tell me about the robot arm." What the customer wrote is marked as such.
    arm = await agent("crm_get", entity="cases", id=robot, include=["comments", "tasks"])
    assert arm["record"]["account"]["name"] == "Acme Corp"
    assert "description" in arm["untrusted"]
    assert arm["comments"]["total"] == 1

    # "I'll take it, together with Sam."
    taken = await agent(
        "crm_update",
        entity="cases",
        id=robot,
        data={"status": "Assigned", "assigned_to": ["me", "Sam Ortiz"], "is_problem": True},
    )
    people = {each["name"] for each in taken["changed"]["assigned_to"]["after"]}
    assert people == {"Avery Stone", "Sam Ortiz"}

    # "Note for us only: it smells of burnt varnish."
    await agent(
        "crm_action",
        entity="cases",
        id=robot,
        action="add_comment",
        params={"comment": "It smells of burnt varnish.", "is_internal": True},
    )
    inside = await agent("crm_get", entity="cases", id=robot, include=["internal_notes"])
    assert inside["internal_notes"]["records"][0]["comment"] == "It smells of burnt varnish."

    # "Is there an article on error lights?" - "Link it."
    articles = await agent("crm_search", entity="solutions", query="error lights")
    (lights,) = articles["records"]
    await agent(
        "crm_action",
        entity="cases",
        id=robot,
        action="link_solution",
        params={"solution_id": lights["id"]},
    )
    linked = await agent("crm_get", entity="cases", id=robot, include=["solutions"])
    assert linked["solutions"]["records"][0]["title"] == "Reading the error lights"

    # "The controller question is answered; close it." The customer will get a survey.
    shown, closed = await agent.confirming(
        "crm_action", entity="cases", id=reset, action="close", params={"closed_on": "today"}
    )
    assert "survey" in shown
    assert closed["result"]["record"]["status"] == "Closed"

    # "A call from Hooli, Jonas Weber: a gripper loses pressure. Urgent."
    call = {
        "name": "Gripper loses pressure",
        "status": "New",
        "priority": "Urgent",
        "case_type": "Incident",
        "account": "Hooli Retail",
        "contacts": ["Jonas Weber"],
        "description": "Loses pressure after an hour.",
    }
    gripper = await agent("crm_create", entity="cases", data=call)
    assert gripper["record"]["account"]["name"] == "Hooli Retail"
    assert gripper["record"]["contacts"][0]["name"] == "Jonas Weber"

    # "Put it on Initech instead." The CRM keeps the account; the assistant says so.
    kept = await agent.refused(
        "crm_update", entity="cases", id=gripper["id"], data={"account": "Initech Software"}
    )
    assert "account" in kept["fields"]

    # "Or was it Hooly Retail?" - there is no such account, but one that sounds like it.
    unknown = await agent.refused("crm_search", entity="cases", filters={"account": "Hooly Retail"})
    assert "Hooli Retail" in str(unknown)

    # "Jonas wrote as well." That case is the same: merge it into the first.
    mail = await agent(
        "crm_create",
        entity="cases",
        data={**call, "name": "Pressure problem with gripper", "priority": "Normal"},
    )
    merge = {"entity": "cases", "id": mail["id"], "action": "merge"}
    shown, merged = await agent.confirming(
        "crm_action", **merge, params={"into": "Gripper loses pressure"}
    )
    assert "duplicate" in shown
    assert merged["result"]["record"]["status"] == "Duplicate"

    # "The firmware case belongs to the robot arm. Let me know what happens there."
    found = await agent("crm_search", entity="cases", query="Firmware update fails")
    firmware = found["records"][0]["id"]
    await agent(
        "crm_action",
        entity="cases",
        id=firmware,
        action="link_parent",
        params={"parent": "Robot arm stops after warm-up"},
    )
    await agent("crm_action", entity="cases", id=firmware, action="watch")
    below = await agent("crm_get", entity="cases", id=robot, include=["children"])
    assert [each["id"] for each in below["children"]["records"]] == [firmware]

    # "Sam shall ship a spare controller tomorrow."
    ship = await agent(
        "crm_create",
        entity="tasks",
        data={
            "title": "Ship a spare controller",
            "status": "New",
            "priority": "High",
            "due_date": "tomorrow",
            "case": "Robot arm stops after warm-up",
            "assigned_to": "sam@bluebird.example",
        },
    )
    assert ship["record"]["case"] == {"id": robot, "name": "Robot arm stops after warm-up"}

    # "Write that up, and publish it."
    article = await agent(
        "crm_create",
        entity="solutions",
        data={"title": "When the arm stops", "description": "Replace the controller."},
    )
    unready = await agent.refused(
        "crm_action", entity="solutions", id=article["id"], action="publish"
    )
    assert "approved" in unready["message"].lower()
    await agent("crm_update", entity="solutions", id=article["id"], data={"status": "approved"})
    published = await agent("crm_action", entity="solutions", id=article["id"], action="publish")
    assert published["result"]["record"]["is_published"]

    # "Comment on the article!" There are no comments there; the assistant learns what there is.
    missing = await agent.refused(
        "crm_action",
        entity="solutions",
        id=article["id"],
        action="add_comment",
        params={"comment": "Nice"},
    )
    assert "no comments on solutions" in missing["message"]

    # "What is overdue for Sam?"
    overdue = await agent(
        "crm_search",
        entity="tasks",
        filters={"assigned_to": "Sam Ortiz", "due_date": "overdue", "status": ["New"]},
    )
    assert overdue["total"] == 1

    # "The wrong part: remove the old comment." - "Not that one!" - "Yes, that one."
    found = await agent("crm_search", entity="cases", query="Wrong part delivered")
    part = found["records"][0]["id"]
    comments = await agent("crm_get", entity="cases", id=part, include=["comments"])
    comment = comments["comments"]["records"][0]["id"]
    delete = {"entity": "cases", "id": part, "action": "delete_comment"}
    await agent.declining("crm_action", **delete, params={"comment_id": comment})
    still = await agent("crm_get", entity="cases", id=part, include=["comments"])
    assert still["comments"]["total"] == 1
    await agent.confirming("crm_action", **delete, params={"comment_id": comment})

    # "The arm is repaired: close it with everything below it."
    shown, done = await agent.confirming(
        "crm_action",
        entity="cases",
        id=robot,
        action="close_with_children",
        params={"closed_on": "today"},
    )
    assert "Firmware update fails" in shown
    assert [each["done"] for each in done["result"]["also"]] == [True]

    # "What is left for tomorrow?"
    left = await agent(
        "crm_search",
        entity="cases",
        filters={"status": ["New", "Assigned", "Pending"]},
        fields=["name", "priority"],
    )
    assert {case["name"] for case in left["records"]} == {
        "Gripper loses pressure",
        "Wrong part delivered",
        "Invoice shows the old address",
    }

    return SimpleNamespace(
        robot=robot,
        reset=reset,
        gripper=gripper["id"],
        twin=mail["id"],
        firmware=firmware,
        part=part,
        ship=ship["id"],
        article=article["id"],
    )


def test_support_day(people: Any, live: Any, record: Any) -> None:
    made = live(people.avery, support_day)

    def of(path: str) -> dict[str, Any]:
        return record(people.avery, path)

    robot = of(f"cases/{made.robot}")
    assert robot["cases_obj"]["status"] == "Closed"
    assert {each["user_details"]["email"] for each in robot["cases_obj"]["assigned_to"]} == {
        "avery@bluebird.example",
        "sam@bluebird.example",
    }
    assert [each["title"] for each in robot["solutions"]] == ["Reading the error lights"]
    assert of(f"cases/{made.reset}")["cases_obj"]["status"] == "Closed"
    firmware = of(f"cases/{made.firmware}")["cases_obj"]
    assert firmware["status"] == "Closed"
    assert of(f"cases/{made.twin}")["merged_into"] == made.gripper
    assert of(f"cases/{made.gripper}")["cases_obj"]["status"] == "New"
    assert of(f"cases/{made.part}")["comments"] == []
    assert of(f"tasks/{made.ship}")["task_obj"]["case"]["id"] == made.robot
    assert of(f"cases/solutions/{made.article}")["is_published"]
