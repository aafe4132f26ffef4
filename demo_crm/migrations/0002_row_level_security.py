from django.db import migrations

from demo_crm.row_security import NO_POLICY, POLICY

# People, organisations and the join tables stay outside, as they do in BottleCRM.
TABLES = ("demo_crm_tag", "demo_crm_team")


class Migration(migrations.Migration):
    dependencies = (("demo_crm", "0001_initial"),)
    operations = tuple(
        migrations.RunSQL(POLICY.format(table=table), NO_POLICY.format(table=table))
        for table in TABLES
    )
