"""A day of Sam, who sells robots: what Sam says, what the assistant calls, what comes of it."""

from types import SimpleNamespace
from typing import Any

from tests.agent import Agent


async def sales_day(agent: Agent) -> SimpleNamespace:
    """The day, over any connection that acts as Sam. Returns the ids of what was made."""
    # "What do I have to do today?"
    tasks = await agent(
        "crm_search",
        entity="tasks",
        filters={"assigned_to": "me", "status": ["New", "In Progress"], "due_date__lte": "today"},
        sort="due_date",
    )
    titles = [task["title"] for task in tasks["records"]]
    assert titles == ["Follow up on the unpaid invoice", "Call back about the quote"]

    # "Whom should I get back to this week?"
    leads = await agent(
        "crm_search",
        entity="leads",
        filters={"assigned_to": "me", "next_follow_up": "next_7_days"},
        fields=["first_name", "company_name", "next_follow_up"],
    )
    assert {lead["first_name"] for lead in leads["records"]} == {"Eli", "Victor", "Martin"}
    eli = next(lead["id"] for lead in leads["records"] if lead["first_name"] == "Eli")

    # "What do we know about Eli?"
    known = await agent("crm_get", entity="leads", id=eli, include=["comments", "tasks"])
    assert known["record"]["company_name"] == "Marsh Packaging"
    assert known["comments"]["total"] == 0

    # "I called him, he wants a quote for two robots. Note that."
    noted = await agent(
        "crm_action",
        entity="leads",
        id=eli,
        action="add_comment",
        params={"comment": "Called: wants a quote for two robots."},
    )
    assert noted["result"]["comment"] == "Called: wants a quote for two robots."

    # "Set him to in process, and remind me in three days."
    moved = await agent(
        "crm_update",
        entity="leads",
        id=eli,
        data={
            "status": "in process",
            "last_contacted": "today",
            "next_follow_up": "in_3_days",
            "phone": "+1 555 0199",
        },
    )
    assert moved["changed"]["status"] == {"before": "assigned", "after": "in process"}
    assert moved["changed"]["phone"] == {"before": None, "after": "+1 555 0199"}

    # "A new lead from the fair: Carla Mendes of Mendes Bakery."
    carla = {
        "first_name": "Carla",
        "last_name": "Mendes",
        "company_name": "Mendes Bakery",
        "email": "carla@mendes.example",
        "status": "assigned",
        "tags": ["Trade fair"],
        "assigned_to": "me",
    }
    made = await agent("crm_create", entity="leads", data=carla)
    assert made["record"]["tags"][0]["name"] == "Trade fair"
    assert made["record"]["assigned_to"][0]["name"] == "Sam Ortiz"

    # "Did I add Carla?" The assistant adds her again, and is told so.
    again = await agent(
        "crm_create", entity="leads", data={**carla, "email": "c.mendes@mendes.example"}
    )
    assert [each["id"] for each in again["possible_duplicates"]] == [made["id"]]

    # "Then delete the second one." Sam reads what will go, first says no, then yes.
    second = {"entity": "leads", "id": again["id"]}
    shown = await agent.declining("crm_delete", **second)
    assert "Carla Mendes" in shown
    _, deleted = await agent.confirming("crm_delete", **second)
    assert deleted["deleted"]

    # "Carla's bakery is in the west, and it's a hot one."
    region = await agent(
        "crm_update",
        entity="leads",
        id=made["id"],
        data={"custom_fields": {"region": "west"}, "rating": "hot"},
    )
    assert region["changed"]["custom_fields"]["after"] == {"region": "west"}
    assert region["changed"]["rating"]["after"] == "HOT"

    # "Eli is ready to buy: convert him."
    shown, converted = await agent.confirming(
        "crm_action", entity="leads", id=eli, action="convert"
    )
    assert "Eli Marsh" in shown
    assert "cannot be undone" in shown
    deal, account = converted["result"]["opportunity_id"], converted["result"]["account_id"]

    # "Put the two robots into the deal and send a proposal."
    item = await agent(
        "crm_action",
        entity="opportunities",
        id=deal,
        action="add_line_item",
        params={"name": "Packing robot", "quantity": 2, "unit_price": "6000"},
    )
    assert float(item["result"]["total"]) == 12_000
    proposed = await agent(
        "crm_update",
        entity="opportunities",
        id=deal,
        data={
            "stage": "PROPOSAL",
            "probability": 60,
            "closed_on": "in_14_days",
            "currency": "USD",
        },
    )
    assert proposed["changed"]["stage"] == {"before": "QUALIFICATION", "after": "PROPOSAL"}

    # "Mark it won!" The assistant guesses the word, and learns the right one.
    wrong = await agent.refused(
        "crm_update", entity="opportunities", id=deal, data={"stage": "WON"}
    )
    assert "CLOSED_WON" in wrong["fields"]["stage"]

    # "Eli's purchasing manager is Paolo Marsh."
    paolo = await agent(
        "crm_create",
        entity="contacts",
        data={
            "first_name": "Paolo",
            "last_name": "Marsh",
            "account": "Marsh Packaging",
            "assigned_to": "sam@bluebird.example",
        },
    )
    assert paolo["record"]["account"] == {"id": account, "name": "Marsh Packaging"}

    # "Remind me tomorrow to send them the contract."
    reminder = await agent(
        "crm_create",
        entity="tasks",
        data={
            "title": "Send the contract",
            "status": "New",
            "priority": "High",
            "due_date": "tomorrow",
            "opportunity": deal,
            "assigned_to": ["me"],
        },
    )
    assert reminder["record"]["opportunity"]["id"] == deal

    # "The call about the quote is done."
    quote = next(task["id"] for task in tasks["records"] if task["title"].startswith("Call back"))
    done = await agent("crm_update", entity="tasks", id=quote, data={"status": "completed"})
    assert done["changed"] == {"status": {"before": "New", "after": "Completed"}}

    # "How does my pipeline look?"
    pipeline = await agent(
        "crm_summarize",
        entity="opportunities",
        group_by=["stage"],
        measures=["count", "sum:amount"],
        filters={"assigned_to": "me"},
    )
    stages = {group["stage"]: group for group in pipeline["groups"]}
    assert stages["PROPOSAL"]["count"] == 2

    # "Which of my open deals close within 60 days?"
    closing = await agent(
        "crm_search",
        entity="opportunities",
        filters={
            "assigned_to": "me",
            "closed_on": "next_60_days",
            "stage": ["PROSPECTING", "QUALIFICATION", "PROPOSAL", "NEGOTIATION"],
        },
        sort="closed_on",
    )
    assert closing["records"][0]["id"] == deal

    # "Globex signed for the sensors today."
    sensors = await agent("crm_search", entity="opportunities", query="Sensor upgrade")
    (upgrade,) = sensors["records"]
    won = await agent(
        "crm_update",
        entity="opportunities",
        id=upgrade["id"],
        data={"stage": "CLOSED_WON", "closed_on": "today"},
    )
    assert won["record"]["stage"] == "CLOSED_WON"

    # "Invoice Marsh Packaging for the two robots, due in 30 days."
    invoice = await agent(
        "crm_create",
        entity="invoices",
        data={
            "invoice_title": "Two packing robots",
            "account": "Marsh Packaging",
            "contact": "Eli Marsh",
            "client_name": "Eli Marsh",
            "client_email": "eli@marsh.example",
            "currency": "USD",
            "due_date": "in_30_days",
            "line_items": [{"name": "Packing robot", "quantity": 2, "unit_price": 6000}],
        },
    )
    assert float(invoice["record"]["total_amount"]) == 12_000

    # "Send it." Sam sees to whom before it goes.
    shown, sent = await agent.confirming(
        "crm_action", entity="invoices", id=invoice["id"], action="send"
    )
    assert "eli@marsh.example" in shown
    assert sent["result"]["record"]["status"] == "Sent"

    # "No wait, cancel it!" - "... no, leave it."
    shown = await agent.declining(
        "crm_action", entity="invoices", id=invoice["id"], action="cancel"
    )
    assert "for good" in shown

    # "They paid half already, by bank transfer." A payment leaves its status, so Sam is asked.
    shown, paid = await agent.confirming(
        "crm_action",
        entity="invoices",
        id=invoice["id"],
        action="mark_paid",
        params={"amount": 6000, "payment_method": "BANK_TRANSFER", "payment_date": "today"},
    )
    assert "cannot be undone" in shown
    assert paid["result"]["record"]["status"] == "Partially_Paid"

    # "What about Helen Cho?" She is Avery's, and Sam does not see her.
    helen = await agent("crm_search", entity="leads", query="Helen Cho")
    assert helen["total"] == 0

    # "Brief me on Marsh Packaging before I go."
    brief = await agent(
        "crm_get",
        entity="accounts",
        id=account,
        include=["contacts", "opportunities", "invoices", "comments"],
    )
    assert brief["contacts"]["total"] == 2
    assert brief["opportunities"]["total"] == 1
    assert brief["invoices"]["total"] == 1
    assert "two robots" in brief["comments"]["records"][0]["comment"]

    return SimpleNamespace(
        carla=made["id"],
        twin=again["id"],
        eli=eli,
        account=account,
        deal=deal,
        upgrade=upgrade["id"],
        paolo=paolo["id"],
        reminder=reminder["id"],
        quote=quote,
        invoice=invoice["id"],
    )


