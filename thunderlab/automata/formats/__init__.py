"""Files of patterns and pictures, one module per format."""
