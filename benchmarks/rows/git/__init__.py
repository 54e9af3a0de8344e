"""Rows about attempts in large repositories, beside git itself."""
