"""Does the sandbox's token endpoint answer as Keycloak's does?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scripts.lib.congruence.tokens import REASONS, TABLE, compare_all, page

if TYPE_CHECKING:
    from scripts.lib.keycloak.realm import Admin
    from scripts.lib.keycloak.server import KeycloakServer

pytestmark = pytest.mark.slow


def test_every_difference_has_a_reason_and_stands_in_the_table(keycloak: KeycloakServer, admin: Admin) -> None:
    rows = compare_all(keycloak, admin)
    assert len(rows) >= 40
    unexplained = {
        row.question: dict(zip(row.differences, row.reasons, strict=True)) for row in rows if not row.is_explained
    }
    assert unexplained == {}
    assert TABLE.read_text(encoding="utf-8") == page(rows)
    given = {reason for row in rows for reason in row.reasons}
    assert set(REASONS.values()) <= given, "a reason that explains nothing any more"
