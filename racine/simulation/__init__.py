"""Runs documents without a server: the engine's own scheduler, answers for what has an effect."""
