"""Optional entities: served where the settings name them."""
