"""Envelope of a JSON-RPC message: what MCP demands of it, looked at before the SDK reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Characters of an id, which is sent back, and of a method's name, which errors repeat.
LONGEST = 256


def fault(message: Mapping[str, Any]) -> str:
    """Why this is no message of JSON-RPC as MCP has it; empty if it is one.

    The SDK takes whatever passes: it would tell its own faults in pydantic's words.
    """
    if message.get("jsonrpc") != "2.0":
        return 'This is not JSON-RPC 2.0: a message says "jsonrpc": "2.0".'
    if "method" in message:
        return _fault_of_request(message)
    if "result" in message or "error" in message:
        return _fault_of_response(message)
    return "A message has a method, or it is a response with a result or an error."


def _fault_of_request(message: Mapping[str, Any]) -> str:
    method = message["method"]
    if not isinstance(method, str):
        return "The method of a message is a string."
    if len(method) > LONGEST:
        return f"A method's name has at most {LONGEST} characters. This begins {method[:40]!r}."
    if "id" in message and not is_id(message["id"]):
        return (
            f"The id of a request is a string of at most {LONGEST} characters or an integer. A "
            "notification has none."
        )
    if not isinstance(message.get("params"), dict | None):
        return "The params of a message are an object."
    return ""


def _fault_of_response(message: Mapping[str, Any]) -> str:
    error = message.get("error")
    if not is_id(message.get("id")) and not ("error" in message and message.get("id") is None):
        return "A response has the id of its request."
    if "error" not in message:
        return (
            "" if isinstance(message["result"], dict) else "The result of a response is an object."
        )
    if not isinstance(error, dict) or not _is_error(error):
        return "The error of a response is an object with an integer as code and a message."
    return ""


def _is_error(error: Mapping[str, Any]) -> bool:
    code = error.get("code")
    is_number = isinstance(code, int) and not isinstance(code, bool)
    return is_number and isinstance(error.get("message"), str)


def is_id(value: Any) -> bool:
    """Whether this can be the id of a request, and be sent back."""
    is_allowed = isinstance(value, str | int) and not isinstance(value, bool)
    return is_allowed and len(str(value)) <= LONGEST
