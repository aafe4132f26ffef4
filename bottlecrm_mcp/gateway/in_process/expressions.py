"""SQL expressions: text without accents, digits of phone numbers, custom fields by their type."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import (
    BooleanField,
    Case,
    DateField,
    Expression,
    ExpressionWrapper,
    F,
    FloatField,
    Func,
    IntegerField,
    Q,
    TextField,
    Value,
    When,
)
from django.db.models.functions import (
    Cast,
    Concat,
    Left,
    Length,
    Substr,
)
from django.db.models.lookups import (
    Contains,
    EndsWith,
    Exact,
    GreaterThanOrEqual,
    In,
    Regex,
)

from bottlecrm_mcp.catalogue.model import Kind
from bottlecrm_mcp.gateway.shared.folding import (
    LETTERS,
    LIGATURES,
    MARKS,
    OWN_DIGITS,
    PUNCTUATION,
    can_be_misspelled,
    folded,
    phone_digits,
)

# What PostgreSQL casts without an error.
NUMBER = r"^-?\d{1,200}(\.\d{1,200})?([eE][+-]?\d{1,2})?$"
DAY = r"^[1-9]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"
BEYOND_ASCII = "octet_length({}) > length({})"
# Text without accents and typographic punctuation, and letters in the place of ligatures.
_PLAIN = {**LETTERS, **PUNCTUATION}
_WRITTEN = "".join(_PLAIN.values()).replace("'", "''")
TAKEN_APART = f"translate(normalize(lower({{}}), NFKD), '{''.join(_PLAIN)}{MARKS}', '{_WRITTEN}')"
for _ligature, _letters in LIGATURES.items():
    TAKEN_APART = f"replace({TAKEN_APART}, '{_ligature}', '{_letters}')"
# The capitals of ASCII are the same everywhere; by a locale's rules they cost twice as much.
_CAPITALS = 'lower(({}) COLLATE "C")'
FOLDED = f"CASE WHEN {BEYOND_ASCII} THEN {TAKEN_APART} ELSE {_CAPITALS} END"
# Of pg_trgm: what is spelled alike enough to be looked at.
ALIKE = 0.4


def text(expression: Any, function: str, *more: Any) -> Func:
    return Func(expression, *more, function=function, output_field=TextField())


class Repeated(Func):
    """A template in which its expression stands at each `{}`.

    One node in the place of many, which Django takes long to compile.
    """

    arity = 1

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **context: Any) -> Any:
        sql, parameters = compiler.compile(self.source_expressions[0])
        template = self.extra["template"]
        return template.replace("{}", sql), [*parameters] * template.count("{}")


class HasRow(Expression):
    """EXISTS of a row whose column `theirs` is `own`, of which the condition holds if there is one.

    The condition names the row by `alias`.
    """

    output_field = BooleanField()

    def __init__(self, own: Any, theirs: Any, alias: str, condition: Any = None) -> None:
        super().__init__()
        self.own, self.theirs, self.alias, self.condition = own, theirs, alias, condition

    def get_source_expressions(self) -> list[Any]:
        return [self.own, self.condition]

    def set_source_expressions(self, expressions: Any) -> None:
        self.own, self.condition = expressions

    def relabeled_clone(self, change_map: Any) -> Any:
        clone = super().relabeled_clone(change_map)
        clone.alias = change_map.get(self.alias, self.alias)
        return clone

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        quoted, alias = connection.ops.quote_name, compiler.quote_name_unless_alias(self.alias)
        own, parameters = compiler.compile(self.own)
        table = self.theirs.model._meta.db_table
        where = f"{alias}.{quoted(self.theirs.column)} = {own}"
        if self.condition is not None:
            held, more = compiler.compile(self.condition)
            where, parameters = f"{where} AND {held}", [*parameters, *more]
        sql = f"EXISTS (SELECT 1 FROM {quoted(table)} {alias} WHERE {where})"  # noqa: S608 (names)
        return sql, parameters


def folded_text(expression: Any) -> Func:
    """The same as `folding.folded`. Only text beyond ASCII is taken apart, which costs most."""
    return Repeated(expression, template=FOLDED, output_field=TextField())


class AnyHolds(Func):
    """Whether one of these columns holds a folded word of ASCII letters.

    One node for all columns, of which Django takes half as long as of a lookup for each.
    """

    output_field = BooleanField()

    def __init__(self, *columns: Any, word: str) -> None:
        super().__init__(*columns, word=word)

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **context: Any) -> Any:
        held: list[str] = []
        found: list[Any] = []
        like = f"%{connection.ops.prep_for_like_query(self.extra['word'])}%"
        for column in self.source_expressions:
            sql, parameters = compiler.compile(column)
            held.append(f"{FOLDED.replace('{}', sql)}::text LIKE %s")
            found += [*parameters * FOLDED.count("{}"), like]
        return f"({' OR '.join(held)})", found


def any_of(conditions: Iterable[Q]) -> Q:
    """One of these conditions: of none nothing, where Django takes an empty Q for everything."""
    return Q(*conditions, _connector=Q.OR) or Q(pk__in=())


def any_holds(names: Sequence[str], word: str) -> Q:
    """Whether one of these columns holds a word, in any case and with any accents."""
    meant = folded(word)
    if names and meant.isascii():
        return Q(AnyHolds(*names, word=meant))
    return any_of(holds_text(name, word) for name in names)


def holds_text(name: str, wanted: str) -> Q:
    """Whether a column holds this text, in any case and with any accents."""
    meant = folded(wanted)
    held = Q(Contains(folded_text(F(name)), meant))
    # Letters that have one capital in common, such as two of Greek.
    return held if meant.isascii() else held | Q(**{f"{name}__icontains": meant})


def is_text(name: str, wanted: Iterable[str]) -> Q:
    """Whether a column is one of these texts, in any case and with any accents."""
    meant = list(dict.fromkeys(map(folded, wanted)))
    plain = [each for each in meant if each and each.isascii()]
    other = [each for each in meant if each and not each.isascii()]
    # Letters that have one capital in common; and a column without text.
    same = [Q(**{f"{name}__iexact": each}) for each in meant if each not in plain]
    if other:
        same.append(Q(In(folded_text(F(name)), other)))
    if plain:
        # What is not as long need not be compared, unless it has letters of several bytes.
        length = Func(F(name), function="octet_length", output_field=IntegerField())
        beyond = Repeated(F(name), template=BEYOND_ASCII, output_field=BooleanField())
        maybe = Q(In(length, sorted({len(each) for each in plain}))) | Q(beyond)
        same.append(maybe & Q(In(folded_text(F(name)), plain)))
    return Q(*same, _connector=Q.OR)


class InAnyCase(Func):
    """Whether a column is one of these values, of ASCII letters, in any case.

    Capitals cost most, so they are compared of what is as long and not spelled as it should be;
    and of plain values PostgreSQL knows how many rows have them.
    """

    arity = 1
    output_field = BooleanField()

    def __init__(self, expression: Any, values: Sequence[str]) -> None:
        super().__init__(expression, values=tuple(values))

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **context: Any) -> Any:
        column, parameters = compiler.compile(self.source_expressions[0])
        values = self.extra["values"]
        some, capitals = (", ".join([each] * len(values)) for each in ("%s", "UPPER(%s)"))
        alike = f"octet_length({column}) IN ({some}) AND UPPER({column}) IN ({capitals})"
        found = [*parameters, *values, *parameters, *map(len, values), *parameters, *values]
        return f"({column} IN ({some}) OR ({alike}))", found


def digits(expression: Any) -> Func:
    """The digits of a phone number without the zeros in front."""
    only = text(expression, "regexp_replace", Value(r"\D"), Value(""), Value("g"))
    return text(only, "ltrim", Value("0"))


def is_phone(name: str, wanted: str) -> Q:
    """Whether a column has this number: in any spelling, with or without the country's prefix."""
    number, found = phone_digits(wanted), digits(F(name))
    if not number:
        return Q(**{f"{name}__iexact": wanted})
    same = Q(Exact(found, number)) | _is_end_of(found, number)
    if len(number) >= OWN_DIGITS:
        same |= Q(EndsWith(found, number))
    return same


