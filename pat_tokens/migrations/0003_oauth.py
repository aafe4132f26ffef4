import uuid

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

from pat_tokens.migrations._row_security import (
    IN_ORGANISATION,
    PRESENTED,
    PROTECT,
    UNPROTECT,
    Protect,
)
from pat_tokens.models.expiry import EXPIRY_CEILING, validate_expiry


def organisation(table: str) -> str:
    return f"""
{PROTECT.format(table=table)}
CREATE POLICY {table}_organisation ON {table}
    USING ({IN_ORGANISATION}) WITH CHECK ({IN_ORGANISATION});
"""


def no_organisation(table: str) -> str:
    return f"DROP POLICY {table}_organisation ON {table};{UNPROTECT.format(table=table)}"


# Whoever presents an access token sees the connection it belongs to.
CONNECTION = f"""
{organisation("pat_tokens_connection")}
CREATE POLICY pat_tokens_connection_presented ON pat_tokens_connection FOR SELECT
    USING (id IN (SELECT token.connection_id FROM pat_tokens_token token WHERE {PRESENTED}));
"""  # noqa: S608 (constants of these modules)
NO_CONNECTION = f"""
DROP POLICY pat_tokens_connection_presented ON pat_tokens_connection;
{no_organisation("pat_tokens_connection")}
"""


def credential(table: str) -> "Protect":
    """Whoever presents a code or a refresh token sees its row, and so its organisation."""
    presented = "(SELECT NULLIF(current_setting('pat_tokens.digest', true), '')) = digest"
    return Protect(
        f"""
{organisation(table)}
CREATE POLICY {table}_presented ON {table} FOR SELECT USING ({presented});
""",
        f"DROP POLICY {table}_presented ON {table};{no_organisation(table)}",
    )


def index_connections(name: str, condition: Q | None = None) -> migrations.AddIndex:
    fields = ["org_id", "-created_at", "-id"]
    index = models.Index(fields=fields, name=f"pat_tokens_connection_{name}", condition=condition)
    return migrations.AddIndex("Connection", index)


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.PAT_TOKENS_OWNER_MODEL),
        ("pat_tokens", "0002_expiry_ceiling_and_paged_log"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuthorizationRequest",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("client_id", models.CharField(max_length=512)),
                ("client_name", models.CharField(max_length=100)),
                ("client_host", models.CharField(blank=True, max_length=255)),
                ("redirect_uri", models.TextField()),
                ("names_redirect", models.BooleanField()),
                ("code_challenge", models.CharField(max_length=43)),
                ("resource", models.CharField(max_length=500)),
                ("scopes", models.JSONField(default=list)),
                ("state", models.TextField(null=True)),
                (
                    "created_at",
                    models.DateTimeField(db_index=True, default=django.utils.timezone.now),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Client",
            fields=[
                ("client_id", models.CharField(max_length=512, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100)),
                ("host", models.CharField(blank=True, max_length=255)),
                ("redirect_uris", models.JSONField(default=list)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("stale_at", models.DateTimeField(null=True)),
                ("last_used_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name="policy",
            name="client_hosts",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name="policy",
            name="clients",
            field=models.CharField(
                choices=[
                    ("any", "Any client"),
                    ("listed", "Clients of the hosts below"),
                    ("none", "No client"),
                ],
                default="any",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="policy",
            name="default_access",
            field=models.CharField(
                choices=[("read_only", "Read only"), ("read_write", "Read and write")],
                default="read_only",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="policy",
            name="max_connection_days",
            field=models.PositiveIntegerField(
                blank=True,
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(3650),
                ],
            ),
        ),
        migrations.AlterField(
            model_name="event",
            name="kind",
            field=models.CharField(
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
                    ("connected", "Connected"),
                    ("disconnected", "Disconnected"),
                    ("replayed", "credential used twice"),
                ],
                editable=False,
                max_length=20,
            ),
        ),
        migrations.CreateModel(
            name="Connection",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("org_id", models.UUIDField(editable=False)),
                ("client_id", models.CharField(editable=False, max_length=512)),
                ("client_name", models.CharField(editable=False, max_length=100)),
                ("client_host", models.CharField(blank=True, editable=False, max_length=255)),
                ("redirect_host", models.CharField(editable=False, max_length=255)),
                ("resource", models.CharField(editable=False, max_length=500)),
                ("scopes", models.JSONField(default=list)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("expires_at", models.DateTimeField(validators=[validate_expiry])),
                ("idle_expires_at", models.DateTimeField(editable=False)),
                ("expiry_notice", models.SmallIntegerField(editable=False, null=True)),
                ("redeemed_at", models.DateTimeField(editable=False, null=True)),
                ("ended_at", models.DateTimeField(editable=False, null=True)),
                ("ended_by", models.CharField(blank=True, editable=False, max_length=255)),
                ("end_reason", models.CharField(blank=True, editable=False, max_length=255)),
                ("last_used_at", models.DateTimeField(editable=False, null=True)),
                ("last_used_address", models.GenericIPAddressField(editable=False, null=True)),
                ("last_used_client", models.CharField(blank=True, editable=False, max_length=100)),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.PAT_TOKENS_OWNER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            "Connection",
            models.CheckConstraint(
                condition=Q(expires_at__lt=EXPIRY_CEILING, idle_expires_at__lt=EXPIRY_CEILING),
                name="pat_tokens_connection_expiry",
            ),
        ),
        index_connections("of_org"),
        index_connections("unended", Q(ended_at=None)),
        migrations.CreateModel(
            name="AuthorizationCode",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("org_id", models.UUIDField(editable=False)),
                ("digest", models.CharField(editable=False, max_length=64, unique=True)),
                ("redirect_uri", models.TextField()),
                ("names_redirect", models.BooleanField()),
                ("code_challenge", models.CharField(max_length=43)),
                ("expires_at", models.DateTimeField(db_index=True)),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="codes",
                        to="pat_tokens.connection",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="token",
            name="connection",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="tokens",
                to="pat_tokens.connection",
            ),
        ),
        migrations.CreateModel(
            name="RefreshToken",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("org_id", models.UUIDField(editable=False)),
                ("digest", models.CharField(editable=False, max_length=64, unique=True)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("expires_at", models.DateTimeField(db_index=True)),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="refresh_tokens",
                        to="pat_tokens.connection",
                    ),
                ),
            ],
        ),
        Protect(CONNECTION, NO_CONNECTION),
        credential("pat_tokens_authorizationcode"),
        credential("pat_tokens_refreshtoken"),
    ]
