"""The worker: Rasa as a library, one turn at a time per conversation. The only room that runs Rasa."""
