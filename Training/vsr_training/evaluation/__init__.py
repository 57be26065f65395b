"""Our models beside plain filters and other people's models, on pictures nobody trained on."""
