"""The networks, each a file that reads like its paper's figure."""
