"""The only public port: accept messages, answer at once, deliver replies. Knows neither Rasa nor the diagnosis."""
