"""Each tool's contract says what its function does."""

import inspect
from typing import Any

import pytest

from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.tools.registry import TOOLS, Registry
from bottlecrm_mcp.tools.searches.one_entity import search_entity
from bottlecrm_mcp.tools.tool import Tool


def parameters_of(tool: Tool) -> dict[str, inspect.Parameter]:
    functions = [search_entity, tool.run] if tool.name == "crm_search" else [tool.run]
    found: dict[str, Any] = {}
    for function in functions:
        found |= inspect.signature(function).parameters
    return {name: each for name, each in found.items() if each.kind is each.KEYWORD_ONLY}


@pytest.mark.parametrize("tool", TOOLS, ids=[each.name for each in TOOLS])
def test_arguments_are_those_of_the_function(tool: Tool) -> None:
    parameters = parameters_of(tool)
    assert parameters.keys() == tool.arguments.keys()
    needed = {name for name, each in parameters.items() if each.default is each.empty}
    assert needed == set(tool.required)
    for name, schema in tool.arguments.items():
        if "default" in schema:
            assert parameters[name].default == schema["default"], name


def test_entities_are_those_of_the_catalogue() -> None:
    catalogue = mcp_settings().catalogue
    for tool in Registry(catalogue).tools:
        names = tool.arguments["entity"]["enum"]
        assert names[: len(catalogue.entity_names)] == list(catalogue.entity_names)
