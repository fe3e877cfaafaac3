"""NumPy twins of the kernels in `_ext/`: slow, readable, and their specification."""
