"""Gateway interface: how a request reaches the CRM, whichever way is taken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bottlecrm_mcp.catalogue.model import Effect, Entity, Field, Included, Kind

OUTCOME_UNKNOWN = (
    "Whether the CRM did this is not known: look at the record before you try it again."
)


# What every token begins with; so much more of it may be shown.
TOKEN_PREFIX = "bcrm_pat_"
SHOWN_CHARACTERS = 4
# Rows of a search that does not say how many.
DEFAULT_LIMIT = 20
# How far matches are counted: beyond, a count costs more than the rows.
MOST_COUNTED = 10_000


class GatewayError(Exception):
    """The CRM could not be asked, or its answer could not be trusted.

    `code` is one word for programs, the message a sentence for people. Raised for faults of the
    way to the CRM only; what the CRM answered, errors included, is a `Reply`. `retry_after` is
    how many seconds the CRM asked to wait, if it did.
    """

    def __init__(self, code: str, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.retry_after = retry_after


class RecordChanged(GatewayError):
    """Somebody changed the record after the call had read it; nothing was written."""

    def __init__(self) -> None:
        super().__init__(
            "conflict",
            "Others kept changing this record while the call was made. Nothing was changed; look "
            "at the record, and try again.",
        )


@dataclass(frozen=True)
class LeftToday:
    """What is left of a daily limit: how many of what, and what is said beyond it."""

    count: int
    name: str
    reached: str


@dataclass(frozen=True)
class Caller:
    """The person that a token acts as, and what the token may do.

    `read_only` is the organisation's reason if it lets no token write; `sealed` says that it wants
    confirmations with the preview's seal. `by_oauth` says that the token is a connection's, whose
    client can ask the person for more; `client_host` is where that client takes its codes.
    """

    profile_id: str
    name: str
    email: str
    role: str
    org_id: str
    org_name: str
    timezone: str
    user_id: str = ""
    token_id: str = ""
    scopes: tuple[str, ...] = ()
    read_only: str = ""
    sealed: bool = False
    by_oauth: bool = False
    client_host: str = ""
    # Of `pat_tokens`, and so to be found again without its secret.
    own_token: bool = False
    # When the secret was made, which a rotation changes; empty for a connection, whose access
    # tokens change all the time.
    secret_since: str = field(default="", compare=False)
    # What the log calls the token; nothing follows from it.
    token_name: str = field(default="", compare=False)
    token_prefix: str = field(default="", compare=False)
    # Of which daily limits little is left, in words.
    little_left: tuple[str, ...] = field(default=(), compare=False)
    # By "writes", "deletes" and "mails"; empty where it is not known without asking.
    left_today: Mapping[str, LeftToday] = field(default_factory=dict, compare=False)

    @property
    def is_admin(self) -> bool:
        return self.role == "ADMIN"

    @property
    def zone(self) -> ZoneInfo:
        """The organisation's time zone; UTC where it is none."""
        try:
            return ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo("UTC")

    @property
    def only_reads(self) -> bool:
        """Whether the token can change nothing, by its scopes or by the organisation's policy."""
        named = bool(self.scopes) and all(each.endswith(":read") for each in self.scopes)
        return named or bool(self.read_only)

    @property
    def access(self) -> str:
        """What the token may do, in words."""
        if self.only_reads:
            return "read only"
        every = not self.scopes or {"*:read", "*:write"} <= set(self.scopes)
        return "read and write" if every else "some kinds of record"

    def may(self, resource: str, action: str) -> bool:
        """Whether the token's scopes cover `read` or `write` of a resource.

        The grammar is BottleCRM's: an empty list is unrestricted, write does not imply read. This
        only decides what is offered; the CRM checks every request again.
        """
        wanted = {f"{resource}:{action}", f"*:{action}"}
        return not self.scopes or not wanted.isdisjoint(self.scopes)


