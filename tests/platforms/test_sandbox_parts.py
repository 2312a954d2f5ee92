import pytest
from hypothesis import given
from hypothesis import strategies as st

from textwave.kit.refusal import InvalidValue
from textwave.platforms.sandbox.agenda import Agenda
from textwave.platforms.sandbox.gate import Meter
from textwave.platforms.sandbox.messages import AnswerBook, MessageBook
from textwave.platforms.sandbox.outgoing import SandboxMessage, SandboxSend
from textwave.platforms.sandbox.pushes import link_target
from textwave.platforms.sandbox.settings import SandboxSettings
from textwave.platforms.sandbox.world import Sandbox, parts_of


@given(st.lists(st.floats(0, 1000), max_size=50), st.floats(0, 1000))
def test_the_agenda_gives_each_row_once_and_none_before_its_time(
    times: list[float], now: float
) -> None:
    agenda = Agenda()
    for row, at in enumerate(times):
        agenda.add_row(at, row)
    early = agenda.take(now).rows
    assert all(times[row] <= now for row in early)
    assert sorted([*early, *agenda.take(2000).rows]) == list(range(len(times)))


@given(st.lists(st.lists(st.text(max_size=5), max_size=4), max_size=6))
def test_the_book_gives_back_every_text_in_its_place(requests: list[list[str]]) -> None:
    book = MessageBook(1000)
    identity = 0
    for texts in requests:
        for _ in texts:
            identity += 1
            assert not book.see_again(identity)
            book.add(identity, 15550100000 + identity, 1, 0.0, 1)
        book.add_texts(f"s{identity}", texts)
    wanted = [text for texts in requests for text in texts]
    assert [item.content for item in book.page(0, 1000)] == wanted
    for after in range(len(wanted)):
        assert [item.content for item in book.page(after, 2)] == wanted[after : after + 2]


def test_the_oldest_answer_is_forgotten_first() -> None:
    answers = AnswerBook(2)
    for key in ("a", "b", "c"):
        answers.keep(key, key.encode())
    assert [answers.find(key) for key in ("a", "b", "c")] == [None, b"b", b"c"]


def test_the_meter_lets_through_what_the_rate_allows() -> None:
    meter = Meter()
    assert meter.wait_seconds(100, 100, 0.0) == 0
    assert meter.wait_seconds(50, 100, 0.0) == pytest.approx(0.5)
    assert meter.wait_seconds(50, 100, 0.5) == 0
    assert meter.wait_seconds(10**6, 0, 0.5) == 0


@pytest.mark.parametrize(
    ("characters", "parts"), [(1, 1), (70, 1), (71, 2), (134, 2), (135, 3), (500, 8)]
)
def test_parts_are_counted_as_the_mainland_does(characters: int, parts: int) -> None:
    assert parts_of(characters) == parts


@pytest.mark.parametrize(
    "change",
    [
        {"failed": 1.5},
        {"max_batch": 1001},
        {"delivered": 0.0, "failed": 0.0, "expired": 0.0, "no_receipt": 0.0},
        {"receipt_seconds": (3.0, 1.0)},
        {"textwave_url": "somewhere"},
    ],
)
def test_settings_that_make_no_sense_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(InvalidValue):
        SandboxSettings(**change)  # pyright: ignore[reportArgumentType] - by name


def world(seed: int, **changes: object) -> Sandbox:
    values = {"seed": seed, "receipt_seconds": (1.0, 1.0), "failed": 0.3, **changes}
    settings = SandboxSettings(**values)  # pyright: ignore[reportArgumentType] - by name
    return Sandbox(settings, clock=lambda: 1000.0)


def fates(sandbox: Sandbox, *sizes: int) -> dict[int, int]:
    identity = 0
    for size in sizes:
        batch: list[SandboxMessage] = []
        for _ in range(size):
            identity += 1
            batch.append(SandboxMessage(identity, f"154{identity:08d}", "text"))
        sandbox.take(SandboxSend(f"b{identity}", "s", "t", 1, batch))
    return {item.message_id: item.fate for item in sandbox.book.page(0, 1000)}


def test_a_run_repeats_whatever_the_batches_and_differs_by_seed() -> None:
    assert fates(world(1), 60) == fates(world(1), 7, 50, 3)
    assert fates(world(1), 60) != fates(world(2), 60)


def test_receipts_come_shuffled_if_they_shall() -> None:
    orders: list[list[int]] = []
    for shuffled in (True, True, False):
        sandbox = world(1, shuffled_receipts=shuffled, duplicate_receipts=0.0)
        fates(sandbox, 50)
        sandbox.clock = lambda: 2000.0
        sandbox.pass_time()
        orders.append(list(sandbox.receipt_rows))
    assert orders[0] == orders[1]
    assert sorted(orders[0]) == orders[2]
    assert orders[0] != orders[2]


def test_a_visit_that_leads_outside_is_not_made() -> None:
    assert link_target(SandboxSettings(), "https://somebody.example/abc") is None
    assert link_target(SandboxSettings(), "http://[broken") is None
    assert link_target(SandboxSettings(), "http://127.0.0.1:1/abc") is not None
