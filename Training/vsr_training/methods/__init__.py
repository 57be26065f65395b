"""Ways to train a one-step network; each turns a batch into named, weighted loss terms."""
