"""Stand-ins for the providers: they speak the documented wire formats and refuse what the real ones refuse."""
