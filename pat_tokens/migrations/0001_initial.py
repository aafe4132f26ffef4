import uuid
from typing import Any

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from pat_tokens.migrations._row_security import (
    IN_ORGANISATION,
    PRESENTED,
    PROTECT,
    UNPROTECT,
    Protect,
)

TOKEN_POLICIES = f"""
{PROTECT.format(table="pat_tokens_token")}
CREATE POLICY pat_tokens_organisation ON pat_tokens_token
    USING ({IN_ORGANISATION}) WITH CHECK ({IN_ORGANISATION});
CREATE POLICY pat_tokens_presented_read ON pat_tokens_token FOR SELECT USING ({PRESENTED});
CREATE POLICY pat_tokens_presented_update ON pat_tokens_token FOR UPDATE
    USING ({PRESENTED}) WITH CHECK ({PRESENTED});
"""
NO_TOKEN_POLICIES = f"""
DROP POLICY pat_tokens_presented_update ON pat_tokens_token;
DROP POLICY pat_tokens_presented_read ON pat_tokens_token;
DROP POLICY pat_tokens_organisation ON pat_tokens_token;
{UNPROTECT.format(table="pat_tokens_token")}
"""

# Whoever presents a token sees what its organisation allows it, and no more of the policies.
POLICY_POLICIES = f"""
{PROTECT.format(table="pat_tokens_policy")}
CREATE POLICY pat_tokens_policy_organisation ON pat_tokens_policy
    USING ({IN_ORGANISATION}) WITH CHECK ({IN_ORGANISATION});
CREATE POLICY pat_tokens_policy_presented ON pat_tokens_policy FOR SELECT
    USING (org_id IN (SELECT token.org_id FROM pat_tokens_token token WHERE {PRESENTED}));
"""  # noqa: S608 (constants of this module)
NO_POLICY_POLICIES = f"""
DROP POLICY pat_tokens_policy_presented ON pat_tokens_policy;
DROP POLICY pat_tokens_policy_organisation ON pat_tokens_policy;
{UNPROTECT.format(table="pat_tokens_policy")}
"""

# Append-only: without a policy for UPDATE and DELETE, no row is open to either.
EVENT_POLICIES = f"""
{PROTECT.format(table="pat_tokens_event")}
CREATE POLICY pat_tokens_event_read ON pat_tokens_event FOR SELECT USING ({IN_ORGANISATION});
CREATE POLICY pat_tokens_event_append ON pat_tokens_event FOR INSERT
    WITH CHECK ({IN_ORGANISATION});
"""
NO_EVENT_POLICIES = f"""
DROP POLICY pat_tokens_event_append ON pat_tokens_event;
DROP POLICY pat_tokens_event_read ON pat_tokens_event;
{UNPROTECT.format(table="pat_tokens_event")}
"""


def text(length: int) -> Any:
    return models.CharField(blank=True, editable=False, max_length=length)


def moment() -> Any:
    return models.DateTimeField(editable=False, null=True)


def key() -> Any:
    return models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)


def now() -> Any:
    return models.DateTimeField(default=django.utils.timezone.now, editable=False)


class Migration(migrations.Migration):
    initial = True

    dependencies = [migrations.swappable_dependency(settings.PAT_TOKENS_OWNER_MODEL)]

    operations = [
        migrations.CreateModel(
            name="Token",
            fields=[
                ("id", key()),
                ("name", models.CharField(max_length=255)),
                ("org_id", models.UUIDField(db_index=True, editable=False)),
                ("digest", models.CharField(editable=False, max_length=64, unique=True)),
                (
                    "previous_digest",
                    models.CharField(editable=False, max_length=64, null=True, unique=True),
                ),
                ("previous_expires_at", moment()),
                ("prefix", models.CharField(editable=False, max_length=20)),
                ("scopes", models.JSONField(blank=True, default=list)),
                ("created_at", now()),
                ("rotated_at", moment()),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("expiry_notice", models.SmallIntegerField(editable=False, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("revoked_by", text(255)),
                ("last_used_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "last_used_address",
                    models.GenericIPAddressField(editable=False, null=True),
                ),
                ("last_used_client", text(100)),
                ("first_mcp_at", moment()),
                ("last_refused_at", moment()),
                ("last_refusal", text(255)),
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
        migrations.CreateModel(
            name="Policy",
            fields=[
                ("org_id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                (
                    "agents",
                    models.CharField(
                        choices=[
                            ("on", "Agents may read and write"),
                            ("read_only", "Agents may only read"),
                            ("off", "No agents"),
                        ],
                        default="on",
                        max_length=10,
                    ),
                ),
                (
                    "max_lifetime_days",
                    models.PositiveIntegerField(
                        blank=True,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(3650),
                        ],
                    ),
                ),
                (
                    "confirmation",
                    models.CharField(
                        choices=[
                            ("explicit", "The agent confirms"),
                            ("sealed", "The agent confirms with the preview's seal"),
                        ],
                        default="explicit",
                        max_length=10,
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("updated_by", text(255)),
            ],
            options={"verbose_name_plural": "policies"},
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", key()),
                ("org_id", models.UUIDField(editable=False)),
                ("created_at", now()),
                (
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
                        ],
                        editable=False,
                        max_length=20,
                    ),
                ),
                ("actor_id", text(64)),
                ("actor", text(255)),
                ("token_id", models.UUIDField(editable=False, null=True)),
                ("token_name", text(255)),
                ("token_prefix", text(20)),
                ("address", models.GenericIPAddressField(editable=False, null=True)),
                ("client", text(100)),
                ("tool", text(50)),
                ("entity", text(50)),
                ("record_id", text(64)),
                ("outcome", text(50)),
                ("detail", text(255)),
            ],
            options={
                "ordering": ("-created_at", "-id"),
                "indexes": [
                    models.Index(fields=["org_id", "-created_at"], name="pat_tokens_event_newest"),
                    models.Index(fields=["token_id", "kind"], name="pat_tokens_event_of_token"),
                ],
            },
        ),
        Protect(TOKEN_POLICIES, NO_TOKEN_POLICIES),
        Protect(POLICY_POLICIES, NO_POLICY_POLICIES),
        Protect(EVENT_POLICIES, NO_EVENT_POLICIES),
    ]
