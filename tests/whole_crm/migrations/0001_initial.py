from django.db import migrations

from demo_crm.tables import CreateTables


class Migration(migrations.Migration):
    initial = True
    dependencies = [("demo_crm", "0001_initial")]
    operations = [CreateTables()]
