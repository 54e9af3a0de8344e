"""Operations on projects and attempts: linear async functions, one subject a file."""
