"""What is said unasked, and when: plain Python over storage, a table and a clock, no in-memory jobs."""
