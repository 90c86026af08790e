"""The digital-maturity test: instrument, adaptive rules, scoring, next step and plan. Plain Python."""
