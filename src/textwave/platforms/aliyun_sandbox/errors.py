"""The documented errors, and how a call is refused with one.

A code that begins with `isv.` or `isp.` is the service's own and comes with HTTP status 200; all
others are the gateway's and have the status of this table.
"""

from dataclasses import dataclass

OK = "OK"
HTTP_OK = 200


class CallRefused(Exception):
    """A call is answered with a code other than OK; never leaves the stand-in."""

    def __init__(self, code: str, message: str = "", retry_after_milliseconds: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.message = message or ERRORS[code].message
        self.retry_after_milliseconds = retry_after_milliseconds


@dataclass(frozen=True, slots=True)
class DocumentedError:
    """An error of the service; `status` is that of HTTP."""

    message: str
    status: int = HTTP_OK


ERRORS: dict[str, DocumentedError] = {
    # throttled
    "isv.BUSINESS_LIMIT_CONTROL": DocumentedError("触发分钟级流控Permits:1"),
    "isv.DAY_LIMIT_CONTROL": DocumentedError("触发日发送限额"),
    "isv.MONTH_LIMIT_CONTROL": DocumentedError("触发月发送限额"),
    "Throttling": DocumentedError("Request was denied due to request throttling.", 429),
    "Throttling.User": DocumentedError("Request was denied due to user flow control.", 429),
    "Throttling.Api": DocumentedError("Request was denied due to api flow control.", 429),
    # to be tried again
    "isp.SYSTEM_ERROR": DocumentedError("系统出现错误，请重新调用"),
    "isp.GATEWAY_ERROR": DocumentedError("网关发送失败，请重新调用"),
    "InternalError": DocumentedError("The request processing has failed.", 500),
    "ServiceUnavailable": DocumentedError("The request has failed due to a server failure.", 503),
    "SignatureNonceUsed": DocumentedError("Specified signature nonce was used already.", 400),
    "InvalidTimeStamp.Expired": DocumentedError(
        "Specified time stamp or date value is expired.", 400
    ),
    "InvalidTimeStamp.Format": DocumentedError(
        "Specified time stamp or date value is not well formatted.", 400
    ),
    # numbers
    "isv.MOBILE_NUMBER_ILLEGAL": DocumentedError("手机号码格式错误"),
    "isv.MOBILE_COUNT_OVER_LIMIT": DocumentedError("手机号码数量超过限制"),
    "isv.BLACK_KEY_CONTROL_LIMIT": DocumentedError("黑名单管控"),
    "isv.CUSTOMER_REFUSED": DocumentedError("用户已退订推广短信"),
    "isv.DOMESTIC_NUMBER_NOT_SUPPORTED": DocumentedError("国际/港澳台消息模板不支持发送境内号码"),
    "isv.SMS_TEST_NUMBER_LIMIT": DocumentedError("只能向已回复授权信息的手机号发送"),
    # signatures
    "isv.SMS_SIGNATURE_ILLEGAL": DocumentedError("该账号下找不到对应签名"),
    "isv.SMS_SIGN_ILLEGAL": DocumentedError("签名禁止使用"),
    "isv.SIGN_STATE_ILLEGAL": DocumentedError("签名状态异常"),
    "isv.SIGN_NAME_ILLEGAL": DocumentedError("签名名称不符合规范"),
    "isv.SIGNATURE_BLACKLIST": DocumentedError("签名黑名单"),
    "isv.SMS_SIGNATURE_SCENE_ILLEGAL": DocumentedError("签名和模板类型不一致"),
    "isv.EXTEND_CODE_ERROR": DocumentedError("扩展码使用错误，相同的扩展码不可用于多个签名"),
    "isv.ONE_CODE_MULTIPLE_SIGN": DocumentedError("一码多签"),
    "isv.CODE_ERROR": DocumentedError("扩展码错误"),
    "isv.CODE_EXCEED_LIMIT": DocumentedError("扩展码超过限制"),
    # templates and texts
    "isv.SMS_TEMPLATE_ILLEGAL": DocumentedError("该账号下找不到对应模板"),
    "isv.TEMPLATE_MISSING_PARAMETERS": DocumentedError("模板变量缺少对应参数值"),
    "isv.TEMPLATE_PARAMS_ILLEGAL": DocumentedError("变量内容和所选择的属性类型不配"),
    "isv.INVALID_JSON_PARAM": DocumentedError("参数格式错误，不是合法的JSON格式"),
    "isv.INVALID_PARAMETERS": DocumentedError("参数格式不正确"),
    "isv.PARAM_LENGTH_LIMIT": DocumentedError("参数超过长度限制"),
    "isv.PARAM_NOT_SUPPORT_URL": DocumentedError("变量不支持传入URL"),
    "isv.SMS_CONTENT_ILLEGAL": DocumentedError("短信内容包含禁止发送内容"),
    "isv.UNSUPPORTED_CONTENT": DocumentedError("短信内容包含暂不支持发送的繁体字或表情符号"),
    "isv.SMS_CONTENT_MISMATCH_TEMPLATE_TYPE": DocumentedError("短信内容和模板属性不匹配"),
    "isv.SMS_TEST_SIGN_TEMPLATE_LIMIT": DocumentedError("测试模板和签名必须结合使用"),
    "isv.SMS_TEST_TEMPLATE_PARAMS_ILLEGAL": DocumentedError("测试模板的变量仅支持4~6位纯数字"),
    # the account
    "isv.AMOUNT_NOT_ENOUGH": DocumentedError("账户余额不足"),
    "isv.OUT_OF_SERVICE": DocumentedError("业务停机"),
    "isv.PRODUCT_UN_SUBSCRIPT": DocumentedError("未开通云通信产品的阿里云客户"),
    "isv.PRODUCT_UNSUBSCRIBE": DocumentedError("产品未开通"),
    "isv.ACCOUNT_NOT_EXISTS": DocumentedError("账户不存在"),
    "isv.ACCOUNT_ABNORMAL": DocumentedError("账户异常"),
    "isv.SECURITY_FROZEN_ACCOUNT": DocumentedError("账号长时间未使用，已限制短信发送"),
    "isp.RAM_PERMISSION_DENY": DocumentedError("RAM权限不足"),
    "isv.DENY_IP_RANGE": DocumentedError("源IP地址所在的地区被禁用"),
    "InvalidAccessKeyId.NotFound": DocumentedError("Specified access key is not found.", 404),
    "SignatureDoesNotMatch": DocumentedError(
        "Specified signature is not matched with our calculation.", 400
    ),
    "IncompleteSignature": DocumentedError(
        "The request signature does not conform to Aliyun standards.", 400
    ),
    "InvalidVersion": DocumentedError("Specified parameter Version is not valid.", 400),
    "InvalidAction.NotFound": DocumentedError("Specified api is not found.", 404),
    # what is administered
    "isv.SIGN_COUNT_OVER_LIMIT": DocumentedError("超过单自然日签名申请数量上限"),
    "isv.SIGN_OVER_LIMIT": DocumentedError("签名字符数量超过限制"),
    "isv.SIGN_FILE_LIMIT": DocumentedError("签名认证材料附件大小超过限制"),
    "isv.SIGN_SOURCE_ILLEGAL": DocumentedError("签名来源不支持"),
    "isv.SMS_SIGN_EMOJI_ILLEGAL": DocumentedError("签名不能包含emoji表情"),
    "isv.ERROR_SIGN_NOT_DELETE": DocumentedError("审核中的签名，暂时无法删除"),
    "isv.ERROR_SIGN_NOT_MODIFY": DocumentedError("签名不支持修改"),
    "isv.TEMPLATE_COUNT_OVER_LIMIT": DocumentedError("超过单自然日模板申请数量上限"),
    "isv.TEMPLATE_OVER_LIMIT": DocumentedError("模板字符数量超过限制"),
    "isv.ERROR_TEMPLATE_NOT_DELETE": DocumentedError("审核中的模板，暂时无法删除"),
    "isv.ERROR_TEMPLATE_NOT_MODIFY": DocumentedError("模板不支持修改"),
    "isv.SMS_OVER_LIMIT": DocumentedError("单日最多申请模板或签名100条以上"),
}  # fmt: skip
"""Code → message and status."""
