"""Decides: statements, plans, tables, routes."""
