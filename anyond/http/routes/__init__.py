"""One module per chapter of the API: what answers each endpoint, given what was decoded."""
