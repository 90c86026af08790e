"""Which programmes a firm may ask for money, with the rule that decides, the amount, the source and its date."""
