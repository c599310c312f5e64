"""Who may speak for which server: the hoster's own list of customers. Pure.

A list says which senders own which service IDs, addresses and hostnames. What it does not give to a sender
is foreign to them, also when nobody else has it: doubt about a right is no right.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

COLUMNS: Final = ("sender", "service_ids", "addresses", "hostnames")
_BETWEEN: Final = re.compile(r"[\s;,]+")


class CustomerError(ValueError):
    """A row of the list that cannot be understood; the text names it and says what to do."""


@dataclass(frozen=True, slots=True)
class Customer:
    """One row: a sender pattern and what its senders may speak for.

    ``pattern`` is an address (``ada@kunde.example``) or a domain (``@kunde.example``, its subdomains not
    included); lower case. A hostname ``*.kunde.example`` stands for every name below it.
    """

    pattern: str
    service_ids: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()
    hostnames: frozenset[str] = frozenset()

    def is_sender(self, sender: str) -> bool:
        """Whether the row is about this address."""
        sender = sender.lower()
        return sender == self.pattern or (self.pattern.startswith("@") and sender.endswith(self.pattern))

    def owns(self, server: str) -> bool:
        """Whether a service ID, address or hostname is among the row's."""
        name = server.strip().lstrip("#").rstrip(".").lower()
        if name in self.service_ids or name in self.hostnames:
            return True
        if any(h.startswith("*.") and name.endswith(h[1:]) for h in self.hostnames):
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return any(address in network for network in self.networks)


@dataclass(frozen=True, slots=True)
class Holding:
    """A sender, and the rows of the list that are about them; no rows for somebody who is not on it."""

    sender: str
    customers: tuple[Customer, ...]


class Customers(Protocol):
    """The list, wherever it is kept."""

    def of(self, sender: str) -> tuple[Customer, ...]:
        """The rows about a sender. Raises :class:`checker.edges.store.engine.StoreError` when it cannot be read."""
        ...


def customer(row: Mapping[str, object], where: str) -> Customer:
    """A row as written: lists within a cell are parted by blanks, commas or semicolons.

    ``where`` names the row in errors. Raises :class:`CustomerError`.
    """
    pattern = _cell(row, "sender").lower().removeprefix("*")
    if pattern.count("@") != 1 or pattern.endswith("@") or any(c.isspace() or c == "*" for c in pattern):
        raise CustomerError(f"{where}: sender {pattern!r}: write an address, or @kunde.example for a whole domain")
    networks = []
    for text in _list(row, "addresses"):
        try:
            networks.append(ipaddress.ip_network(text, strict=False))
        except ValueError:
            raise CustomerError(f"{where}: addresses: {text!r} is none; write 203.0.113.7 or 203.0.113.0/28") from None
    return Customer(
        pattern=pattern,
        service_ids=frozenset(x.lstrip("#") for x in _list(row, "service_ids")),
        networks=tuple(networks),
        hostnames=frozenset(x.rstrip(".") for x in _list(row, "hostnames")),
    )


def foreign(servers: Iterable[str], holdings: Iterable[Holding]) -> tuple[tuple[str, str], ...]:
    """Sender and server for everything named that one of those who spoke may not speak for."""
    named = tuple(servers)
    return tuple((h.sender, s) for h in holdings for s in named if not any(c.owns(s) for c in h.customers))


def _cell(row: Mapping[str, object], column: str) -> str:
    value = row.get(column)
    return "" if value is None else str(value).strip()


def _list(row: Mapping[str, object], column: str) -> tuple[str, ...]:
    return tuple(x.lower() for x in _BETWEEN.split(_cell(row, column)) if x)
