"""MCP server of the endpoint: logs each call, and asks clients for more access."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import mcp_types as types
from mcp.shared.exceptions import MCPError

from bottlecrm_mcp import telemetry
from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.gateway.base import Caller
from bottlecrm_mcp.hosted import oauth, open_forms
from bottlecrm_mcp.hosted.audit import Write
from bottlecrm_mcp.hosted.call_log import ToolCall, action_of, logged, record_refused
from bottlecrm_mcp.hosted.execution import current_call
from bottlecrm_mcp.protocol import completion, elicitation, resources
from bottlecrm_mcp.protocol.older_forms import CANCEL
from bottlecrm_mcp.protocol.server import McpServer
from bottlecrm_mcp.tools.arguments.scalars import is_id
from bottlecrm_mcp.tools.confirmation.confirm import ConfirmationRequired
from bottlecrm_mcp.tools.crm import FormAnswer
from bottlecrm_mcp.tools.errors import ToolError
from bottlecrm_mcp.tools.tool import Tool


class HostedServer(McpServer):
    """The server of all calls; each of its requests is within a `current_call`."""

    async def _call_tool(self, context: Any, params: types.CallToolRequestParams) -> Any:
        current = current_call.get()
        name, arguments = params.name, params.arguments or {}
        with suppress(ToolError):
            if answer := self.answered_on_card(context, params):
                name, arguments = answer.tool, answer.arguments
        client = client_of(context, current.client)
        current.write = self._write_of(name, arguments, " ".join(client).strip())
        tool = self.tool(name)
        if tool is None:
            return await super()._call_tool(context, params)
        logged_call = self._logged_call(tool, arguments, client)
        logged_call.meant = current.meant
        with logged(logged_call, current.caller) as call:
            result = await super()._call_tool(context, params)
            call.result = getattr(result, "structured_content", None) or {}
        return result

    async def _read_resource(self, context: Any, params: types.ReadResourceRequestParams) -> Any:
        entity, record_id = resources.entity_and_record(str(params.uri))
        if not record_id or not str(params.uri).startswith(resources.SCHEME):
            return await super()._read_resource(context, params)
        with self._logged_as("crm_get", context, {"entity": entity, "id": record_id}):
            return await super()._read_resource(context, params)

    async def _complete(self, context: Any, params: types.CompleteRequestParams) -> Any:
        entity = completion.entity_of(self.registry.catalogue, params)
        if entity is None:
            return await super()._complete(context, params)
        with self._logged_as("crm_search", context, {"entity": entity.name}) as call:
            result = await super()._complete(context, params)
            call.result = {"returned": len(result.completion.values)}
        return result

    @contextmanager
    def _logged_as(self, name: str, context: Any, arguments: dict[str, Any]) -> Iterator[ToolCall]:
        """Log what reads records without a call of a tool as one of the tool that it is like."""
        current = current_call.get()
        tool = next(each for each in self.registry.tools if each.name == name)
        client = client_of(context, current.client)
        with logged(self._logged_call(tool, arguments, client), current.caller) as call:
            try:
                yield call
            except MCPError as error:
                call.outcome = getattr(error.__cause__, "code", "internal_error")
                raise
            call.outcome = telemetry.OK

    def log_refused(self, params: Mapping[str, Any], caller: Caller) -> None:
        """Log a call that its connection does not allow, which no tool is asked for."""
        if tool := self.tool(params["name"]):
            record_refused(self._logged_call(tool, params.get("arguments")), caller)

    def _logged_call(
        self, tool: Tool, arguments: Any, client: tuple[str, str] = ("", "")
    ) -> ToolCall:
        given = arguments if isinstance(arguments, dict) else {}
        named = given.get("entity")
        entity = self.registry.catalogue.meant_by(named) if isinstance(named, str) else None
        return ToolCall(tool, entity, given, client)

    def uses_research(self) -> bool:
        """Whether the caller's client is one that OpenAI's tools are for."""
        clients = mcp_settings().RESEARCH_CLIENTS
        return "*" in clients or self.current_caller().client_host in clients

    def web_address(self) -> str:
        return mcp_settings().web_address

    def can_ask(self, context: Any) -> bool:
        if elicitation.asks_by_result(context):
            return super().can_ask(context)
        return current_call.get().forms is not None

    def shows_cards(self, context: Any) -> bool:
        if elicitation.asks_by_result(context):
            return super().shows_cards(context)
        return current_call.get().shows_cards

    async def ask_for_form(self, context: Any, required: ConfirmationRequired) -> FormAnswer:
        forms = current_call.get().forms
        form = elicitation.form(required).model_dump(by_alias=True, exclude_none=True)
        action = await forms.ask(form) if forms else CANCEL
        agreed = {elicitation.KEY: action == open_forms.ACCEPT}
        return elicitation.answered(required.confirmation, action, agreed)

    def described(self, tool: Tool) -> types.Tool:
        shown = super().described(tool)
        if not oauth.is_on():
            return shown
        from bottlecrm_mcp.hosted.oauth.step_up import security_schemes

        # ChatGPT reads it here too; beside `name`, where it belongs, the SDK lets nothing through.
        meta = {**tool.meta, "securitySchemes": security_schemes(tool)}
        return shown.model_copy(update={"meta": meta})

    def failed(self, error: ToolError, tool: Tool) -> types.CallToolResult:
        result = super().failed(error, tool)
        caller = self.current_caller()
        if error.code != "insufficient_scope" or not caller.by_oauth or caller.read_only:
            return result
        from bottlecrm_mcp.hosted.oauth.step_up import with_challenge

        return with_challenge(result, caller, tool)

    def _write_of(self, name: str, arguments: Mapping[str, Any], client: str) -> Write | None:
        tool = self.tool(name)
        if tool is None or tool.needs != "write":
            return None
        entity = self.registry.catalogue.meant_by(str(arguments.get("entity") or ""))
        named = _one_named(arguments)
        action = action_of(tool, entity, arguments)
        # Neither a name nor an entity that there is not: the log holds no values.
        return Write(
            tool.name,
            entity.name if entity else "",
            named if is_id(named) else "",
            client,
            action.name if action else "",
            by_name=bool(named) and not is_id(named),
        )


def _one_named(arguments: Mapping[str, Any]) -> str:
    """The id or name of the one record that a call is about; empty where there may be several."""
    named, ids = arguments.get("id"), arguments.get("ids")
    if not named and isinstance(ids, list) and len(ids) == 1:
        named = ids[0]
    return str(named or "")


def client_of(context: Any, declared: str) -> tuple[str, str]:
    """Name and version as the client introduces itself, or did so when its session began."""
    introduction = context.session.client_params
    info = introduction.client_info if introduction else None
    if info is not None:
        return info.name, info.version
    name, _, version = declared.rpartition(" ")
    return (name, version) if name else (declared, "")