@dataclass(frozen=True)
class Reply:
    """What the CRM answered: HTTP status and decoded JSON, None where the body was not JSON.

    `created_id` is the id of the record that a create made, where the gateway could see it;
    `candidates` are the records that may be it, where it could not be told. `record` is the record
    as a write left it, where that was asked for and seen. `maybe_kept` says that
    a refused write may have left something behind. `unsent` are the background tasks that the CRM
    wanted done and that did not reach its message broker.
    """

    status: int
    data: Any = None
    created_id: str = ""
    candidates: tuple[Mapping[str, Any], ...] = ()
    record: Mapping[str, Any] | None = None
    maybe_kept: bool = False
    unsent: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return self.status < 400


Read = Callable[[str, Mapping[str, Any]], Reply]


@dataclass(frozen=True)
class Condition:
    """One filter as understood: `value` is a JSON scalar, or a tuple of them for some operators.

    `operator` is one of `eq`, `in`, `not_in` (which no value is, too), `gt`, `gte`, `lt`, `lte`,
    `outside` of two bounds (which no value is, too), `contains`, `is_empty`, `any` (of `ANY`: the
    value holds alternatives, tuples of conditions) and `related` (the value is `Related`). Ids
    stand for relations, ISO strings with an offset for moments, ISO dates for days.
    """

    field: Field
    operator: str
    value: Any

    @property
    def key(self) -> str:
        name = self.field.name
        return name if self.operator in ("eq", "in", "any") else f"{name}__{self.operator}"


# What a condition of alternatives is about.
ANY = Field("any", Kind.OBJECTS)


@dataclass(frozen=True)
class Related:
    """Records of another entity that the caller sees, and of which all conditions hold."""

    entity: Entity
    conditions: tuple[Condition, ...]


def each_condition(conditions: Iterable[Condition]) -> Iterator[Condition]:
    """The conditions on fields of the entity itself, those of alternatives among them."""
    for condition in conditions:
        if condition.operator == "any":
            for alternative in condition.value:
                yield from each_condition(alternative)
        else:
            yield condition


@dataclass(frozen=True)
class RowQuery:
    """A search as understood: which rows, in which order, with which fields.

    `either` are alternatives: all conditions of one of them hold, too. `exact` asks for a total
    that is counted to the end; without `counted` it is that of the rows. `similar` is how many rows
    are wanted whose words are only spelled like those of `query`, or of `alike`, where fewer are
    found.
    """

    columns: tuple[Field, ...]
    query: str = ""
    conditions: tuple[Condition, ...] = ()
    either: tuple[tuple[Condition, ...], ...] = ()
    sort: tuple[tuple[Field, bool], ...] = ()
    limit: int = DEFAULT_LIMIT
    offset: int = 0
    exact: bool = False
    counted: bool = True
    similar: int = 0
    alike: str = ""


@dataclass(frozen=True)
class Page:
    """Rows of a search and how many there are in all, or `more` than that.

    `limits` are sentences on what this way to the CRM could not do. `similar` are rows more, not
    counted, whose words are only spelled alike: the likeliest first.
    """

    rows: Sequence[Mapping[str, Any]]
    total: int
    limits: tuple[str, ...] = ()
    more: bool = False
    similar: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Grouping:
    """A field to group by; dates are grouped by a `period`: day, week, month, quarter or year.

    `through` is the relation, and the entity that it points to, if the field is of that. `holds`
    makes two groups: those records of which the conditions hold, and the others. `folded` puts
    together what differs by case, accents or the separators of a phone number only.
    """

    field: Field
    period: str = ""
    through: tuple[Field, Entity] | None = None
    holds: tuple[Condition, ...] = ()
    folded: bool = False

    @property
    def key(self) -> str:
        name = f"{self.through[0].name}.{self.field.name}" if self.through else self.field.name
        return f"{name}:{self.period}" if self.period else name


