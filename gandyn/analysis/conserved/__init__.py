"""What stays the same along a flow or a rule's iterates, and how it is found."""
