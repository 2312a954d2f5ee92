"""The phrases of which sentences about rules are made, in English and in Chinese."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from textwave.audiences.rule import Measure, Operator, Outcome, Period, Stage


@dataclass(frozen=True, slots=True)
class Language:
    """The phrases of one language; `{}` fields are filled by name."""

    whole: str
    everyone: str
    every: str
    some: str
    negated: str
    without: str
    group: str
    comma: str
    either: str
    more: str
    span: str
    elsewhere: str
    operators: Mapping[Operator, str]
    day: str
    days: str
    anniversary_today: str
    current: Mapping[Period, str]
    previous: Mapping[Period, str]
    counted: str
    measured: str
    timed: str
    at_least_once: str
    did_not: str
    again: str
    last_days: str
    since: str
    until: str
    during: str
    where: str
    measures: Mapping[Measure, str]
    amount: str
    time: str
    audience: str
    uploaded_list: str
    rfm: str
    rfm_types: str
    rfm_scores: Mapping[str, str]
    rfm_range: str
    aipl: str
    aipl_on: str
    aipl_flow: str
    stages: Mapping[Stage, str]
    campaign: str
    because: str
    outcomes: Mapping[Outcome, str]


ENGLISH: Final = Language(
    whole="Customers of {table} for whom {rule}.",
    everyone="there is no condition",
    every=" and ",
    some=" or ",
    negated="it is not so that {rule}",
    without="{rule}, except those for whom {others}",
    group="({rule})",
    comma=", ",
    either=" or ",
    more="{values} and {more} more",
    span="{low} and {high}",
    elsewhere="{column} of {table}",
    operators={
        Operator.IS: "{column} is {value}",
        Operator.IS_NOT: "{column} is not {value}",
        Operator.IN: "{column} is one of {value}",
        Operator.NOT_IN: "{column} is none of {value}",
        Operator.CONTAINS: "{column} contains {value}",
        Operator.NOT_CONTAINS: "{column} does not contain {value}",
        Operator.STARTS_WITH: "{column} starts with {value}",
        Operator.NOT_STARTS_WITH: "{column} does not start with {value}",
        Operator.ENDS_WITH: "{column} ends with {value}",
        Operator.NOT_ENDS_WITH: "{column} does not end with {value}",
        Operator.LESS_THAN: "{column} is less than {value}",
        Operator.AT_MOST: "{column} is at most {value}",
        Operator.MORE_THAN: "{column} is more than {value}",
        Operator.AT_LEAST: "{column} is at least {value}",
        Operator.BETWEEN: "{column} is between {value}",
        Operator.NOT_BETWEEN: "{column} is not between {value}",
        Operator.BEFORE: "{column} is before {value}",
        Operator.ON_OR_AFTER: "{column} is on or after {value}",
        Operator.IN_LAST_DAYS: "{column} is within the last {value}",
        Operator.NOT_IN_LAST_DAYS: "{column} is not within the last {value}",
        Operator.IN_NEXT_DAYS: "{column} is within the next {value}",
        Operator.IN_CURRENT: "{column} is {value}",
        Operator.IN_PREVIOUS: "{column} is {value}",
        Operator.ANNIVERSARY_IN_NEXT_DAYS: "the anniversary of {column} is within the next {value}",
        Operator.ANY_OF: "{column} has any of {value}",
        Operator.ALL_OF: "{column} has all of {value}",
        Operator.NONE_OF: "{column} has none of {value}",
        Operator.EMPTY: "{column} is empty",
        Operator.NOT_EMPTY: "{column} is not empty",
    },
    day="{days} day",
    days="{days} days",
    anniversary_today="the anniversary of {column} is today",
    current={
        Period.DAY: "today",
        Period.WEEK: "in this week",
        Period.MONTH: "in this month",
        Period.YEAR: "in this year",
    },
    previous={
        Period.DAY: "yesterday",
        Period.WEEK: "in the week before this one",
        Period.MONTH: "in the month before this one",
        Period.YEAR: "in the year before this one",
    },
    counted="the number of rows in {table}{when}{where}{again}",
    measured="the {measure} of {column} in {table}{when}{where}",
    timed="the {measure} {column} in {table}{when}{where}",
    at_least_once="there is a row in {table}{when}{where}{again}",
    did_not="there is no row in {table}{when}{where}{again}",
    again=" that another one follows within {days}",
    last_days=" in the last {days}",
    since=" since {start}",
    until=" before {end}",
    during=" from {start} until before {end}",
    where=" (where {rule})",
    measures={
        Measure.SUM: "sum",
        Measure.AVERAGE: "average",
        Measure.MINIMUM: "minimum",
        Measure.MAXIMUM: "maximum",
        Measure.DISTINCT: "number of different values",
        Measure.FIRST: "first",
        Measure.LAST: "last",
    },
    amount="the amount",
    time="time",
    audience="they are in the audience {audience}",
    uploaded_list="they are in the list {list}",
    rfm="in the RFM model {model} {conditions}",
    rfm_types="the type is {types}",
    rfm_scores={
        "recency": "the recency score",
        "frequency": "the frequency score",
        "monetary": "the monetary score",
    },
    rfm_range="{score} is {low} to {high}",
    aipl="in the AIPL model {model} the stage is {stages}",
    aipl_on="in the AIPL model {model} the stage was {stages} on {day}",
    aipl_flow=(
        "in the AIPL model {model} the stage was {was} on {start} and became {became} by {end}"
    ),
    stages={
        Stage.AWARE: "aware",
        Stage.INTERESTED: "interested",
        Stage.PURCHASED: "purchased",
        Stage.LOYAL: "loyal",
        Stage.NONE: "none",
    },
    campaign="the campaign {campaign} {outcome}",
    because=" because of {reasons}",
    outcomes={
        Outcome.SENT: "was sent",
        Outcome.DELIVERED: "was delivered",
        Outcome.FAILED: "failed",
        Outcome.WAITING: "was sent and has no receipt yet",
        Outcome.CLICKED: "was clicked",
        Outcome.REPLIED: "was replied to",
        Outcome.OPTED_OUT: "brought an opt-out",
        Outcome.DROPPED: "dropped them",
    },
)

CHINESE: Final = Language(
    whole="{table}中满足以下条件的客户：{rule}。",
    everyone="无条件",
    every="，且",
    some="，或",
    negated="不满足（{rule}）",
    without="{rule}，但排除满足{others}的客户",
    group="（{rule}）",
    comma="、",
    either="或",
    more="{values}等（另有{more}个）",
    span="{low}和{high}",
    elsewhere="{table}的{column}",
    operators={
        Operator.IS: "{column}等于{value}",
        Operator.IS_NOT: "{column}不等于{value}",
        Operator.IN: "{column}为{value}之一",
        Operator.NOT_IN: "{column}不为{value}中的任何一个",
        Operator.CONTAINS: "{column}包含{value}",
        Operator.NOT_CONTAINS: "{column}不包含{value}",
        Operator.STARTS_WITH: "{column}以{value}开头",
        Operator.NOT_STARTS_WITH: "{column}不以{value}开头",
        Operator.ENDS_WITH: "{column}以{value}结尾",
        Operator.NOT_ENDS_WITH: "{column}不以{value}结尾",
        Operator.LESS_THAN: "{column}小于{value}",
        Operator.AT_MOST: "{column}不大于{value}",
        Operator.MORE_THAN: "{column}大于{value}",
        Operator.AT_LEAST: "{column}不小于{value}",
        Operator.BETWEEN: "{column}介于{value}之间",
        Operator.NOT_BETWEEN: "{column}不介于{value}之间",
        Operator.BEFORE: "{column}早于{value}",
        Operator.ON_OR_AFTER: "{column}不早于{value}",
        Operator.IN_LAST_DAYS: "{column}在最近{value}内",
        Operator.NOT_IN_LAST_DAYS: "{column}不在最近{value}内",
        Operator.IN_NEXT_DAYS: "{column}在未来{value}内",
        Operator.IN_CURRENT: "{column}在{value}",
        Operator.IN_PREVIOUS: "{column}在{value}",
        Operator.ANNIVERSARY_IN_NEXT_DAYS: "{column}的周年日在未来{value}内",
        Operator.ANY_OF: "{column}含有{value}中的任意一个",
        Operator.ALL_OF: "{column}同时含有{value}",
        Operator.NONE_OF: "{column}不含有{value}中的任何一个",
        Operator.EMPTY: "{column}为空",
        Operator.NOT_EMPTY: "{column}不为空",
    },
    day="{days}天",
    days="{days}天",
    anniversary_today="{column}的周年日是今天",
    current={
        Period.DAY: "今天",
        Period.WEEK: "本周",
        Period.MONTH: "本月",
        Period.YEAR: "今年",
    },
    previous={
        Period.DAY: "昨天",
        Period.WEEK: "上周",
        Period.MONTH: "上月",
        Period.YEAR: "去年",
    },
    counted="{when}{table}{where}的{again}记录数",
    measured="{when}{table}{where}中{column}的{measure}",
    timed="{when}{table}{where}中{measure}的{column}",
    at_least_once="{when}{table}{where}有{again}记录",
    did_not="{when}{table}{where}没有{again}记录",
    again="{days}内再次发生的",
    last_days="最近{days}内",
    since="{start}及以后",
    until="{end}之前",
    during="{start}（含）至{end}（不含）",
    where="（{rule}）",
    measures={
        Measure.SUM: "总和",
        Measure.AVERAGE: "平均值",
        Measure.MINIMUM: "最小值",
        Measure.MAXIMUM: "最大值",
        Measure.DISTINCT: "不同值个数",
        Measure.FIRST: "最早",
        Measure.LAST: "最晚",
    },
    amount="金额",
    time="时间",
    audience="属于人群{audience}",
    uploaded_list="在名单{list}中",
    rfm="在RFM模型{model}中{conditions}",
    rfm_types="类型为{types}",
    rfm_scores={"recency": "近度分", "frequency": "频度分", "monetary": "金额分"},
    rfm_range="{score}为{low}至{high}",
    aipl="在AIPL模型{model}中处于{stages}阶段",
    aipl_on="在AIPL模型{model}中{day}处于{stages}阶段",
    aipl_flow="在AIPL模型{model}中{start}处于{was}阶段，到{end}变为{became}阶段",
    stages={
        Stage.AWARE: "认知",
        Stage.INTERESTED: "兴趣",
        Stage.PURCHASED: "购买",
        Stage.LOYAL: "忠诚",
        Stage.NONE: "无",
    },
    campaign="活动{campaign}{outcome}",
    because="（原因：{reasons}）",
    outcomes={
        Outcome.SENT: "已向其发送短信",
        Outcome.DELIVERED: "的短信已送达",
        Outcome.FAILED: "的短信未能送达",
        Outcome.WAITING: "的短信尚无回执",
        Outcome.CLICKED: "的链接被其点击",
        Outcome.REPLIED: "收到其回复",
        Outcome.OPTED_OUT: "收到其退订",
        Outcome.DROPPED: "未向其发送",
    },
)
