"""What Cedar's language speaks of: values, expressions, types."""
