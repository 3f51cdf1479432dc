"""House figure style, tables, the claim card."""
