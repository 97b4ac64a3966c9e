"""What games are made of: expressions, torch functions and networks that answer for cost, field and products."""
