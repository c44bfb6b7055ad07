"""SIP as GB/T 28181 needs it (RFC 3261), without sockets or clocks: messages, digest, transactions, dialogs."""
