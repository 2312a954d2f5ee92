"""Campaigns: lifecycle, plan, dry run."""
