"""Sign-in to the pages: who a person is, and in which organisation."""
