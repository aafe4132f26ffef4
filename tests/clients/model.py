"""A model that plays a part: it calls one tool once, and says that it is done.

Clients that call tools only for a model are pointed at it. It speaks the dialects of Anthropic's
Messages, OpenAI's Responses and Gemini's generateContent.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

DONE = "Done."

Events = Iterator[tuple[str, dict[str, Any]]]


@dataclass(frozen=True)
class Part:
    """The call that it makes."""

    tool: str
    arguments: dict[str, Any]


SEARCH = Part("crm_search", {"entity": "leads", "limit": 1})


class Seen:
    """What the client of the moment offered and brought back."""

    def __init__(self) -> None:
        self.tools: set[str] = set()
        self.results: list[str] = []


class Model(BaseHTTPRequestHandler):
    seen: ClassVar[Seen] = Seen()
    part: ClassVar[Part] = SEARCH

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        if "/messages" in self.path and "count_tokens" not in self.path:
            self._stream(anthropic(asked, self.seen, self.part))
        elif self.path.endswith("/responses"):
            self._stream(responses(asked, self.seen, self.part))
        elif "streamGenerateContent" in self.path:
            self._stream(("", each) for each in gemini(asked, self.seen, self.part))
        elif "generateContent" in self.path:
            self._json(next(gemini(asked, self.seen, self.part)))
        else:
            self._json({"input_tokens": 1})

    def do_GET(self) -> None:
        self._json({"data": [], "models": []})

    def _json(self, body: dict[str, Any]) -> None:
        self._answer("application/json", json.dumps(body).encode())

    def _stream(self, events: Events) -> None:
        lines = [
            (f"event: {name}\n" if name else "") + f"data: {json.dumps(body)}\n\n"
            for name, body in events
        ]
        self._answer("text/event-stream", "".join(lines).encode())

    def _answer(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the report says what was seen."""


@contextmanager
def playing() -> Iterator[str]:
    """The address of the model, until the end of the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def anthropic(asked: dict[str, Any], seen: Seen, part: Part) -> Events:
    tool = _offered([each.get("name", "") for each in asked.get("tools", [])], seen, part)
    said = [part for each in asked["messages"] for part in each["content"]]
    results = [each for each in said if isinstance(each, dict) and each["type"] == "tool_result"]
    seen.results += [json.dumps(each["content"]) for each in results]
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude"}
    usage = {"input_tokens": 1, "output_tokens": 1}
    start: dict[str, Any] = {
        **message,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    yield "message_start", {"type": "message_start", "message": start}
    if tool and not results:
        block: dict[str, Any] = {"type": "tool_use", "id": "toolu_1", "name": tool, "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(part.arguments)}
        reason = "tool_use"
    else:
        block, reason = {"type": "text", "text": ""}, "end_turn"
        delta = {"type": "text_delta", "text": DONE}
    named = {"index": 0}
    yield "content_block_start", {"type": "content_block_start", "content_block": block, **named}
    yield "content_block_delta", {"type": "content_block_delta", "delta": delta, **named}
    yield "content_block_stop", {"type": "content_block_stop", **named}
    stop = {"stop_reason": reason, "stop_sequence": None}
    yield "message_delta", {"type": "message_delta", "delta": stop, "usage": usage}
    yield "message_stop", {"type": "message_stop"}


def responses(asked: dict[str, Any], seen: Seen, part: Part) -> Events:
    # A client may keep the tools of a server in a namespace of their own.
    offered = {}
    for each in asked.get("tools", []):
        for tool in each.get("tools", [each]):
            space = {"namespace": each["name"]} if "tools" in each else {}
            offered[tool.get("name", "")] = space
    tool = _offered(list(offered), seen, part)
    results = [each for each in asked["input"] if each.get("type") == "function_call_output"]
    seen.results += [json.dumps(each["output"]) for each in results]
    answer = {"id": "resp_1", "object": "response", "status": "completed", "output": []}
    yield "response.created", {"type": "response.created", "response": answer}
    text = {"type": "output_text", "text": DONE, "annotations": []}
    item: dict[str, Any] = {"type": "message", "id": "m_1", "role": "assistant", "content": [text]}
    if tool and not results:
        item = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": tool}
        item |= {"arguments": json.dumps(part.arguments), **offered[tool]}
    done = {"type": "response.output_item.done", "output_index": 0, "item": item}
    yield "response.output_item.done", done
    usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    completed = {**answer, "output": [item], "usage": usage}
    yield "response.completed", {"type": "response.completed", "response": completed}


def gemini(asked: dict[str, Any], seen: Seen, part: Part) -> Iterator[dict[str, Any]]:
    declared = [each.get("functionDeclarations", []) for each in asked.get("tools", [])]
    tool = _offered([each["name"] for group in declared for each in group], seen, part)
    parts = [each for content in asked["contents"] for each in content["parts"]]
    results = [each["functionResponse"] for each in parts if "functionResponse" in each]
    seen.results += [json.dumps(each["response"]) for each in results]
    said: dict[str, Any] = {"text": DONE}
    if tool and not results:
        said = {"functionCall": {"name": tool, "args": part.arguments}}
    content = {"role": "model", "parts": [said]}
    usage = {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}
    candidate = {"content": content, "finishReason": "STOP", "index": 0}
    yield {"candidates": [candidate], "usageMetadata": usage}


def _offered(names: list[str], seen: Seen, part: Part) -> str | None:
    """The name by which the client offers the tool."""
    ours = {each for each in names if "crm_" in each or each.endswith("list_actions")}
    seen.tools |= ours
    return next((each for each in ours if each.endswith(part.tool)), None)
