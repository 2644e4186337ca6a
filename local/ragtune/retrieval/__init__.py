"""Documents → chunks → an index → passages."""
