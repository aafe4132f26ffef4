"""Fields for numbers and flags as JSON and forms spell them; nothing that merely stands for one.

Python and DRF take more: digits of other scripts, underscores, spaces, "yes" for true.
"""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from rest_framework import serializers

WHOLE_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})")


class WholeNumberField(serializers.IntegerField):
    """A JSON integer, or its decimal digits as text."""

    default_error_messages = {"invalid": "A whole number in decimal digits, such as 30."}

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, str) and WHOLE_NUMBER.fullmatch(data):
            return int(data)
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return data


class FlagField(serializers.BooleanField):
    """JSON's true or false."""

    default_error_messages = {"invalid": "true or false, without quotes."}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class WholeNumberFormField(forms.IntegerField):
    """Decimal digits."""

    def to_python(self, value: Any) -> int | None:
        if isinstance(value, str) and value and not WHOLE_NUMBER.fullmatch(value):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)
