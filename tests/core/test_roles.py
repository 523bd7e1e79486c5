"""A role includes those before it; a name that is none is refused."""

from __future__ import annotations

import pytest

from monitor.core.roles import STAFF_ROLES, Role, role_of


def test_roles_rise_from_the_public_to_the_operator() -> None:
    assert [role.word for role in sorted(Role)] == ["public", "viewer", "reviewer", "editor", "operator"]
    assert set(STAFF_ROLES) == set(Role) - {Role.PUBLIC}


@pytest.mark.parametrize("role", STAFF_ROLES)
def test_a_role_is_found_by_its_word(role: Role) -> None:
    assert role_of(role.word) is role


@pytest.mark.parametrize("word", ["public", "Viewer", "admin", ""])
def test_the_public_is_no_role_of_staff(word: str) -> None:
    with pytest.raises(ValueError, match="write one of viewer, reviewer, editor, operator"):
        role_of(word)
