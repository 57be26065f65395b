"""Images, what is done to them, and the pairs that training draws."""
