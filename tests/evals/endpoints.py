"""Endpoints of models, in OpenAI's or Anthropic's form: a plain loop of calls.

`OPENAI_API_KEY` and `ANTHROPIC_API_KEY` are sent where they are set.
"""

from __future__ import annotations

import json
import os
from typing import Any

import httpx2

from tests.evals.meter import Json, Meter
from tests.evals.programs import Said

MOST_STEPS = 60
MOST_TOKENS = 4_096
SYSTEM = "You work in a CRM for the person who writes. Use the tools; answer briefly."


class Endpoint:
    """`url` is where requests are posted to."""

    url: str

    def __init__(self, url: str, model: str) -> None:
        self.url = url or self.url
        self.model = model
        self.tokens_in = self.tokens_out = 0
        self._http = httpx2.AsyncClient(timeout=300)

    async def ask(self, words: str, meter: Meter, instructions: str) -> Said:
        """The task to its end. Raises `RuntimeError` if the model does not come to one."""
        tools = (await meter.list_tools()).tools
        self.begin(words, f"{SYSTEM}\n{instructions}", tools)
        for _ in range(MOST_STEPS):
            calls, answer = await self.step()
            if not calls:
                return Said(answer, self.tokens_in, self.tokens_out)
            for call, name, arguments in calls:
                result = await meter.call_tool(name, arguments)
                text = "".join(getattr(each, "text", "") for each in result.content)
                self.add(call, text, is_error=bool(result.is_error))
        raise RuntimeError(f"No end after {MOST_STEPS} steps.")

    async def post(self, body: Json, headers: dict[str, str]) -> Json:
        reply = await self._http.post(self.url, json=body, headers=headers)
        if reply.status_code >= 400:
            raise RuntimeError(f"{self.url}: {reply.status_code} {reply.text[:300]}")
        found: Json = reply.json()
        return found

    def begin(self, words: str, system: str, tools: list[Any]) -> None:
        raise NotImplementedError

    async def step(self) -> tuple[list[tuple[str, str, Json]], str]:
        """The calls that the model wants, or its last words."""
        raise NotImplementedError

    def add(self, call: str, text: str, *, is_error: bool) -> None:
        raise NotImplementedError


class OpenAi(Endpoint):
    url = "https://api.openai.com/v1/chat/completions"

    def begin(self, words: str, system: str, tools: list[Any]) -> None:
        self.tools = [
            {
                "type": "function",
                "function": {
                    "name": each.name,
                    "description": each.description,
                    "parameters": each.input_schema,
                },
            }
            for each in tools
        ]
        self.messages: list[Json] = [
            {"role": "system", "content": system},
            {"role": "user", "content": words},
        ]

    async def step(self) -> tuple[list[tuple[str, str, Json]], str]:
        key = os.environ.get("OPENAI_API_KEY", "")
        body = {"model": self.model, "messages": self.messages, "tools": self.tools}
        reply = await self.post(body, {"Authorization": f"Bearer {key}"} if key else {})
        used = reply.get("usage") or {}
        self.tokens_in += used.get("prompt_tokens", 0)
        self.tokens_out += used.get("completion_tokens", 0)
        message = reply["choices"][0]["message"]
        self.messages.append(message)
        calls = [
            (each["id"], each["function"]["name"], json.loads(each["function"]["arguments"]))
            for each in message.get("tool_calls") or ()
        ]
        return calls, message.get("content") or ""

    def add(self, call: str, text: str, *, is_error: bool) -> None:
        self.messages.append({"role": "tool", "tool_call_id": call, "content": text})


class Anthropic(Endpoint):
    url = "https://api.anthropic.com/v1/messages"

    def begin(self, words: str, system: str, tools: list[Any]) -> None:
        self.system = system
        self.tools = [
            {
                "name": each.name,
                "description": each.description,
                "input_schema": each.input_schema,
            }
            for each in tools
        ]
        self.messages: list[Json] = [{"role": "user", "content": words}]

    async def step(self) -> tuple[list[tuple[str, str, Json]], str]:
        key = os.environ.get("ANTHROPIC_API_KEY", "")
        body = {
            "model": self.model,
            "max_tokens": MOST_TOKENS,
            "system": self.system,
            "messages": self.messages,
            "tools": self.tools,
        }
        reply = await self.post(body, {"x-api-key": key, "anthropic-version": "2023-06-01"})
        used = reply.get("usage") or {}
        self.tokens_in += used.get("input_tokens", 0)
        self.tokens_out += used.get("output_tokens", 0)
        self.messages.append({"role": "assistant", "content": reply["content"]})
        parts = reply["content"]
        calls = [
            (each["id"], each["name"], each["input"])
            for each in parts
            if each["type"] == "tool_use"
        ]
        return calls, "".join(each.get("text", "") for each in parts)

    def add(self, call: str, text: str, *, is_error: bool) -> None:
        result = {"type": "tool_result", "tool_use_id": call, "content": text}
        if is_error:
            result |= {"is_error": True}  # type: ignore[dict-item]
        if self.messages[-1]["role"] == "user":
            self.messages[-1]["content"].append(result)
        else:
            self.messages.append({"role": "user", "content": [result]})


ENDPOINTS: dict[str, type[Endpoint]] = {"openai": OpenAi, "anthropic": Anthropic}
PATHS = {"openai": "chat/completions", "anthropic": "messages"}
