from django.db import migrations

from demo_crm.row_security import NO_POLICY, POLICY

# People, organisations and the join tables stay outside, as they do in BottleCRM.
PROTECTED = (
    "account",
    "attachment",
    "case",
    "comment",
    "contact",
    "customfielddefinition",
    "invoice",
    "invoicelineitem",
    "lead",
    "opportunity",
    "opportunitylineitem",
    "payment",
    "solution",
    "tag",
    "task",
    "team",
)
TABLES = [f"demo_crm_{name}" for name in PROTECTED]


class Migration(migrations.Migration):
    dependencies = [("demo_crm", "0001_initial")]
    operations = [
        migrations.RunSQL(POLICY.format(table=table), NO_POLICY.format(table=table))
        for table in TABLES
    ]
