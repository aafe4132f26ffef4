"""What the MCP conformance suite calls: tools, prompts and resources without a CRM behind them.

The server class, its sealed request state, and the transport are those of production.
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from typing import Any

import mcp_types as types
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from bottlecrm_mcp.protocol.server import Context, McpServer

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5Er"
    "kJggg=="
)
WAV = base64.b64encode(
    b"RIFF$\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00@\x1f\x00\x00\x80>\x00\x00"
    b"\x02\x00\x10\x00data\x00\x00\x00\x00"
).decode()
TEMPLATE = "test://template/"

Schema = dict[str, Any]
Called = types.CallToolResult | types.InputRequiredResult
Handler = Callable[[Context, types.CallToolRequestParams], Awaitable[Called]]


class FixtureServer(McpServer):
    """The CRM's server with the suite's offer instead of its own."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        # Deprecated or of no use without sessions, so the CRM does not declare them.
        self.add_request_handler("logging/setLevel", types.SetLevelRequestParams, empty)
        self.add_request_handler("resources/subscribe", types.SubscribeRequestParams, empty)
        self.add_request_handler("resources/unsubscribe", types.UnsubscribeRequestParams, empty)

    def _input_schema(self, name: str) -> Schema | None:
        return SCHEMAS.get(name, NO_ARGUMENTS) if name in TOOLS else None

    async def _list_tools(self, context: Context, params: Any) -> types.ListToolsResult:
        return types.ListToolsResult(
            tools=[
                types.Tool(
                    name=name,
                    description=name.replace("_", " "),
                    input_schema=SCHEMAS.get(name, NO_ARGUMENTS),
                )
                for name in TOOLS
            ]
        )

    async def _call_tool(self, context: Context, params: types.CallToolRequestParams) -> Called:
        if params.name not in TOOLS:
            raise MCPError(code=types.INVALID_PARAMS, message=f"Unknown tool: {params.name}")
        return await TOOLS[params.name](context, params)

    async def _list_resources(self, context: Context, params: Any) -> types.ListResourcesResult:
        listed = [
            types.Resource(name=uri, uri=uri, description="A fixture", mime_type=mime_type)
            for uri, mime_type in RESOURCES.items()
        ]
        return types.ListResourcesResult(resources=listed)

    async def _list_templates(
        self, context: Context, params: Any
    ) -> types.ListResourceTemplatesResult:
        data = types.ResourceTemplate(name="data", uri_template=TEMPLATE + "{id}/data")
        return types.ListResourceTemplatesResult(resource_templates=[data])

    async def _read_resource(
        self, context: Context, params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        uri = str(params.uri)
        return types.ReadResourceResult(contents=[contents(uri)], ttl_ms=0, cache_scope="private")

    async def _list_prompts(self, context: Context, params: Any) -> types.ListPromptsResult:
        listed = [
            types.Prompt(
                name=name,
                description="A fixture",
                arguments=[types.PromptArgument(name=each, required=True) for each in arguments],
            )
            for name, arguments in PROMPTS.items()
        ]
        return types.ListPromptsResult(prompts=listed)

    async def _get_prompt(self, context: Context, params: types.GetPromptRequestParams) -> Any:
        if params.name not in PROMPTS:
            raise MCPError(code=types.INVALID_PARAMS, message=f"Unknown prompt: {params.name}")
        given = params.arguments or {}
        if params.name == "test_input_required_result_prompt":
            answer = answers(params).get("user_context")
            if answer is None:
                return required({"user_context": form("What context should it use?", "context")})
            return prompt(text(f"Context: {answer}"))
        if params.name == "test_prompt_with_embedded_resource":
            embedded = resource(given["resourceUri"], "Embedded resource content for testing.")
            return prompt(embedded, text("Please process the embedded resource above."))
        if params.name == "test_prompt_with_image":
            return prompt(image(), text("Please analyze the image above."))
        if given:
            filled = ", ".join(f"{name}='{value}'" for name, value in given.items())
            return prompt(text(f"Prompt with arguments: {filled}"))
        return prompt(text("This is a simple prompt for testing."))

    async def _complete(
        self, context: Context, params: types.CompleteRequestParams
    ) -> types.CompleteResult:
        found = [name for name in ("paris", "park") if name.startswith(params.argument.value)]
        return types.CompleteResult(completion=types.Completion(values=found, total=len(found)))


PROMPTS = {
    "test_simple_prompt": (),
    "test_prompt_with_arguments": ("arg1", "arg2"),
    "test_prompt_with_embedded_resource": ("resourceUri",),
    "test_prompt_with_image": (),
    "test_input_required_result_prompt": (),
}
RESOURCES = {
    "test://static-text": "text/plain",
    "test://static-binary": "image/png",
    "test://watched-resource": "text/plain",
}


def contents(uri: str) -> types.TextResourceContents | types.BlobResourceContents:
    if uri == "test://static-binary":
        return types.BlobResourceContents(uri=uri, mime_type="image/png", blob=PNG)
    if uri.startswith(TEMPLATE):
        value = f'{{"id":"{uri.removeprefix(TEMPLATE).split("/")[0]}","templateTest":true}}'
        return types.TextResourceContents(uri=uri, mime_type="application/json", text=value)
    if uri in RESOURCES:
        value = "This is the content of the static text resource."
        return types.TextResourceContents(uri=uri, mime_type="text/plain", text=value)
    raise MCPError(code=types.INVALID_PARAMS, message="Resource not found", data={"uri": uri})


def text(value: str) -> types.TextContent:
    return types.TextContent(type="text", text=value)


def image() -> types.ImageContent:
    return types.ImageContent(type="image", data=PNG, mime_type="image/png")


def resource(uri: str, value: str, mime_type: str = "text/plain") -> types.EmbeddedResource:
    held = types.TextResourceContents(uri=uri, mime_type=mime_type, text=value)
    return types.EmbeddedResource(type="resource", resource=held)


def prompt(*parts: Any) -> types.GetPromptResult:
    messages = [types.PromptMessage(role="user", content=part) for part in parts]
    return types.GetPromptResult(messages=messages)


async def empty(context: Context, params: Any) -> types.EmptyResult:
    return types.EmptyResult()


def returns(*parts: Any, is_error: bool = False) -> Handler:
    async def handler(context: Context, params: types.CallToolRequestParams) -> Called:
        return types.CallToolResult(content=list(parts), is_error=is_error)

    return handler


async def with_progress(context: Context, params: types.CallToolRequestParams) -> Called:
    for progress in (0, 50, 100):
        await context.session.report_progress(progress, 100)
        await asyncio.sleep(0.05)
    return types.CallToolResult(content=[text("Done.")])


async def with_logging(context: Context, params: types.CallToolRequestParams) -> Called:
    for said in ("started", "processing data", "completed"):
        await context.session.send_log_message("info", f"Tool execution {said}")
        await asyncio.sleep(0.05)
    return types.CallToolResult(content=[text("Done.")])


async def needs_sampling(context: Context, params: types.CallToolRequestParams) -> Called:
    if "sampling" in missing(context, "sampling"):
        raise MCPError(
            code=types.MISSING_REQUIRED_CLIENT_CAPABILITY,
            message="This tool needs sampling.",
            data={"requiredCapabilities": {"sampling": {}}},
        )
    return types.CallToolResult(content=[text("Done.")])


def missing(context: Context, *names: str) -> set[str]:
    declared = context.session.client_capabilities
    return {name for name in names if getattr(declared, name, None) is None}


Asked = types.ElicitRequest | types.CreateMessageRequest | types.ListRootsRequest


def schema(name: str, kind: str = "string") -> Schema:
    return {"type": "object", "properties": {name: {"type": kind}}, "required": [name]}


def form(message: str, name: str, kind: str = "string") -> types.ElicitRequest:
    return types.ElicitRequest(
        params=types.ElicitRequestFormParams(message=message, requested_schema=schema(name, kind))
    )


def sample(message: str, most: int = 100) -> types.CreateMessageRequest:
    asked = types.SamplingMessage(role="user", content=text(message))
    return types.CreateMessageRequest(
        params=types.CreateMessageRequestParams(messages=[asked], max_tokens=most)
    )


ROOTS = types.ListRootsRequest()


def required(asked: dict[str, Asked], state: str | None = None) -> types.InputRequiredResult:
    return types.InputRequiredResult(input_requests=asked, request_state=state)


def answers(params: Any) -> dict[str, Any]:
    return dict(params.input_responses or {})


def asks(asked: dict[str, Asked], state: str | None = None, done: str = "Done.") -> Handler:
    """A tool that is complete once each question has its answer, and the state came back."""

    async def handler(context: Context, params: types.CallToolRequestParams) -> Called:
        given = answers(params)
        if given.keys() >= asked.keys() and params.request_state == state:
            told = " ".join(str(given[key]) for key in asked)
            return types.CallToolResult(content=[text(f"{done} {told}")])
        return required(asked, state)

    return handler


async def in_rounds(context: Context, params: types.CallToolRequestParams) -> Called:
    given = answers(params)
    if params.request_state == "after-1" and "step2" in given:
        return types.CallToolResult(content=[text(f"Done. {given['step2']}")])
    if params.request_state == "start" and "step1" in given:
        return required({"step2": form("Step 2: What is your favorite color?", "color")}, "after-1")
    return required({"step1": form("Step 1: What is your name?", "name")}, "start")


async def what_the_client_can(context: Context, params: types.CallToolRequestParams) -> Called:
    questions: dict[str, Asked] = {
        "elicitation": form("What is your name?", "name"),
        "sampling": sample("Say something."),
        "roots": ROOTS,
    }
    absent = missing(context, *questions)
    return required({key: asked for key, asked in questions.items() if key not in absent})


def asks_in_session(request: Callable[[Context, dict[str, Any]], Awaitable[Any]]) -> Handler:
    """A tool of the older revisions: it sends the client a request of its own and waits."""

    async def handler(context: Context, params: types.CallToolRequestParams) -> Called:
        if context.protocol_version in MODERN_PROTOCOL_VERSIONS:
            return await returns(text("Only in older revisions."), is_error=True)(context, params)
        answer = await request(context, params.arguments or {})
        return types.CallToolResult(content=[text(str(answer))])

    return handler


async def ask_model(context: Context, arguments: dict[str, Any]) -> Any:
    return await context.session.create_message(
        [types.SamplingMessage(role="user", content=text(arguments["prompt"]))], max_tokens=100
    )


async def ask_person(context: Context, arguments: dict[str, Any]) -> Any:
    message = arguments.get("message", "Please answer.")
    return await context.session.elicit_form(message, schema("name"))


NO_ARGUMENTS: Schema = {"type": "object", "properties": {}}
SCHEMAS: dict[str, Schema] = {
    "json_schema_2020_12_tool": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "addressDef",
                "type": "object",
                "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
            }
        },
        "properties": {
            "name": {"type": "string"},
            "address": {"$ref": "#/$defs/address"},
            "contactMethod": {"type": "string", "enum": ["phone", "email"]},
            "phone": {"type": "string"},
            "email": {"type": "string"},
        },
        "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
        "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
        "then": {"required": ["phone"]},
        "else": {"required": ["email"]},
        "additionalProperties": False,
    },
    "test_headers": {
        "type": "object",
        "properties": {"region": {"type": "string", "x-mcp-header": "Region"}},
    },
    "test_sampling": {"type": "object", "properties": {"prompt": {"type": "string"}}},
    "test_elicitation": {"type": "object", "properties": {"message": {"type": "string"}}},
}
NAME = form("What is your name?", "name")
OK = form("Please confirm", "ok", "boolean")
TOOLS: dict[str, Handler] = {
    "test_simple_text": returns(text("This is a simple text response for testing.")),
    "test_image_content": returns(image()),
    "test_audio_content": returns(
        types.AudioContent(type="audio", data=WAV, mime_type="audio/wav")
    ),
    "test_embedded_resource": returns(
        resource("test://embedded-resource", "This is an embedded resource content.")
    ),
    "test_multiple_content_types": returns(
        text("Multiple content types test:"),
        image(),
        resource("test://mixed-content-resource", '{"test":"data"}', "application/json"),
    ),
    "test_error_handling": returns(
        text("This tool intentionally returns an error for testing"), is_error=True
    ),
    "test_tool_with_progress": with_progress,
    "test_tool_with_logging": with_logging,
    "test_logging_tool": with_logging,
    "test_missing_capability": needs_sampling,
    "test_streaming_elicitation": asks({"name": NAME}),
    "test_input_required_result_elicitation": asks({"user_name": NAME}),
    "test_input_required_result_sampling": asks(
        {"capital_question": sample("What is the capital of France?")}
    ),
    "test_input_required_result_list_roots": asks({"client_roots": ROOTS}),
    "test_input_required_result_request_state": asks({"confirm": OK}, "asked", "state-ok"),
    "test_input_required_result_tampered_state": asks({"confirm": OK}, "asked"),
    "test_input_required_result_multiple_inputs": asks(
        {"user_name": NAME, "greeting": sample("Generate a greeting", 50), "client_roots": ROOTS},
        "asked",
    ),
    "test_input_required_result_multi_round": in_rounds,
    "test_input_required_result_capabilities": what_the_client_can,
    "test_sampling": asks_in_session(ask_model),
    "test_elicitation": asks_in_session(ask_person),
    "test_elicitation_sep1034_defaults": asks_in_session(ask_person),
    "test_elicitation_sep1330_enums": asks_in_session(ask_person),
    "json_schema_2020_12_tool": returns(text("Done.")),
    "test_headers": returns(text("Done.")),
}
