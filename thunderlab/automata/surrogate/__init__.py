"""Learned one-step predictors, and how far they hold."""
