import uuid
from typing import Any

import django.utils.timezone
from django.db import migrations, models

TABLE = "bottlecrm_mcp_keyedwrite"
# `(SELECT …)` is evaluated once for a query, not once for each row.
IN_ORGANISATION = "org_id::text = (SELECT NULLIF(current_setting('app.current_org', true), ''))"

POLICIES = f"""
ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY;
ALTER TABLE {TABLE} FORCE ROW LEVEL SECURITY;
CREATE POLICY {TABLE}_organisation ON {TABLE}
    USING ({IN_ORGANISATION}) WITH CHECK ({IN_ORGANISATION});
"""
NO_POLICIES = f"""
DROP POLICY {TABLE}_organisation ON {TABLE};
ALTER TABLE {TABLE} NO FORCE ROW LEVEL SECURITY;
ALTER TABLE {TABLE} DISABLE ROW LEVEL SECURITY;
"""


class Protect(migrations.RunSQL):
    """Only PostgreSQL has row-level security; a host may run its own tests elsewhere."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)


def text(length: int, *, blank: bool = False) -> Any:
    return models.CharField(blank=blank, editable=False, max_length=length)


class Migration(migrations.Migration):
    initial = True

    operations = [
        migrations.CreateModel(
            name="KeyedWrite",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("org_id", models.UUIDField(editable=False)),
                ("token_id", text(64)),
                ("key", text(128)),
                ("digest", text(64)),
                ("tool", text(50)),
                ("entity", text(50)),
                ("record_id", text(64, blank=True)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["org_id", "token_id", "key"], name="bottlecrm_mcp_keyedwrite_once"
                    )
                ],
                "indexes": [
                    models.Index(
                        fields=["org_id", "created_at"], name="bottlecrm_mcp_keyedwrite_age"
                    )
                ],
            },
        ),
        Protect(POLICIES, NO_POLICIES),
    ]
