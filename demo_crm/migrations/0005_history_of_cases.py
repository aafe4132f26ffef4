import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from demo_crm.row_security import NO_POLICY, POLICY

TABLE = "demo_crm_activity"


class Migration(migrations.Migration):
    dependencies = [
        ("contenttypes", "0002_remove_content_type_name"),
        ("demo_crm", "0004_beyond_the_eight"),
    ]

    operations = [
        migrations.AddField(
            model_name="case",
            name="sla_first_response_hours",
            field=models.PositiveIntegerField(default=8),
        ),
        migrations.AddField(
            model_name="case",
            name="sla_resolution_hours",
            field=models.PositiveIntegerField(default=48),
        ),
        migrations.AlterField(
            model_name="comment",
            name="comment",
            field=models.CharField(max_length=255),
        ),
        migrations.CreateModel(
            name="Activity",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("object_id", models.UUIDField()),
                ("action", models.CharField(max_length=32)),
                ("metadata", models.JSONField(default=dict)),
                (
                    "content_type",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="contenttypes.contenttype",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "org",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="demo_crm.org",
                    ),
                ),
                (
                    "updated_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "abstract": False,
                "indexes": [
                    models.Index(
                        fields=["content_type", "object_id"], name="demo_crm_ac_content_e2e45c_idx"
                    )
                ],
            },
        ),
        migrations.RunSQL(POLICY.format(table=TABLE), NO_POLICY.format(table=TABLE)),
    ]
