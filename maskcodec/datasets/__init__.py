"""Masks in the files that people have, and decoded masks in files that other tools read.

Readers turn COCO json, label maps, mask images, arrays and JSONL of run lengths into entries (see
`sample`); `inputs` picks the reader of a path. Writers take decoded masks the other way.
"""
