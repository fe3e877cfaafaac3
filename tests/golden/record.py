"""Adds the texts of new specs to contract.json; never changes one that is there.

python tests/golden/record.py
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from cases import CASES
from test_contract import GOLDEN, photo_masks

if __name__ == "__main__":
    golden = json.loads(GOLDEN.read_text(encoding="utf-8")) if GOLDEN.exists() else {}
    for case in CASES:
        codec = case.codec
        golden.setdefault(codec.spec, codec.encode(photo_masks(), (96, 128)))
    text = json.dumps(golden, indent=1, ensure_ascii=False, sort_keys=True)
    GOLDEN.write_text(text + "\n", encoding="utf-8")
