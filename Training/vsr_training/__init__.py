"""Training and measuring of the one-step super-resolution networks that vsr ships."""
