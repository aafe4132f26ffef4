"""The one migration of a stand-in: its tables as its models are now.

It has no history: after a change of the models the data is made anew.
"""

from typing import Any

from django.apps import apps
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState

from demo_crm.access.row_security import POLICY
from demo_crm.models.base import OrgOwned


class CreateTables(Operation):
    """Makes a table for each model of the app; row-level security confines those of an org."""

    reversible = False

    def state_forwards(self, app_label: str, state: Any) -> None:
        for model in apps.get_app_config(app_label).get_models():
            state.add_model(ModelState.from_model(model))

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        for model in apps.get_app_config(app_label).get_models():
            schema_editor.create_model(to_state.apps.get_model(app_label, model.__name__))
            if issubclass(model, OrgOwned):
                schema_editor.execute(POLICY.format(table=model._meta.db_table))

    def describe(self) -> str:
        return "Create the tables of the models"
