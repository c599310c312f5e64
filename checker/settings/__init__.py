"""Every setting, typed and checked; the texts of its errors name file, key and what to do.

Pure: :func:`build` takes a parsed TOML document and the folder that relative paths count from;
reading the file is :mod:`checker.edges.files`'s work. Every key has a default, so that an empty
document is the embedded service (Maildir in, Maildir out, SQLite) and a file holds differences only.
"""

from .digest import LINK_FIELDS, DigestSettings, DigestTeam, Schedule
from .mail import ImapMailbox, Mailbox, MaildirMailbox, MaildirOutgoing, Outgoing, SendingSettings, SmtpOutgoing
from .rule_files import RuleFiles
from .sections import (
    DatabaseSettings,
    FolderSettings,
    HosterSettings,
    LogSettings,
    MetricsSettings,
    OfficeHours,
    ReaderSettings,
    RegistrySettings,
    ReplySettings,
    SenderSettings,
    ServiceSettings,
)
from .values import LANGUAGES, WEEKDAYS, PasswordFrom, SettingsError
from .whole import Settings, build

__all__ = [
    "LANGUAGES",
    "LINK_FIELDS",
    "WEEKDAYS",
    "DatabaseSettings",
    "DigestSettings",
    "DigestTeam",
    "FolderSettings",
    "HosterSettings",
    "ImapMailbox",
    "LogSettings",
    "Mailbox",
    "MaildirMailbox",
    "MaildirOutgoing",
    "MetricsSettings",
    "OfficeHours",
    "Outgoing",
    "PasswordFrom",
    "ReaderSettings",
    "RegistrySettings",
    "ReplySettings",
    "RuleFiles",
    "Schedule",
    "SenderSettings",
    "SendingSettings",
    "ServiceSettings",
    "Settings",
    "SettingsError",
    "SmtpOutgoing",
    "build",
]
