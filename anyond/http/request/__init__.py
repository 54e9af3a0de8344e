"""Requests: parameters, bodies and forms, each decoded or refused."""
