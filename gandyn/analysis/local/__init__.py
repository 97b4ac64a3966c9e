"""What happens near one point: the linear part, its spectrum, what it decides, and what decides where it does not."""
