from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("bottlecrm_mcp", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="keyedwrite",
            name="unsent",
            field=models.JSONField(default=list, db_default=[], editable=False),
        ),
    ]
