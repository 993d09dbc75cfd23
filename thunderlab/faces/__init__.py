"""Faces: the command line, the notebook runner, the report; what people and machines see of the lab."""
