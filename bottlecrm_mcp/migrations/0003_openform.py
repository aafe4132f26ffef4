import uuid

import django.utils.timezone
from django.db import migrations, models

from bottlecrm_mcp.migrations._row_security import protect


class Migration(migrations.Migration):
    dependencies = [("bottlecrm_mcp", "0002_keyedwrite_unsent")]

    operations = [
        migrations.CreateModel(
            name="OpenForm",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("org_id", models.UUIDField(editable=False)),
                ("profile_id", models.CharField(editable=False, max_length=64)),
                ("token_id", models.CharField(editable=False, max_length=64)),
                ("answer", models.CharField(blank=True, editable=False, max_length=10)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["org_id", "created_at"], name="bottlecrm_mcp_openform_age")
                ],
            },
        ),
        protect("bottlecrm_mcp_openform"),
    ]
