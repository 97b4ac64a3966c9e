"""Maps and flows: trace a rule on symbols, iterate it, integrate the flow."""
