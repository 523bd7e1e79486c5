"""Who may do what: four roles of staff, each of which may do all that those before it may, and the public."""

from __future__ import annotations

from enum import IntEnum


class Role(IntEnum):
    """What a visitor may do; a higher role includes the lower ones."""

    PUBLIC = 0
    VIEWER = 1
    REVIEWER = 2
    EDITOR = 3
    OPERATOR = 4

    @property
    def word(self) -> str:
        """The role as it is stored and typed, such as ``reviewer``."""
        return self.name.lower()


STAFF_ROLES = (Role.VIEWER, Role.REVIEWER, Role.EDITOR, Role.OPERATOR)
"""The roles that a person on the staff may have."""


def role_of(word: str) -> Role:
    """The role with this name.

    Raises:
        ValueError: There is no such role of staff.
    """
    for role in STAFF_ROLES:
        if role.word == word:
            return role
    raise ValueError(f"role {word!r}: write one of {', '.join(role.word for role in STAFF_ROLES)}")
