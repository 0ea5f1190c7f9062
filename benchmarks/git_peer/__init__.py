"""The other end of the measurements of method git."""
