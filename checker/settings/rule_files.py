"""The rule files as read, before anybody knows what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RuleFiles:
    """The rule files as read: path below the rules folder (``lang/it/mail.toml``) to TOML document.

    ``version`` is a hash of their content: two services with the same version judge alike.
    """

    version: str
    files: Mapping[str, Mapping[str, object]]

    def packs(self, name: str) -> dict[str, Mapping[str, object]]:
        """The language packs' files of one name: language to document, in the order of the languages' codes."""
        found = {}
        for path in sorted(self.files):
            parts = path.split("/")
            if len(parts) == 3 and parts[0] == "lang" and parts[2] == name:
                found[parts[1]] = self.files[path]
        return found
