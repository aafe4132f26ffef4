from django.db import migrations, models
from django.db.models import Q

from pat_tokens.migrations._row_security import IN_ORGANISATION, PROTECT, UNPROTECT, Protect
from pat_tokens.models.expiry import EXPIRY_CEILING, validate_expiry

NEWEST = ("-created_at", "-id")

# Forced row-level security binds the owner of the table too, who without the first line would
# update no row. Nobody else sees the table until the transaction ends.
CLAMP_EXPIRY = f"""
ALTER TABLE pat_tokens_token NO FORCE ROW LEVEL SECURITY;
UPDATE pat_tokens_token SET expires_at = timestamptz '{EXPIRY_CEILING}' - interval '1 second'
    WHERE expires_at >= timestamptz '{EXPIRY_CEILING}';
ALTER TABLE pat_tokens_token FORCE ROW LEVEL SECURITY;
"""  # noqa: S608 (constants of this app)

# An entry can be removed only where `local_setting.pruning` says how old it has to be, and never
# within its first 30 days.
EVENT_POLICY = f"""
CREATE POLICY pat_tokens_event_prune ON pat_tokens_event FOR DELETE USING (
    {IN_ORGANISATION}
    AND created_at < (SELECT NULLIF(current_setting('pat_tokens.prune_before', true), '')
        ::timestamptz)
    AND created_at < (SELECT now() - interval '30 days'));
"""
NO_EVENT_POLICY = "DROP POLICY pat_tokens_event_prune ON pat_tokens_event;"

COUNT_POLICY = f"""
{PROTECT.format(table="pat_tokens_refusalcount")}
CREATE POLICY pat_tokens_refusalcount_organisation ON pat_tokens_refusalcount
    USING ({IN_ORGANISATION}) WITH CHECK ({IN_ORGANISATION});
"""
NO_COUNT_POLICY = f"""
DROP POLICY pat_tokens_refusalcount_organisation ON pat_tokens_refusalcount;
{UNPROTECT.format(table="pat_tokens_refusalcount")}
"""


def index_events(name: str, *fields: str) -> migrations.AddIndex:
    index = models.Index(fields=["org_id", *fields, *NEWEST], name=f"pat_tokens_event_by_{name}")
    return migrations.AddIndex("Event", index)


def index_tokens(name: str, condition: Q | None = None) -> migrations.AddIndex:
    fields = ["org_id", *NEWEST]
    index = models.Index(fields=fields, name=f"pat_tokens_token_{name}", condition=condition)
    return migrations.AddIndex("Token", index)


class Migration(migrations.Migration):
    dependencies = [("pat_tokens", "0001_initial")]

    operations = [
        Protect(CLAMP_EXPIRY, migrations.RunSQL.noop),
        migrations.AlterField(
            "Token",
            "expires_at",
            models.DateTimeField(blank=True, null=True, validators=[validate_expiry]),
        ),
        migrations.AddConstraint(
            "Token",
            models.CheckConstraint(
                condition=Q(expires_at=None) | Q(expires_at__lt=EXPIRY_CEILING),
                name="pat_tokens_token_expiry",
            ),
        ),
        # An index below begins with it.
        migrations.AlterField("Token", "org_id", models.UUIDField(editable=False)),
        index_tokens("of_org"),
        index_tokens("unrevoked", Q(revoked_at=None)),
        migrations.RemoveIndex("Event", "pat_tokens_event_newest"),
        index_events("time"),
        index_events("actor", "actor_id"),
        index_events("token", "token_id"),
        index_events("kind", "kind"),
        index_events("entity", "entity"),
        migrations.AlterField(
            "Event",
            "kind",
            models.CharField(
                choices=[
                    ("created", "Created"),
                    ("adopted", "Adopted"),
                    ("new_address", "used from a new address"),
                    ("rotated", "Rotated"),
                    ("expired", "Expired"),
                    ("revoked", "Revoked"),
                    ("refused", "Refused"),
                    ("policy", "policy changed"),
                    ("write", "Write"),
                    ("pruned", "old entries removed"),
                ],
                editable=False,
                max_length=20,
            ),
        ),
        migrations.CreateModel(
            "RefusalCount",
            [
                ("event_id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("org_id", models.UUIDField(editable=False)),
                ("times", models.PositiveIntegerField(default=0, editable=False)),
            ],
        ),
        Protect(EVENT_POLICY, NO_EVENT_POLICY),
        Protect(COUNT_POLICY, NO_COUNT_POLICY),
    ]
