"""The jobs of faster-coco-eval."""

from __future__ import annotations

import faster_coco_eval.core.mask as mask_api

from .coco_api import CocoApi

_api = CocoApi(mask_api)
encode_text = _api.encode_text
decode_text = _api.decode_text
label_map = _api.label_map
iou = _api.iou
paint_polygons = _api.paint_polygons
