"""What an owner wrote: its language, intent, entities, and the answer it gives to the open question."""
