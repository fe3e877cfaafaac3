"""Programs that measure: speed, rate and distortion. They import `maskcodec` alone."""
