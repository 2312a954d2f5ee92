"""Alibaba Cloud SMS, by its official client, which is imported only when an account is opened."""
