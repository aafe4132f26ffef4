from tests.agent import Agent


async def perfect(agent: Agent) -> str:
    late = await agent("crm_search", entity="opportunities", filters={"closed_on": "overdue"})
    lost = {"stage": "CLOSED_LOST", "closed_on": "today"}
    await agent("crm_update", entity="opportunities", id="Stale deal", data=lost)
    later = {"closed_on": "in_60_days", "assigned_to": ["Kim Larsen"]}
    await agent("crm_update", entity="opportunities", id="Late deal", data=later)
    [old] = (await agent("crm_search", entity="contacts", query="old@fuchs.example"))["records"]
    await agent.confirming("crm_delete", entity="contacts", id=old["id"])
    await agent.confirming(
        "crm_action", entity="tags", id="VIPs", action="merge", params={"into": "VIP"}
    )
    await agent("crm_update", entity="accounts", id="Closed Bakery", data={"is_active": False})
    lease = {"assigned_to": ["Sam Ortiz"], "due_date": "in_7_days"}
    await agent("crm_update", entity="tasks", id="Renew the lease", data=lease)
    await agent.confirming("crm_delete", entity="tags", id="Misc")
    return ", ".join(each["name"] for each in late["records"])
