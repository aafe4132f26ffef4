"""What Python and DRF read as whole numbers, and nobody writes so."""

ODD_TEXTS = (" 7 ", "7\n", "+7", "7_0", "1e3", "7.0", "007", "٣", "\uff13\uff10")
ODD_NUMBERS = (*ODD_TEXTS, 1e3, 7.0, 7.5, True, [7], {"a": 7})
