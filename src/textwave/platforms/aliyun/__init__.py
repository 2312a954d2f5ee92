"""Alibaba Cloud's SMS service: the adapter, and what it pushes.

Take from here; the modules inside are this adapter's own business and its stand-in's.
"""

from textwave.platforms.aliyun.adapter import AliyunPlatform

__all__ = ["AliyunPlatform"]
