"""Programs that train: they import `maskcodec` alone, never each other."""
