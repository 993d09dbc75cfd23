"""What is measured on states and on their course."""