def test_sales_day(people: Any, live: Any, record: Any, api: Any, mailoutbox: list[Any]) -> None:
    made = live(people.sam, sales_day)

    def of(path: str) -> dict[str, Any]:
        return record(people.sam, path)

    carla = of(f"leads/{made.carla}")["lead_obj"]
    assert carla["custom_fields"] == {"region": "west"}
    assert api(people.sam).get(f"/api/leads/{made.twin}/").status_code == 404
    assert of(f"leads/{made.eli}")["lead_obj"]["status"] == "converted"
    assert of(f"accounts/{made.account}")["account_obj"]["name"] == "Marsh Packaging"
    deal = of(f"opportunities/{made.deal}")["opportunity_obj"]
    assert (deal["stage"], float(deal["amount"])) == ("PROPOSAL", 12_000)
    upgrade = of(f"opportunities/{made.upgrade}")["opportunity_obj"]
    assert upgrade["stage"] == "CLOSED_WON"
    paolo = of(f"contacts/{made.paolo}")["contact_obj"]
    assert paolo["last_name"] == "Marsh"
    assert of(f"tasks/{made.reminder}")["task_obj"]["opportunity"]["id"] == made.deal
    assert of(f"tasks/{made.quote}")["task_obj"]["status"] == "Completed"
    invoice = of(f"invoices/{made.invoice}")["invoice"]
    assert (invoice["status"], float(invoice["amount_due"])) == ("Partially_Paid", 6_000)
    outside = [mail.to for mail in mailoutbox if "bluebird" not in str(mail.to)]
    assert outside == [["eli@marsh.example"]]
