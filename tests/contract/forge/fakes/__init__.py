"""Forge APIs as HTTP servers that hold state and reject what the real ones reject; each says what it was asked."""
