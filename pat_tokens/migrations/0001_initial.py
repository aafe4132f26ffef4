import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

# `(SELECT …)` is evaluated once for a query, not once for each row.
ENABLE_ROW_LEVEL_SECURITY = """
ALTER TABLE pat_tokens_token ENABLE ROW LEVEL SECURITY;
ALTER TABLE pat_tokens_token FORCE ROW LEVEL SECURITY;

CREATE POLICY pat_tokens_organisation ON pat_tokens_token
    USING (org_id::text = (SELECT NULLIF(current_setting('app.current_org', true), '')))
    WITH CHECK (org_id::text = (SELECT NULLIF(current_setting('app.current_org', true), '')));

CREATE POLICY pat_tokens_presented_read ON pat_tokens_token FOR SELECT
    USING (digest = (SELECT NULLIF(current_setting('pat_tokens.digest', true), '')));

CREATE POLICY pat_tokens_presented_update ON pat_tokens_token FOR UPDATE
    USING (digest = (SELECT NULLIF(current_setting('pat_tokens.digest', true), '')))
    WITH CHECK (digest = (SELECT NULLIF(current_setting('pat_tokens.digest', true), '')));
"""

DISABLE_ROW_LEVEL_SECURITY = """
DROP POLICY pat_tokens_presented_update ON pat_tokens_token;
DROP POLICY pat_tokens_presented_read ON pat_tokens_token;
DROP POLICY pat_tokens_organisation ON pat_tokens_token;
ALTER TABLE pat_tokens_token NO FORCE ROW LEVEL SECURITY;
ALTER TABLE pat_tokens_token DISABLE ROW LEVEL SECURITY;
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [migrations.swappable_dependency(settings.PAT_TOKENS_OWNER_MODEL)]

    operations = [
        migrations.CreateModel(
            name="Token",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=255)),
                ("org_id", models.UUIDField(db_index=True, editable=False)),
                ("digest", models.CharField(editable=False, max_length=64, unique=True)),
                ("prefix", models.CharField(editable=False, max_length=20)),
                ("scopes", models.JSONField(blank=True, default=list)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("last_used_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
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
        migrations.RunSQL(ENABLE_ROW_LEVEL_SECURITY, DISABLE_ROW_LEVEL_SECURITY),
    ]
