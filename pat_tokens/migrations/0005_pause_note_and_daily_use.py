import django.db.models.deletion
from django.db import migrations, models

from pat_tokens.migrations._row_security import IN_ORGANISATION, PROTECT, UNPROTECT, Protect

TABLE = "pat_tokens_dailyuse"
KINDS = (
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
)


class Migration(migrations.Migration):
    dependencies = [("pat_tokens", "0004_connection_replaces")]

    operations = [
        migrations.AddField("token", "note", models.CharField(blank=True, max_length=500)),
        migrations.AddField("token", "paused_at", models.DateTimeField(editable=False, null=True)),
        migrations.AlterField(
            "event", "kind", models.CharField(choices=KINDS, editable=False, max_length=20)
        ),
        migrations.AlterField(
            "policy",
            "agents",
            models.CharField(
                choices=[
                    ("on", "Read and write"),
                    ("read_only", "Read only"),
                    ("off", "Nothing: tokens are switched off"),
                ],
                default="on",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            "policy",
            "confirmation",
            models.CharField(
                choices=[
                    ("explicit", "The assistant confirms"),
                    ("sealed", "The assistant confirms what the preview showed"),
                ],
                default="explicit",
                max_length=10,
            ),
        ),
        migrations.CreateModel(
            name="DailyUse",
            fields=[
                ("id", models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ("org_id", models.UUIDField(editable=False)),
                ("day", models.DateField(editable=False)),
                ("minutes", models.PositiveSmallIntegerField(default=0, editable=False)),
                (
                    "token",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="daily_use",
                        to="pat_tokens.token",
                    ),
                ),
            ],
            options={
                "constraints": (
                    models.UniqueConstraint(
                        fields=("token", "day"), name="pat_tokens_dailyuse_of_day"
                    ),
                ),
            },
        ),
        Protect(
            f"""
{PROTECT.format(table=TABLE)}
CREATE POLICY {TABLE}_organisation ON {TABLE}
    USING ({IN_ORGANISATION}) WITH CHECK ({IN_ORGANISATION});
""",
            f"DROP POLICY {TABLE}_organisation ON {TABLE};{UNPROTECT.format(table=TABLE)}",
        ),
    ]
