"""Questions: requests and entities from JSON, as Cedar reads them, with a schema or without."""
