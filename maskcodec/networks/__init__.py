"""Published mask tokenizers as torch networks, and their weights as files.

Nothing here is imported before a codec needs it. The published files could not be had where this
was written: the layouts were checked by name and shape, and run with random weights.
"""
