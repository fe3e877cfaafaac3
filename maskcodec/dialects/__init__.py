"""How a geometry is spelt: one text format a file, each found and registered by itself."""
