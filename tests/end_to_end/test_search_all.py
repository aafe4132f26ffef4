"""Searches over all entities and for what waits, as a client sees them."""

from typing import Any

import pytest

from tests.agent import LEGACY, Agent

EVERYWHERE = ["all", "my_day"]


def test_only_searches_are_offered_them(live: Any, alpha_user: Any, era: str) -> None:
    async def steps(agent: Agent) -> dict[str, list[str]]:
        tools = (await agent.client.list_tools()).tools
        return {
            tool.name: tool.input_schema["properties"]["entity"]["enum"]
            for tool in tools
            if "entity" in tool.input_schema["properties"]
        }

    enums = live(alpha_user, steps, era=era)
    for name, enum in enums.items():
        assert (enum[-2:] == EVERYWHERE) == (name == "crm_search")
        assert {"leads", "tags", "people"} <= set(enum)


@pytest.mark.parametrize("entity", EVERYWHERE)
def test_answer_fits_the_output_schema(live: Any, alpha: Any, era: str, entity: str) -> None:
    asked = {"query": "alphaseen"} if entity == "all" else {}

    async def steps(agent: Agent) -> Any:
        return await agent("crm_search", entity=entity, **asked)

    found = live(alpha.user, steps, era=era)
    assert found["entity"] == entity
    assert found["returned"] == len(found["records"]) > 0
    assert found["total"] == sum(found["totals"].values())


def test_the_agent_is_told_of_them(live: Any, alpha_user: Any) -> None:
    async def steps(agent: Agent) -> str:
        return agent.client.instructions

    told = live(alpha_user, steps, era=LEGACY)
    assert all(each in told for each in (*EVERYWHERE, "custom_fields"))
