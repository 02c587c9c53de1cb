"""Jobs: one operating-system process each, claimed from a queue in the store and watched by one supervisor per host."""
