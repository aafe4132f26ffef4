"""Serializer fields that take a value in one spelling only, since a credential hangs on it."""

import re
from typing import Any

from rest_framework import serializers

# `int` takes full-width digits, signs, underscores and spaces as well.
PLAIN = re.compile(r"-?[0-9]{1,9}", re.ASCII)


class WholeNumberField(serializers.IntegerField):
    """A whole number of JSON, or its decimal digits as a form sends them."""

    def to_internal_value(self, data: Any) -> int:
        is_plain = isinstance(data, str) and PLAIN.fullmatch(data)
        if not is_plain and (isinstance(data, bool) or not isinstance(data, int)):
            self.fail("invalid")
        value: int = super().to_internal_value(data)
        return value


class TrueField(serializers.Field[Any, Any, Any, Any]):
    """`true` and nothing that looks like it: for what can't be undone."""

    default_error_messages = {"invalid": "Must be true."}

    def to_internal_value(self, data: Any) -> bool:
        if data is not True:
            self.fail("invalid")
        return True

    def to_representation(self, value: Any) -> Any:
        return value
