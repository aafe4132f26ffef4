"""Demo CRM: a stand-in for BottleCRM, with its API and its quirks."""
