"""The small pages of the redirect, in Chinese and English: no such link, ended, try again."""

from typing import Final

_PAGE: Final = (
    '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width,initial-scale=1">'
    "<title>{chinese}</title></head>"
    '<body><main><h1>{chinese}</h1><p lang="en">{english}</p></main></body></html>'
)


def _page(chinese: str, english: str) -> bytes:
    return _PAGE.format(chinese=chinese, english=english).encode()


UNKNOWN: Final = _page("链接不存在", "There is no such link.")
ENDED: Final = _page("链接已失效", "This link has ended.")
LATER: Final = _page("请稍后再试", "Please try again in a moment.")
NOT_ALLOWED: Final = _page("不支持该请求", "Only GET and HEAD are answered here.")
