"""Programs that evaluate: they import `maskcodec` alone, never each other."""
