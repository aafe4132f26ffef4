import uuid
from typing import Any

import django.utils.timezone
from django.db import migrations, models

from bottlecrm_mcp.migrations._row_security import protect


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
        protect("bottlecrm_mcp_keyedwrite"),
    ]
