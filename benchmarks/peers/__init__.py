"""Any daemon that speaks the API of vibe-kanban 0.0.116, measured in one run; `make bench-peers`.

Nothing here imports Anyon, or assumes anything of it.
"""
