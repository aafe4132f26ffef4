"""JSON as callers send it: anything that can't be read or stored is refused in words."""

import json
from typing import Any, NoReturn

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

MAX_BODY_BYTES = 100_000


def loads(body: bytes) -> Any:
    """What the body says. Raises ValueError, whose message says what is wrong with it."""
    try:
        value = json.loads(body.decode(), parse_constant=_refuse_constant)
        # A lone surrogate can be written as an escape, but no answer and no database can hold it.
        json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("It is nested too deeply.") from None
    except UnicodeError:
        raise ValueError("It holds text that is not Unicode.") from None
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON.")


class BoundedJSONParser(JSONParser):
    """DRF's, for bodies that are short, flat and UTF-8."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        """Raises `ParseError` for what is too long or no JSON."""
        body = stream.read(MAX_BODY_BYTES + 1)
        if len(body) > MAX_BODY_BYTES:
            raise ParseError(f"The body is longer than {MAX_BODY_BYTES} bytes.")
        try:
            return loads(body)
        except ValueError as error:
            raise ParseError(f"The body is not JSON: {error}") from error
