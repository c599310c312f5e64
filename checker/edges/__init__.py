"""All input and output, and nothing else: files, clock, logs, mailboxes, delivery, the store."""