@dataclass(frozen=True)
class Measure:
    """What to compute for each group.

    `count`; `sum`, `avg`, `min`, `max` of a field, or of the days from it `until` another;
    `values`, how many records have any; `share`, the part of the records of which the conditions
    `holds` hold, named `label`.
    """

    function: str
    field: Field | None = None
    until: Field | None = None
    holds: tuple[Condition, ...] = ()
    label: str = ""

    @property
    def key(self) -> str:
        if self.function == "share":
            return f"share:{self.label}"
        if self.field and self.until:
            return f"{self.function}:days:{self.field.name}:{self.until.name}"
        return f"{self.function}:{self.field.name}" if self.field else self.function


@dataclass(frozen=True)
class SummaryQuery:
    """A summary as understood; `limit` bounds the groups.

    Without `counted` only the groups are asked for: neither how many there are, nor totals.
    """

    groupings: tuple[Grouping, ...]
    measures: tuple[Measure, ...]
    conditions: tuple[Condition, ...] = ()
    limit: int = 100
    counted: bool = True


@dataclass(frozen=True)
class Summary:
    """Groups as `{key: value}` of groupings and measures, how many there are in all, and the same
    measures over all records: one row, or one for each currency."""

    groups: Sequence[Mapping[str, Any]]
    group_count: int
    totals: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class LiveField:
    """What the CRM's own write serializer says of a field, for this caller and organisation."""

    name: str
    kind: str
    required: bool
    read_only: bool
    choices: Sequence[tuple[Any, str]] = field(default_factory=tuple)
    max_length: int | None = None
    minimum: Any = None
    maximum: Any = None
    help_text: str = ""


@dataclass(frozen=True)
class WriteKey:
    """A client's own name for one write.

    `digest` is of the tool and its arguments, `record_id` that of the record where it is known
    beforehand. One of several writes of a call has what it adds to the call's own key behind a
    colon, and the first of them in `call` the digest of that call's arguments.
    """

    key: str
    digest: str
    tool: str
    entity: str
    record_id: str = ""
    call: str = ""


@dataclass(frozen=True)
class EarlierWrite:
    """What is known of a write that was made under a key: the id of the record, which may be empty,
    and the background tasks that are not known to have reached the message broker. `digest` is that
    of its key."""

    record_id: str
    unsent: tuple[str, ...] = ()
    digest: str = ""


KEY_REUSED = GatewayError(
    "key_reused",
    "This idempotency_key was used for another call within the last 24 hours. Nothing was changed; "
    "use a new key for a new call.",
)


class WrittenBefore(Exception):
    """The write was made before under its key, and was not made again."""

    def __init__(self, earlier: EarlierWrite) -> None:
        super().__init__("written before")
        self.earlier = earlier


@dataclass(frozen=True)
class Subject:
    """The record that a write is about; without an id, the one that it makes.

    `columns` are what the write is to read back of it, `before` is what the call has read of it,
    and `fields` are the names of those that are sent.
    """

    entity: Entity
    record_id: str = ""
    columns: Sequence[Field] = ()
    before: Mapping[str, Any] = field(default_factory=dict)
    fields: Sequence[str] = ()


@dataclass(frozen=True)
class Written:
    """What a write did, as far as it can be told within its transaction: to which record, and the
    names of the fields that changed."""

    record_id: str = ""
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dependents:
    """What goes with a record that is deleted: how many of each kind, and a digest of them all.

    `counts` are by the names of entities, or the CRM's own plurals of what is no entity, and hold
    also what the caller can't see. There are so many that not all are known where it is not
    `is_complete`. `named` are some of those that only belong to the record, such as comments.
    """

    counts: Mapping[str, int] = field(compare=False)
    digest: str
    is_complete: bool = True
    named: Mapping[str, Sequence[str]] = field(default_factory=dict, compare=False)


class Watched:
    """A record that a write is to find as the call read it.

    `dependents` are there after the first read, where they are watched too.
    """

    dependents: Dependents | None = None


