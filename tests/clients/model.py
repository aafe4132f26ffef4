"""A model that plays a part: unless it is given another, it calls crm_search once and ends.

Clients that call tools only for a model are pointed at it. It speaks the dialects of Anthropic's
Messages, OpenAI's Responses and Chat Completions, and Gemini's generateContent.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

DONE = "Done."
OURS = re.compile(r"(crm_[a-z]+|list_actions)$")

Events = Iterator[tuple[str, dict[str, Any]]]


# From the results so far to the next call, or to the last words.
Part = Callable[[list[str]], "tuple[str, dict[str, Any]] | str"]


@dataclass(frozen=True)
class OneCall:
    """The part of one call, and the last words."""

    tool: str
    arguments: dict[str, Any]

    def __call__(self, results: list[str]) -> tuple[str, dict[str, Any]] | str:
        return DONE if results else (self.tool, self.arguments)


SEARCH = OneCall("crm_search", {"entity": "leads", "limit": 1})


class Seen:
    """What the client of the moment offered and brought back."""

    def __init__(self, part: Part = SEARCH) -> None:
        self.tools: set[str] = set()
        self.results: list[str] = []
        self._part = part

    def step(self, names: list[str], results: list[str]) -> tuple[str, dict[str, Any]] | str:
        """The next call, by the client's name of the tool, or the last words."""
        offered = {each[0]: name for name in names if (each := OURS.search(name))}
        self.tools |= set(offered.values())
        self.results += results
        step = self._part(results) if offered else DONE
        if isinstance(step, str):
            return step
        if step[0] not in offered:
            return f"This token has no {step[0]}: it may only read."
        return offered[step[0]], step[1]


class Model(BaseHTTPRequestHandler):
    seen: ClassVar[Seen] = Seen()

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        if self.path.endswith("/chat/completions"):
            self._json(completion(asked, self.seen))
        elif self.path.endswith("/messages") and not asked.get("stream"):
            self._json(anthropic_message(asked, self.seen))
        elif "/messages" in self.path and "count_tokens" not in self.path:
            self._stream(anthropic(asked, self.seen))
        elif self.path.endswith("/responses"):
            self._stream(responses(asked, self.seen))
        elif "streamGenerateContent" in self.path:
            self._stream(("", each) for each in gemini(asked, self.seen))
        elif "generateContent" in self.path:
            self._json(next(gemini(asked, self.seen)))
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


def anthropic(asked: dict[str, Any], seen: Seen) -> Events:
    names = [each.get("name", "") for each in asked.get("tools", [])]
    said = [part for each in asked["messages"] for part in each["content"]]
    results = [each for each in said if isinstance(each, dict) and each["type"] == "tool_result"]
    step = seen.step(names, [json.dumps(each["content"]) for each in results])
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
    if isinstance(step, str):
        block: dict[str, Any] = {"type": "text", "text": ""}
        delta, reason = {"type": "text_delta", "text": step}, "end_turn"
    else:
        call = f"toolu_{len(results) + 1}"
        block = {"type": "tool_use", "id": call, "name": step[0], "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(step[1])}
        reason = "tool_use"
    named = {"index": 0}
    yield "content_block_start", {"type": "content_block_start", "content_block": block, **named}
    yield "content_block_delta", {"type": "content_block_delta", "delta": delta, **named}
    yield "content_block_stop", {"type": "content_block_stop", **named}
    stop = {"stop_reason": reason, "stop_sequence": None}
    yield "message_delta", {"type": "message_delta", "delta": stop, "usage": usage}
    yield "message_stop", {"type": "message_stop"}


def anthropic_message(asked: dict[str, Any], seen: Seen) -> dict[str, Any]:
    """The same in one piece, for who asks for no stream."""
    events = dict(anthropic(asked, seen))
    block = events["content_block_start"]["content_block"]
    delta = events["content_block_delta"]["delta"]
    if block["type"] == "text":
        block["text"] = delta["text"]
    else:
        block["input"] = json.loads(delta["partial_json"])
    stop = events["message_delta"]["delta"]
    return {**events["message_start"]["message"], **stop, "content": [block]}


def completion(asked: dict[str, Any], seen: Seen) -> dict[str, Any]:
    names = [each["function"]["name"] for each in asked.get("tools", [])]
    results = [each["content"] for each in asked["messages"] if each["role"] == "tool"]
    step = seen.step(names, results)
    message: dict[str, Any] = {"role": "assistant", "content": None}
    if isinstance(step, str):
        message["content"] = step
    else:
        call = {"name": step[0], "arguments": json.dumps(step[1])}
        message["tool_calls"] = [
            {"id": f"call_{len(results) + 1}", "type": "function", "function": call}
        ]
    reason = "stop" if isinstance(step, str) else "tool_calls"
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    choice = {"index": 0, "message": message, "finish_reason": reason}
    return {"id": "chat_1", "object": "chat.completion", "choices": [choice], "usage": usage}


def responses(asked: dict[str, Any], seen: Seen) -> Events:
    # A client may keep the tools of a server in a namespace of their own.
    offered = {}
    for each in asked.get("tools", []):
        for tool in each.get("tools", [each]):
            space = {"namespace": each["name"]} if "tools" in each else {}
            offered[tool.get("name", "")] = space
    results = [each for each in asked["input"] if each.get("type") == "function_call_output"]
    step = seen.step(list(offered), [json.dumps(each["output"]) for each in results])
    answer = {"id": "resp_1", "object": "response", "status": "completed", "output": []}
    yield "response.created", {"type": "response.created", "response": answer}
    if isinstance(step, str):
        text = {"type": "output_text", "text": step, "annotations": []}
        item: dict[str, Any] = {"type": "message", "id": "m_1", "role": "assistant"}
        item |= {"content": [text]}
    else:
        number = len(results) + 1
        item = {"type": "function_call", "id": f"fc_{number}", "call_id": f"call_{number}"}
        item |= {"name": step[0], "arguments": json.dumps(step[1]), **offered[step[0]]}
    done = {"type": "response.output_item.done", "output_index": 0, "item": item}
    yield "response.output_item.done", done
    usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    completed = {**answer, "output": [item], "usage": usage}
    yield "response.completed", {"type": "response.completed", "response": completed}


def gemini(asked: dict[str, Any], seen: Seen) -> Iterator[dict[str, Any]]:
    declared = [each.get("functionDeclarations", []) for each in asked.get("tools", [])]
    names = [each["name"] for group in declared for each in group]
    parts = [part for each in asked["contents"] for part in each["parts"]]
    results = [each["functionResponse"] for each in parts if "functionResponse" in each]
    step = seen.step(names, [json.dumps(each["response"]) for each in results])
    part: dict[str, Any] = {"text": step}
    if not isinstance(step, str):
        part = {"functionCall": {"name": step[0], "args": step[1]}}
    content = {"role": "model", "parts": [part]}
    usage = {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}
    candidate = {"content": content, "finishReason": "STOP", "index": 0}
    yield {"candidates": [candidate], "usageMetadata": usage}
