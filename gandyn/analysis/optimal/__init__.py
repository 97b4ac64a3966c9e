"""What to use: rates guaranteed over classes of games, and the parameters and rules that are best over them."""
