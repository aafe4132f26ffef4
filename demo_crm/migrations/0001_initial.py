from django.db import migrations

from demo_crm.tables import CreateTables


class Migration(migrations.Migration):
    initial = True
    dependencies = [("contenttypes", "0002_remove_content_type_name")]
    operations = [CreateTables()]
