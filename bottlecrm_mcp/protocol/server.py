"""MCP server on the SDK's low-level `Server`: one for both protocol eras."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import mcp_types as types
from anyio import move_on_after
from anyio.from_thread import run as run_in_loop
from anyio.lowlevel import current_token
from mcp.server.caching import CacheHint
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.server.models import InitializationOptions
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from bottlecrm_mcp import telemetry
from bottlecrm_mcp.gateway.base import Caller, GatewayError
from bottlecrm_mcp.gateway.shared import progress
from bottlecrm_mcp.protocol import completion, elicitation, prompts, resources, skills
from bottlecrm_mcp.protocol.cards import calls as card_calls
from bottlecrm_mcp.protocol.cards import documents as card_documents
from bottlecrm_mcp.protocol.cards import negotiation as cards
from bottlecrm_mcp.protocol.cards.extension import ANSWER, SERVER_CAPABILITY
from bottlecrm_mcp.protocol.instructions import instructions
from bottlecrm_mcp.protocol.metadata import (
    LIST_LIFETIME_MS,
    NAME,
    SKILLS,
    TITLE,
    WEBSITE,
    package_version,
    tool_entry,
)
from bottlecrm_mcp.tools.arguments.dates import Clock
from bottlecrm_mcp.tools.confirmation.confirm import ConfirmationRequired
from bottlecrm_mcp.tools.crm import Crm, FormAnswer
from bottlecrm_mcp.tools.errors import ToolError
from bottlecrm_mcp.tools.registry import Registry
from bottlecrm_mcp.tools.tool import Tool
from bottlecrm_mcp.tools.truncation import compact

logger = logging.getLogger("bottlecrm_mcp")

# How long a call waits until a message on its progress is taken.
PROGRESS_SECONDS = 1
# Characters: errors repeat it.
LONGEST_URI = 300

Json = Mapping[str, Any]
# Runs work with the current request's Crm, wherever tools run (a thread pool, this thread).
Run = Callable[[Callable[[Crm], Any]], Awaitable[Any]]
Context = ServerRequestContext[Any, Any]


class McpServer(Server[Any]):
    """The SDK's server, answering as the current caller.

    `state_keys` seal what a client carries between the rounds of one call; all processes of one CRM
    share them. The first seals, all open.
    """

    def __init__(
        self,
        registry: Registry,
        current_caller: Callable[[], Caller],
        run: Run,
        state_keys: Sequence[bytes],
    ) -> None:
        self.registry = registry
        self.current_caller = current_caller
        self.run_as_caller = run
        hint = CacheHint(LIST_LIFETIME_MS, "private")
        super().__init__(
            NAME,
            version=package_version(),
            title=TITLE,
            website_url=WEBSITE,
            cache_hints={
                "tools/list": hint,
                "prompts/list": hint,
                "resources/list": hint,
                "resources/templates/list": hint,
            },
            # No argument goes into a header. Without this the SDK runs tools/list before each call.
            get_tool_input_schema=lambda name: None,
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
            on_list_resources=self._list_resources,
            on_list_resource_templates=self._list_templates,
            on_read_resource=self._read_resource,
            on_list_prompts=self._list_prompts,
            on_get_prompt=self._get_prompt,
            on_completion=self._complete,
        )
        self.skills = skills.skills_of(registry.catalogue.prompts)
        self.add_request_handler("server/discover", types.RequestParams, self._discover)
        self.add_request_handler("skills/list", types.PaginatedRequestParams, self._list_skills)
        self.add_request_handler("skills/get", skills.GetSkillParams, self._get_skill)
        # That of OpenTelemetry.
        self.middleware[:] = map(telemetry.where_traced, self.middleware)
        self.middleware.append(telemetry.message_middleware)
        self.middleware.append(cards.greeting_middleware)
        security = RequestStateSecurity(
            keys=list(state_keys), bind_principal=lambda context: self._principal()
        )
        self.middleware.append(RequestStateBoundary(security, default_audience=NAME))

    @property
    def server_info_stamp(self) -> dict[str, Any]:
        # The SDK copies it deeply for each answer. It holds texts alone.
        return dict(self._server_info)

    @cached_property
    def _server_info(self) -> dict[str, Any]:
        return super().server_info_stamp

    def create_initialization_options(self, *args: Any, **kwargs: Any) -> InitializationOptions:
        options = super().create_initialization_options(*args, **kwargs)
        told = instructions(self.current_caller(), self.web_address())
        return options.model_copy(update={"instructions": told})

    async def _discover(
        self, context: Context, params: types.RequestParams | None
    ) -> types.DiscoverResult:
        caller = self.current_caller()
        return types.DiscoverResult(
            supported_versions=list(MODERN_PROTOCOL_VERSIONS),
            capabilities=self.get_capabilities(
                protocol_version=context.protocol_version,
                extensions={
                    SKILLS: {},
                    **(SERVER_CAPABILITY if self.shows_cards(context) else {}),
                },
            ),
            instructions=instructions(caller, self.web_address()),
            cache_scope="private",
            # The instructions name today's date.
            ttl_ms=Clock(caller.timezone).milliseconds_to_midnight(),
        )

    def _principal(self) -> str:
        caller = self.current_caller()
        return f"{caller.org_id}/{caller.profile_id}"

    def tool(self, name: str) -> Tool | None:
        """The tool of this name, if the client is offered it."""
        return self.registry.get(name, research=self.uses_research())

    def uses_research(self) -> bool:
        return False

    def web_address(self) -> str:
        """Where people open the CRM in a browser; empty where that is not known."""
        return ""

    async def _list_tools(
        self, context: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        research = self.uses_research()
        offered = self.registry.offered_to(self.current_caller(), research=research)
        listed = [self.described(tool) for tool in offered]
        if self.shows_cards(context):
            can_write = any(tool.needs == "write" for tool in offered)
            answers = can_write and self.confirms_on_cards(context)
            listed = cards.with_cards(listed, answers=answers)
        return types.ListToolsResult(tools=listed)

    def described(self, tool: Tool) -> types.Tool:
        return described(tool)

    async def _call_tool(
        self, context: Context, params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        try:
            answer = self.answered_on_card(context, params)
        except ToolError as error:
            return failed(error)
        name, arguments = params.name, params.arguments or {}
        form = elicitation.form_answer(params) if self.can_ask(context) else None
        if answer is not None:
            name, arguments, form = answer
        tool = self.tool(name)
        if tool is None:
            raise MCPError(code=types.INVALID_PARAMS, message=f"Unknown tool: {name[:80]}")
        telemetry.annotate(tool=tool.name, entity=self._entity_named(arguments))
        try:
            return succeeded(*await self._confirmed(context, tool, arguments, form))
        except ConfirmationRequired as required:
            telemetry.annotate(outcome=telemetry.CONFIRMATION_REQUIRED)
            return elicitation.ask(required)
        except ToolError as error:
            return self.failed(error, tool)
        except GatewayError as error:
            return self.failed(ToolError(error.code, str(error)), tool)
        except Exception:
            logger.exception("The tool %s failed", tool.name)
            return self.failed(ToolError("internal_error", "The server failed on this call."), tool)

    def answered_on_card(
        self, context: Context, params: types.CallToolRequestParams
    ) -> card_calls.Answered | None:
        """The call that a person answered on a card, if this is such an answer.

        Raises `ToolError` for one that is malformed.
        """
        if params.name != ANSWER or not self.confirms_on_cards(context):
            return None
        return card_calls.answered(params.arguments or {})

    async def _confirmed(
        self, context: Context, tool: Tool, arguments: Json, form: FormAnswer | None
    ) -> tuple[Json, Json]:
        """The result and its `_meta`; raises `ConfirmationRequired` where a result is to ask for
        the form.

        No thread is held while a person reads it. What has changed since is asked for anew.
        """
        meta: dict[str, Any] = {}
        run = self._way_to_call(context)
        report = _report_to(context)
        while True:

            def call(crm: Crm, form: FormAnswer | None = form) -> Json:
                with progress.reported_to(report):
                    result, told = run(replace(crm, form=form), tool, arguments)
                    meta.update(told)
                    return result

            try:
                result: Json = await self.run_as_caller(call)
            except ConfirmationRequired as required:
                if elicitation.asks_by_result(context):
                    raise
                form = await self.ask_for_form(context, required)
            else:
                return result, meta

    def _way_to_call(self, context: Context) -> card_calls.Way:
        """How a tool is called for this client, with the `_meta` that its card wants."""
        if self.confirms_on_cards(context):
            return card_calls.call_confirmed_on_card
        return card_calls.call_with_facts if self.shows_cards(context) else card_calls.plain_call

    def shows_cards(self, context: Context) -> bool:
        return cards.are_shown(context)

    def confirms_on_cards(self, context: Context) -> bool:
        """Whether confirmations are answered on cards; where there is a form, that comes first."""
        return self.shows_cards(context) and not self.can_ask(context)

    def can_ask(self, context: Context) -> bool:
        return elicitation.can_ask(context)

    async def ask_for_form(self, context: Context, required: ConfirmationRequired) -> FormAnswer:
        """The answer to a form that is asked for now; `cancelled` if the client gives none in time.

        Raises `GatewayError` where no form can be asked for.
        """
        return await elicitation.answer(context, required)

    def failed(self, error: ToolError, tool: Tool) -> types.CallToolResult:
        return failed(error)

    def _entity_named(self, arguments: Json) -> str:
        """The entity of a call, if it is one: anything else might be a value."""
        named = arguments.get("entity")
        return named if named in self.registry.catalogue.entity_names else ""

    async def _list_resources(
        self, context: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        listed = resources.listed(self.registry.catalogue, self.current_caller())
        return types.ListResourcesResult(resources=listed)

    async def _list_templates(
        self, context: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        return types.ListResourceTemplatesResult(resource_templates=resources.TEMPLATES)

    async def _read_resource(
        self, context: Context, params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        uri = str(params.uri)
        if len(uri) > LONGEST_URI:
            said = f"A resource's URI has at most {LONGEST_URI} characters; see resources/list."
            raise MCPError(types.INVALID_PARAMS, said, {"uri": uri[:LONGEST_URI]})
        if kind := card_documents.KINDS.get(uri):
            return card_documents.read(uri, kind)
        if skill := self.skills.get(uri):
            document = types.TextResourceContents(
                uri=uri, mime_type=skills.MARKDOWN, text=skill.text
            )
            return types.ReadResourceResult(
                contents=[document], ttl_ms=LIST_LIFETIME_MS, cache_scope="private"
            )
        value = await self._run_or_refuse(lambda crm: resources.read(crm, uri), {"uri": uri})
        text = types.TextResourceContents(
            uri=uri, mime_type="application/json", text=compact(value)
        )
        return types.ReadResourceResult(contents=[text], ttl_ms=0, cache_scope="private")

    async def _list_prompts(
        self, context: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListPromptsResult:
        return types.ListPromptsResult(prompts=prompts.listed(self.registry.catalogue.prompts))

    async def _get_prompt(
        self, context: Context, params: types.GetPromptRequestParams
    ) -> types.GetPromptResult:
        try:
            offered = self.registry.catalogue.prompts
            return prompts.get(offered, params.name, params.arguments or {})
        except ToolError as error:
            raise MCPError(code=types.INVALID_PARAMS, message=error.message) from error

    async def _list_skills(
        self, context: Context, params: types.PaginatedRequestParams
    ) -> dict[str, Any]:
        _require_modern(context)
        return skills.result(skills=[skill.entry() for skill in self.skills.values()])

    async def _get_skill(self, context: Context, params: skills.GetSkillParams) -> dict[str, Any]:
        _require_modern(context)
        skill = self.skills.get(params.uri)
        if skill is None:
            uri = params.uri[:LONGEST_URI]
            raise MCPError(types.INVALID_PARAMS, "There is no such skill.", {"uri": uri})
        return skills.result(skill=skill.entry())

    async def _complete(
        self, context: Context, params: types.CompleteRequestParams
    ) -> types.CompleteResult:
        values = await self._run_or_refuse(lambda crm: completion.complete(crm, params))
        return types.CompleteResult(completion=values)

    async def _run_or_refuse(self, work: Callable[[Crm], Any], data: Json | None = None) -> Any:
        """For methods whose errors are JSON-RPC errors, with `data` about the request."""
        try:
            return await self.run_as_caller(work)
        except (ToolError, GatewayError) as error:
            raise MCPError(types.INVALID_PARAMS, str(error), data) from error
        except Exception as error:
            logger.exception("A request failed")
            raise MCPError(code=types.INTERNAL_ERROR, message="The server failed.") from error


def _require_modern(context: Context) -> None:
    """An extension of the newest revision is unknown to the older ones."""
    if context.protocol_version not in MODERN_PROTOCOL_VERSIONS:
        raise MCPError(types.METHOD_NOT_FOUND, "Method not found", context.method)


def _report_to(context: Context) -> progress.Report:
    """Sends progress to a client that asked for it, from the thread that the tool runs on.

    The work goes on whatever becomes of that: the client may have left.
    """
    loop = current_token()

    async def send(done: int, of: int, words: str) -> None:
        with move_on_after(PROGRESS_SECONDS):
            await context.session.report_progress(done, of, words)

    def report(done: int, of: int, words: str) -> None:
        try:
            run_in_loop(send, done, of, words, token=loop)
        except Exception:
            logger.debug("Progress could not be sent", exc_info=True)

    return report


def described(tool: Tool) -> types.Tool:
    return types.Tool.model_validate(tool_entry(tool), by_name=False)


def succeeded(result: Json, meta: Json | None = None) -> types.CallToolResult:
    telemetry.annotate(outcome=_outcome(result))
    answer = types.CallToolResult(
        content=[types.TextContent(type="text", text=compact(result))],
        structured_content=dict(result),
    )
    return answer.model_copy(update={"meta": dict(meta)}) if meta else answer


def _outcome(result: Json) -> str:
    if result.get("confirmation_required"):
        return telemetry.CONFIRMATION_REQUIRED
    if result.get("repeated"):
        return telemetry.REPEATED
    return telemetry.DECLINED if "declined" in result else telemetry.OK


def failed(error: ToolError) -> types.CallToolResult:
    telemetry.annotate(outcome=error.code)
    # No structured content: it would have to fit the tool's output schema.
    text = compact(error.as_dict())
    return types.CallToolResult(content=[types.TextContent(type="text", text=text)], is_error=True)
