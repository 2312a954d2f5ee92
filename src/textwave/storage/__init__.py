"""The two stores: the ledger (PostgreSQL) and the warehouse (DuckLake)."""
