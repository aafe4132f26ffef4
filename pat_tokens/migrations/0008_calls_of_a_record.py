import django.db.models.deletion
from django.db import migrations, models

from pat_tokens.migrations._row_security import Protect

# The owner of the tables sees all of their rows meanwhile.
FILL = """
ALTER TABLE pat_tokens_call NO FORCE ROW LEVEL SECURITY;
ALTER TABLE pat_tokens_callrecord NO FORCE ROW LEVEL SECURITY;
UPDATE pat_tokens_callrecord record SET created_at = call.created_at
    FROM pat_tokens_call call WHERE call.id = record.call_id;
DELETE FROM pat_tokens_callrecord WHERE created_at IS NULL;
ALTER TABLE pat_tokens_callrecord FORCE ROW LEVEL SECURITY;
ALTER TABLE pat_tokens_call FORCE ROW LEVEL SECURITY;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("pat_tokens", "0007_stop_and_daily_limits"),
    ]

    operations = [
        migrations.AddField(
            model_name="callrecord",
            name="created_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        Protect(FILL, ""),
        migrations.AlterField(
            model_name="callrecord",
            name="created_at",
            field=models.DateTimeField(editable=False),
        ),
        migrations.RemoveIndex(model_name="callrecord", name="pat_tokens_callrecord_by_id"),
        # The column and its index stay as they are.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveIndex("callrecord", "pat_tokens_callrecord_of_call"),
                migrations.RenameField("callrecord", "call_id", "call"),
                migrations.AlterField(
                    model_name="callrecord",
                    name="call",
                    field=models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pat_tokens.call",
                    ),
                ),
                migrations.AddIndex(
                    "callrecord",
                    models.Index(fields=["call"], name="pat_tokens_callrecord_of_call"),
                ),
            ]
        ),
        migrations.AddIndex(
            model_name="callrecord",
            index=models.Index(
                fields=["org_id", "record_id", "-created_at", "-call"],
                name="pat_tokens_callrecord_by_time",
            ),
        ),
        migrations.RemoveIndex(model_name="call", name="pat_tokens_call_by_time"),
        migrations.AddIndex(
            model_name="call",
            index=models.Index(
                fields=["org_id", "-created_at", "-id"],
                include=["actor_id", "token_id", "client", "tool", "entity", "outcome"],
                name="pat_tokens_call_by_time",
            ),
        ),
    ]
