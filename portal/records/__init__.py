"""The rows of one module within one policy: what they are, how they are asked for, written, indexed and transferred."""
