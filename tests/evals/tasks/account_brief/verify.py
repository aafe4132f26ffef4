from tests.evals.outcome import Outcome


def verify(outcome: Outcome) -> None:
    outcome.says("Latex import", "Boxes arrive crushed")
    outcome.gives(43_000, 1_250)
    outcome.does_not_say("Export deal")
