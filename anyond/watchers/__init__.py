"""Observers: they follow what others write down, and own nothing that can be stopped."""
