"""One module per channel: what it can do, how to verify and parse what arrives, how to render what leaves."""
