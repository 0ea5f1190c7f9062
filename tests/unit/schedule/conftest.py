"""``schedule_clock`` can be imported by every test below."""
