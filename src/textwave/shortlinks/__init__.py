"""Short links: where they lead, under which domain, until when, and who opened them."""
