from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("pat_tokens", "0003_oauth"),
    ]

    operations = [
        migrations.AddField(
            model_name="connection",
            name="replaces_id",
            field=models.UUIDField(editable=False, null=True),
        ),
    ]
