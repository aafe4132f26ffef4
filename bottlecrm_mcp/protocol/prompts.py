"""Prompts: the catalogue's, listed and filled in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import mcp_types as types

from bottlecrm_mcp.catalogue.model import Prompt
from bottlecrm_mcp.one_line import one_line
from bottlecrm_mcp.tools.errors import ToolError, suggest


def listed(prompts: Iterable[Prompt]) -> list[types.Prompt]:
    return [
        types.Prompt(
            name=prompt.name,
            title=prompt.title,
            description=prompt.description,
            arguments=[
                types.PromptArgument(
                    name=each.name, description=each.description, required=each.required
                )
                for each in prompt.arguments
            ],
        )
        for prompt in prompts
    ]


def get(prompts: Iterable[Prompt], name: str, given: Mapping[str, str]) -> types.GetPromptResult:
    """The prompt with its arguments filled in. Raises `ToolError`."""
    named = {each.name: each for each in prompts}
    prompt = named.get(name)
    if prompt is None:
        raise ToolError("not_found", f"There is no prompt {name[:80]!r}. {suggest(name, named)}")
    text = prompt.filled_in(_values(prompt, given))
    message = types.PromptMessage(role="user", content=types.TextContent(type="text", text=text))
    return types.GetPromptResult(description=prompt.description, messages=[message])


def _values(prompt: Prompt, given: Mapping[str, str]) -> dict[str, str]:
    names = [each.name for each in prompt.arguments]
    for name in given:
        if name not in names:
            others = suggest(name, names) if names else "It takes none."
            raise ToolError("invalid_arguments", f"No argument {name!r}. {others}")
    values = {each.name: given.get(each.name) or each.default for each in prompt.arguments}
    for name, value in values.items():
        if not value:
            raise ToolError("invalid_arguments", f"The argument {name!r} is required.")
        # Quotes and line breaks would end the string that the value stands in.
        values[name] = one_line(value.replace('"', "'")[:200])
    return values
