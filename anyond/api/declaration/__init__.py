"""The parts that an endpoint is declared with."""
