"""The version of the declaration language, which `version:` in modules.yaml names."""

VERSION = 1
