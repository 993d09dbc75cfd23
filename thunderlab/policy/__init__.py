"""Policy: Cedar text in, signed verdicts out, history replayed in bulk."""
