"""What the program remembers: tables, sessions, addresses, wake-ups. Knows no other room."""
