"""The command line: one file per group of commands; a command returns an `Answer`, and `app` alone prints."""
