"""The nouns as frozen values, and the arithmetic of text, time and languages. No I/O of any kind."""
