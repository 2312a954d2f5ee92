"""Alibaba Cloud's SMS service: the adapter, and what it pushes.

Take from here; the modules inside are this adapter's own business and its stand-in's.
"""

from textwave.platforms.aliyun.adapter import AliyunPlatform
from textwave.platforms.aliyun.callbacks import parse_receipts, parse_replies, parse_reviews
from textwave.platforms.aliyun.sending import DIFFERENT_MAX, SAME_MAX, VALUE_MAX

__all__ = [
    "DIFFERENT_MAX",
    "SAME_MAX",
    "VALUE_MAX",
    "AliyunPlatform",
    "parse_receipts",
    "parse_replies",
    "parse_reviews",
]
