from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    outcome.created("line_items", name="Packing robot", quantity=3, unit_price=21_500)
    outcome.created("line_items", quantity=1, unit_price=900)
    outcome.changed("opportunities", "Packing line", amount=65_400)
