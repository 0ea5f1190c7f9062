"""The Argo CD API."""
