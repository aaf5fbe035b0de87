"""The commands of `tongdao`, one a module; each imports late, so that help is quick."""
