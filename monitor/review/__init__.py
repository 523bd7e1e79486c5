"""What reviewers do: the match log, their verdicts, statistics and exports."""
