"""Programs that contributors run and nobody installs."""
