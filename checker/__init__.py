"""Reads a hoster's support mail and checks it against the intervention procedure.

The map of the house; data goes one way, left to right::

    mailbox -> Message -> zones -> findings -> verdict -> actions -> outbox and store

- :mod:`checker.model` -- the frozen domain types that everything else speaks in
- :mod:`checker.settings` -- every setting with its default, and the errors that say what to do
- :mod:`checker.pipeline` -- the flow, readable in one sitting
- :mod:`checker.mail` -- bytes to :class:`~checker.model.Message`: MIME, text, zones, machines, threads
- :mod:`checker.extract` -- zones to findings: identifiers, credentials, statements, windows, parts
- :mod:`checker.comply` -- the hoster's rule files, and findings over a thread to a verdict
- :mod:`checker.answer` -- a verdict to replies, reminders and the staff digest
- :mod:`checker.service` -- one round: gather, decide, apply; outbox, reminders, scheduler
- :mod:`checker.edges` -- all IO: IMAP, Maildir, SMTP, store, files, clock, logs
- :mod:`checker.cli` -- one module per command
- :mod:`checker.deploy` -- a systemd unit and a container file, as text
- :mod:`checker.reader` -- training of a second reader beside the rules; not in use yet
- :mod:`checker.demo` -- ``make run``: the whole job on sample mail

``mail``, ``extract``, ``comply`` and ``answer`` are pure: no IO, no clock, no globals; a test walks the
imports and fails on an arrow that points back.
"""

__version__ = "0.1.0"
