"""What is said of an audience besides its rule: name, description, folder, visibility, refresh.

Refused are texts that cannot be shown, that would be no part of an address, or are too long.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Final

from textwave.audiences.store import Audience, Particulars
from textwave.customers.schedule import check_refresh
from textwave.kit.refusal import InvalidValue, Refusal

LONGEST_NAME: Final = 100
LONGEST_DESCRIPTION: Final = 1_000
LONGEST_FOLDER: Final = 100


@dataclass(eq=False)
class AudienceArchived(Refusal):
    """The audience was put away."""

    code: ClassVar[str] = "audience_archived"
    audience: str

    @property
    def sentence(self) -> str:
        return (
            f"The audience “{self.audience}” is archived: it is neither computed, changed nor sent "
            "to. Unarchive it first."
        )


def check_name(name: str) -> str:
    """Return an audience's name without space around it.

    Raises:
        InvalidValue: it is no name of 1 to 100 printable characters without “/”.
    """
    name = name.strip()
    fits = 1 <= len(name) <= LONGEST_NAME and name.isprintable()
    if not fits or "/" in name or name in (".", ".."):
        problem = (
            f"An audience has a name of 1 to {LONGEST_NAME} printable characters without “/”; "
            "folders are given apart."
        )
        raise InvalidValue("name", problem)
    return name


def check_particulars(given: Particulars) -> Particulars:
    """Return the particulars in their one spelling.

    Raises:
        InvalidValue: description or folder cannot be taken.
        RefreshUnfit: see `check_refresh`.
    """
    return replace(
        given,
        description=_checked_description(given.description),
        folder=check_folder(given.folder),
        refresh=check_refresh(given.refresh),
    )


def check_folder(folder: str) -> str:
    """Return a folder as `part/part`, '' for none.

    Raises:
        InvalidValue: it has more than 100 characters or ones that cannot be shown.
    """
    written = "/".join(part.strip() for part in folder.split("/") if part.strip())
    if len(written) > LONGEST_FOLDER or not written.isprintable():
        problem = (
            f"A folder has at most {LONGEST_FOLDER} printable characters, its parts divided by "
            "“/”, such as “2026/spring”."
        )
        raise InvalidValue("folder", problem)
    return written


def check_not_archived(audience: Audience) -> None:
    """Refuse an archived audience.

    Raises:
        AudienceArchived: it is one.
    """
    if audience.archived_at is not None:
        raise AudienceArchived(audience.name)


def _checked_description(description: str) -> str:
    written = description.strip()
    if len(written) > LONGEST_DESCRIPTION or not written.replace("\n", "").isprintable():
        problem = f"A description has at most {LONGEST_DESCRIPTION:,} printable characters."
        raise InvalidValue("description", problem)
    return written