def holds_phone(name: str, wanted: str) -> Q:
    number, found = phone_digits(wanted), digits(F(name))
    if not number:
        return holds_text(name, wanted)
    return Q(Contains(found, number)) | _is_end_of(found, number)


def _is_end_of(found: Func, number: str) -> Q:
    """Whether the number ends with what the column has, which is long enough to be one."""
    is_whole = Q(GreaterThanOrEqual(Length(found), OWN_DIGITS))
    return is_whole & Q(EndsWith(Value(number, output_field=TextField()), found))


def custom_value(column: str, key: str, kind: Kind) -> Expression:
    """A custom field as the type that its definition says; null where it is of another."""
    stored = text(F(column), "jsonb_extract_path_text", Value(key))
    found = text(stored, "nullif", Value(""))
    if kind is Kind.DECIMAL:
        return Case(When(Q(Regex(found, NUMBER)), then=Cast(found, FloatField())))
    if kind is Kind.BOOLEAN:
        return Case(
            When(Q(Exact(found, "true")), then=Value(True)),
            When(Q(Exact(found, "false")), then=Value(False)),
            output_field=BooleanField(null=True),
        )
    if kind is Kind.DATE:
        # A day that no calendar has, such as February 31, must not fail the others.
        first = Cast(Concat(Left(found, 7), Value("-01")), DateField())
        day = Cast(Substr(found, 9, 2), IntegerField()) - 1
        whole = ExpressionWrapper(first + day, output_field=DateField())
        return Case(When(Q(Regex(found, DAY)), then=whole), output_field=DateField(null=True))
    return found


def haystack(names: list[str]) -> Expression:
    """All that words are looked for in, folded."""
    parts: list[Any] = [F(name) for name in names]
    joined: Any = Func(Value(" "), *parts, function="concat_ws", output_field=TextField())
    return folded_text(joined)


@cache
def has_trigrams() -> bool:
    """Whether PostgreSQL's pg_trgm is installed where this process finds it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regprocedure('word_similarity(text, text)') IS NOT NULL")
        (found,) = cursor.fetchone()
    return bool(found)


def similarity(word: str, expression: Any) -> Func:
    value = Value(word, output_field=TextField())
    return Func(value, expression, function="word_similarity", output_field=FloatField())


def may_hold(name: str, word: str) -> Q:
    """Whether a column may hold this word spelled otherwise: a superset, to be looked at."""
    if not can_be_misspelled(word):
        return Q(**{f"{name}__contains": word})
    if has_trigrams():
        return Q(GreaterThanOrEqual(similarity(word, F(name)), ALIKE))
    # One wrong letter leaves the beginning, the end, or both ends as they are.
    half = max(3, len(word) // 2)
    ends = rf"\m{word[:2]}\w*{word[-2:]}\M"
    return Q(**{f"{name}__regex": f"{word[:half]}|{word[-half:]}|{ends}"})
