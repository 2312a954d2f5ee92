"""What a digital campaign needs beyond a text: the signature of its template, and a carrier."""

from textwave.campaigns import digital_store
from textwave.campaigns.brief import Brief
from textwave.campaigns.draft import NotReadyToStart
from textwave.kit.refusal import InvalidValue
from textwave.platforms.contract import MessageType
from textwave.storage.ledger import Connection


async def check_digital_signature(connection: Connection, brief: Brief) -> None:
    """Accept a campaign whose digital templates speak under its signature.

    Raises:
        InvalidValue: one was approved under another.
    """
    if brief.type != MessageType.digital:
        return
    other = await digital_store.other_signature(connection, brief.workspace_id, brief.id)
    if other is not None:
        problem = (
            f"the digital template “{other.template}” is reviewed under the signature "
            f"“{other.signature}” and goes out under that one only. Choose it."
        )
        raise InvalidValue("signature", problem)


async def check_carriers(connection: Connection, brief: Brief) -> None:
    """Accept a campaign whose digital templates at least one carrier has approved, all of them.

    Raises:
        NotReadyToStart: nobody would get a message.
    """
    if brief.type != MessageType.digital or brief.template_state != "approved":
        return
    if not await digital_store.approving_carriers(connection, brief.workspace_id, brief.id):
        problem = (
            "is not approved by any carrier now, so nobody would get it. Submit it again, or make "
            "a copy and submit that."
        )
        raise NotReadyToStart("template", brief.template, problem)
