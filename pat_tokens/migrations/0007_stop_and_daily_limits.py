import django.core.validators
from django.db import migrations, models

from pat_tokens.migrations._row_security import (
    IN_ORGANISATION,
    PRESENTED,
    PROTECT,
    UNPROTECT,
    Protect,
)

TABLE = "pat_tokens_dailycount"
# Whoever presents a token sees what it has written, and no more of the counts.
POLICIES = f"""
{PROTECT.format(table=TABLE)}
CREATE POLICY {TABLE}_organisation ON {TABLE}
    USING ({IN_ORGANISATION}) WITH CHECK ({IN_ORGANISATION});
CREATE POLICY {TABLE}_presented ON {TABLE} FOR SELECT
    USING (token_id IN (SELECT COALESCE(token.connection_id, token.id)::text
        FROM pat_tokens_token token WHERE {PRESENTED}));
"""  # noqa: S608 (constants of these modules)
NO_POLICIES = f"""
DROP POLICY {TABLE}_presented ON {TABLE};
DROP POLICY {TABLE}_organisation ON {TABLE};
{UNPROTECT.format(table=TABLE)}
"""


class Migration(migrations.Migration):
    dependencies = [
        ("pat_tokens", "0006_calls"),
    ]

    operations = [
        migrations.AddField(
            model_name="policy",
            name="max_deletes",
            field=models.PositiveIntegerField(
                blank=True,
                null=True,
                validators=[django.core.validators.MaxValueValidator(1000000)],
            ),
        ),
        migrations.AddField(
            model_name="policy",
            name="max_mails",
            field=models.PositiveIntegerField(
                blank=True,
                null=True,
                validators=[django.core.validators.MaxValueValidator(1000000)],
            ),
        ),
        migrations.AddField(
            model_name="policy",
            name="max_writes",
            field=models.PositiveIntegerField(
                blank=True,
                null=True,
                validators=[django.core.validators.MaxValueValidator(1000000)],
            ),
        ),
        migrations.AddField(
            model_name="policy",
            name="stop_reason",
            field=models.CharField(blank=True, editable=False, max_length=255),
        ),
        migrations.AddField(
            model_name="policy",
            name="stopped_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="policy",
            name="stopped_by",
            field=models.CharField(blank=True, editable=False, max_length=255),
        ),
        migrations.AlterField(
            model_name="event",
            name="kind",
            field=models.CharField(
                choices=[
                    ("created", "Created"),
                    ("adopted", "Adopted"),
                    ("new_address", "used from a new address"),
                    ("edited", "Edited"),
                    ("paused", "Paused"),
                    ("resumed", "Resumed"),
                    ("rotated", "Rotated"),
                    ("expired", "Expired"),
                    ("revoked", "Revoked"),
                    ("refused", "Refused"),
                    ("policy", "policy changed"),
                    ("write", "Write"),
                    ("pruned", "old entries removed"),
                    ("connected", "Connected"),
                    ("disconnected", "Disconnected"),
                    ("replayed", "credential used twice"),
                    ("stopped", "agents stopped"),
                    ("started", "agents allowed again"),
                ],
                editable=False,
                max_length=20,
            ),
        ),
        migrations.CreateModel(
            name="DailyCount",
            fields=[
                ("id", models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ("org_id", models.UUIDField(editable=False)),
                ("token_id", models.CharField(editable=False, max_length=64)),
                ("day", models.DateField(editable=False)),
                ("writes", models.PositiveIntegerField(default=0, editable=False)),
                ("deletes", models.PositiveIntegerField(default=0, editable=False)),
                ("mails", models.PositiveIntegerField(default=0, editable=False)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("org_id", "token_id", "day"), name="pat_tokens_dailycount_of_day"
                    )
                ],
            },
        ),
        Protect(POLICIES, NO_POLICIES),
    ]
