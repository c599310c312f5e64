"""The store: what is known of mails, tickets and deliveries, and nothing that may not lie about."""
