"""Fuzz every parser with atheris: any text at all must decode under repair.

    pip install atheris
    python tests/fuzz_parsers.py -max_total_time=60

The first byte chooses the codec. A finding is an exception other than `DecodeError` under `strict`,
any exception under `repair`, a wrong size, or a text that `strict` refuses and `repair` finds
nothing wrong with.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["maskcodec"]):
    import numpy as np
    from cases import CASES
    from test_contract import photo_masks

    from maskcodec import DecodeError

    CODECS = [case.codec for case in CASES]

SIZE = (24, 40)


def one_input(data: bytes) -> None:
    """Decode one input under both error modes."""
    if not data:
        return
    codec = CODECS[data[0] % len(CODECS)]
    text = data[1:].decode("utf-8", errors="surrogateescape")
    decoded = codec.decode(text, SIZE, errors="repair")
    assert np.shape(decoded.pixels) == (len(decoded.labels), *SIZE)
    try:
        codec.decode(text, SIZE)
    except DecodeError:
        assert decoded.repairs, codec.spec
    else:
        assert not decoded.repairs, codec.spec


def main() -> None:
    """Run until told to stop; the corpus starts from valid texts of every codec."""
    with tempfile.TemporaryDirectory() as corpus:
        for index, codec in enumerate(CODECS):
            for count in range(3):
                text = codec.encode(photo_masks()[:count], (96, 128))
                seed = bytes([index]) + text.encode()
                (Path(corpus) / f"{index}-{count}").write_bytes(seed)
        atheris.Setup([*sys.argv, corpus], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
