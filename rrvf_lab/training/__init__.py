"""What a trainer needs."""
