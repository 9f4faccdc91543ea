"""The portal about itself, under /-/: who sees what, changes, problems, history, mail, health."""
