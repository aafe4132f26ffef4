import django.utils.timezone
from django.db import migrations, models

from pat_tokens.migrations._row_security import IN_ORGANISATION, PROTECT, UNPROTECT, Protect


def append_only(table: str, removable: str) -> Protect:
    """Read and appended to within the organisation; never changed, and removed where it may be."""
    policies = f"""
{PROTECT.format(table=table)}
CREATE POLICY {table}_read ON {table} FOR SELECT USING ({IN_ORGANISATION});
CREATE POLICY {table}_append ON {table} FOR INSERT WITH CHECK ({IN_ORGANISATION});
CREATE POLICY {table}_prune ON {table} FOR DELETE USING ({IN_ORGANISATION} AND {removable});
"""
    dropped = "".join(
        f"DROP POLICY {table}_{each} ON {table};" for each in ("prune", "append", "read")
    )
    return Protect(policies, f"{dropped}{UNPROTECT.format(table=table)}")


# As in the event log: only where `rls.pruning` says how old, and never within 30 days.
OLD = """created_at < (SELECT NULLIF(current_setting('pat_tokens.prune_before', true), '')
        ::timestamptz)
    AND created_at < (SELECT now() - interval '30 days')"""
# After the call that they belong to.
ORPHANED = "NOT EXISTS (SELECT FROM pat_tokens_call call WHERE call.id = call_id)"


class Migration(migrations.Migration):
    dependencies = [
        ("pat_tokens", "0005_pause_note_and_daily_use"),
    ]

    operations = [
        migrations.CreateModel(
            name="Call",
            fields=[
                ("id", models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ("org_id", models.UUIDField(editable=False)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("actor_id", models.CharField(blank=True, editable=False, max_length=64)),
                ("actor", models.CharField(blank=True, editable=False, max_length=255)),
                ("token_id", models.UUIDField(editable=False, null=True)),
                ("token_name", models.CharField(blank=True, editable=False, max_length=255)),
                ("client", models.CharField(blank=True, editable=False, max_length=100)),
                ("client_version", models.CharField(blank=True, editable=False, max_length=50)),
                ("tool", models.CharField(blank=True, editable=False, max_length=50)),
                ("entity", models.CharField(blank=True, editable=False, max_length=50)),
                ("record_id", models.CharField(blank=True, editable=False, max_length=64)),
                ("records", models.PositiveIntegerField(default=0, editable=False)),
                ("fields", models.CharField(blank=True, editable=False, max_length=500)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("ok", "Done"),
                            ("preview", "Preview"),
                            ("refused", "Refused"),
                            ("error", "Error"),
                            ("lost", "Not logged"),
                        ],
                        editable=False,
                        max_length=10,
                    ),
                ),
                ("code", models.CharField(blank=True, editable=False, max_length=50)),
                ("writes", models.BooleanField(default=False, editable=False)),
                ("ms", models.PositiveIntegerField(default=0, editable=False)),
            ],
            options={
                "ordering": ("-created_at", "-id"),
                "indexes": [
                    models.Index(
                        fields=["org_id", "-created_at", "-id"],
                        include=["outcome"],
                        name="pat_tokens_call_by_time",
                    ),
                    models.Index(
                        fields=["org_id", "actor_id", "-created_at", "-id"],
                        name="pat_tokens_call_by_actor",
                    ),
                    models.Index(
                        fields=["org_id", "token_id", "-created_at", "-id"],
                        name="pat_tokens_call_by_token",
                    ),
                    models.Index(
                        fields=["org_id", "client", "-created_at", "-id"],
                        name="pat_tokens_call_by_client",
                    ),
                    models.Index(
                        fields=["org_id", "tool", "-created_at", "-id"],
                        name="pat_tokens_call_by_tool",
                    ),
                    models.Index(
                        fields=["org_id", "entity", "-created_at", "-id"],
                        name="pat_tokens_call_by_entity",
                    ),
                    models.Index(
                        fields=["org_id", "outcome", "-created_at", "-id"],
                        name="pat_tokens_call_by_outcome",
                    ),
                    models.Index(
                        condition=models.Q(("record_id", ""), _negated=True),
                        fields=["org_id", "record_id", "-created_at", "-id"],
                        name="pat_tokens_call_by_record",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CallRecord",
            fields=[
                ("id", models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ("call_id", models.BigIntegerField(editable=False)),
                ("org_id", models.UUIDField(editable=False)),
                ("record_id", models.CharField(editable=False, max_length=64)),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["org_id", "record_id", "-call_id"],
                        name="pat_tokens_callrecord_by_id",
                    ),
                    models.Index(fields=["call_id"], name="pat_tokens_callrecord_of_call"),
                ],
            },
        ),
        append_only("pat_tokens_call", OLD),
        append_only("pat_tokens_callrecord", ORPHANED),
    ]
