"""The portal about itself, under /-/: health, problems, history, mail that goes out and comes in."""