class Refused(Exception):
    """The CRM refused a search; `reply` is its answer."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"the CRM answered {reply.status}")
        self.reply = reply


class NotAvailable(Exception):
    """This gateway can't do what was asked; the message says what can be done instead."""


def page_or_reason(
    page: Callable[[Entity, RowQuery], Page], entity: Entity, query: RowQuery
) -> Page | NotAvailable | Refused:
    """The page, or the error that says why there is none, as a value."""
    try:
        return page(entity, query)
    except (NotAvailable, Refused) as reason:
        return reason


class Gateway(Protocol):
    """A way to the CRM for one caller.

    Every method may raise `GatewayError`. Nothing here decides what the caller may do: the CRM
    does.
    """

    def read(self, path: str, parameters: Mapping[str, Any] | None = None) -> Reply:
        """GET `path`, with query parameters (a list repeats one)."""

    def write(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        subject: Subject | None = None,
        key: WriteKey | None = None,
        watched: Iterable[Watched | None] = (),
        effects: Iterable[Effect] = (),
    ) -> Reply:
        """Send a write. A status of 400 or more means that nothing was changed, where the gateway
        can promise it. `effects` are those that were confirmed, for what is counted of them. Raises
        `WrittenBefore` and `RecordChanged` where that is so."""

    def refused_deletion(self, path: str, body: Mapping[str, Any] | None = None) -> Reply | None:
        """What the CRM would answer to this DELETE, if it would refuse it. Nothing is deleted."""

    def watch(
        self, entity: Entity, record_id: str, *, with_dependents: bool = False
    ) -> Watched | None:
        """A record to be read from now on, and then written to, which nobody may change meanwhile,
        nor what goes with it; None where this way to the CRM can't see that."""

    def watch_part(self, entity: Entity, record_id: str, part_id: str) -> Watched | None:
        """The same of something that belongs to a record, such as a comment."""

    def written_before(self, entity: Entity, key: WriteKey) -> EarlierWrite | None:
        """The write that was made under this key in the last 24 hours."""

    def writes_under(self, entity: Entity, key: str) -> Mapping[str, EarlierWrite]:
        """The writes of the last 24 hours whose keys begin with this one, by what follows a colon
        there; under an empty name the one of the key itself."""

    def seconds_left(self) -> float:
        """How much longer the call may take; none once its client has left."""

    def page(self, entity: Entity, query: RowQuery) -> Page:
        """The rows of a search. Raises `NotAvailable` or `Refused`."""

    def pages(
        self, searches: Sequence[tuple[Entity, RowQuery]]
    ) -> list[Page | NotAvailable | Refused]:
        """The page of each search, or why there is none."""

    def summarize(self, entity: Entity, query: SummaryQuery) -> Summary:
        """Counts and sums over the records of a search. Raises `NotAvailable` or `Refused`."""

    def referred(
        self, entity: Entity, field: Field, wanted: str, *, by_id: bool
    ) -> Sequence[Mapping[str, str]]:
        """What this relation of the records in the caller's list points to, as `{id, name}`: of the
        id `wanted`, or of a name that holds its words. A few of them, none where it can't be told.
        """

    def find(
        self, entity: Entity, ids: Sequence[str], columns: Sequence[Field]
    ) -> Mapping[str, Mapping[str, Any]]:
        """Those of the given ids that the caller's list holds, with the given fields, by id.

        What is missing here may still be reachable by its own path: lists leave records out.
        """

    def finds(self, field: Field) -> bool:
        """Whether `find` gives this field; else only the record's own path does."""

    def attached(
        self, entity: Entity, record_id: str, part: Included
    ) -> Sequence[Mapping[str, Any]] | None:
        """The rows of a `part` that has a model, newest first; None where only the record's detail
        view can tell."""

    def live_fields(self, entity: Entity, *, update: bool) -> Mapping[str, LiveField] | None:
        """The write serializer's fields, or None where they can't be had."""
