"""The configurations and processors of `tiny_models`, one function a family."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from maskcodec.image_only import image_only_class

_CORPUS = [
    "Segment the dog on the left. the cat: the red circle, the blue square; none.",
    "a b c d 0 1 2 3 4 5 6 7 8 9 10 20 30 40 50 60 70 80 90 100 all other image mask shape",
] * 4

_END, _PAD = "<|end|>", "<|pad|>"
_ROLES = ("<|system|>", "<|user|>", "<|assistant|>")

_TEMPLATE = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' }}"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}IMAGE"
    "{% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}{{ '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


@cache
def _bytes_tokenizer() -> str:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=360,
        show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )
    tokenizer.train_from_iterator(_CORPUS, trainer)
    return str(tokenizer.to_str())


def _tokenizer(*special: str, named: dict[str, str] | None = None, **kwargs: Any) -> Any:
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(_bytes_tokenizer()),
        eos_token=_END,
        pad_token=_PAD,
        extra_special_tokens=named or {},
        padding_side="left",
        model_max_length=2048,
        **kwargs,
    )
    rest = [AddedToken(token, special=True) for token in (*_ROLES, *special)]
    tokenizer.add_tokens(rest, special_tokens=True)
    return tokenizer


def _template(image: str) -> str:
    return _TEMPLATE.replace("IMAGE", image)


def _rows(tokenizer: Any) -> int:
    return int(-(-len(tokenizer) // 8) * 8)  # a little padded, as real vocabularies are


def _text(tokenizer: Any, **changes: Any) -> dict[str, Any]:
    """What every decoder of the Llama kind is given."""
    return {
        "vocab_size": _rows(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "max_position_embeddings": 2048,
        "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        **changes,
    }


def _tower(**changes: Any) -> dict[str, Any]:
    """What every vision tower of the ViT kind is given."""
    return {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": 56,
        "patch_size": 14,
        **changes,
    }


def _square(side: int) -> dict[str, int]:
    return {"height": side, "width": side}


def _llava() -> tuple[Any, Any, str]:
    from transformers import (
        CLIPImageProcessorPil,
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaProcessor,
    )

    tokenizer = _tokenizer(named={"image_token": "<image>"})
    processor = LlavaProcessor(
        CLIPImageProcessorPil(size={"shortest_edge": 56}, crop_size=_square(56)),
        tokenizer,
        patch_size=14,
        vision_feature_select_strategy="default",
        chat_template=_template("<image>"),
        num_additional_image_tokens=1,
    )
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(**_tower(projection_dim=32)),
        text_config=LlamaConfig(**_text(tokenizer)),
        image_token_id=tokenizer.image_token_id,
        vision_feature_layer=-1,
        image_seq_length=16,
    )
    return config, processor, "LlavaForConditionalGeneration"


def _qwen(version: str) -> tuple[Any, Any, str, dict[str, Any]]:
    """What both Qwens share: the processor and the ids of the tokens around images."""
    tokens = {
        "image_token": "<|image_pad|>",
        "video_token": "<|video_pad|>",
        "vision_start_token": "<|vision_start|>",
        "vision_end_token": "<|vision_end|>",
    }
    tokenizer = _tokenizer(named=tokens)
    import transformers

    patch = 14 if version == "2_5_" else 16
    images = transformers.Qwen2VLImageProcessorPil(
        patch_size=patch,
        size={"shortest_edge": (2 * patch) ** 2, "longest_edge": (4 * patch) ** 2},
        **({} if version == "2_5_" else {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}),
    )
    template = _template("<|vision_start|><|image_pad|><|vision_end|>")
    name = "Qwen2_5_VL" if version == "2_5_" else "Qwen3VL"
    processor = image_only_class(f"{name}Processor")(images, tokenizer, chat_template=template)
    ids = {f"{key}_id": tokenizer.convert_tokens_to_ids(token) for key, token in tokens.items()}
    return tokenizer, processor, f"{name}ForConditionalGeneration", ids


def _qwen2_5_vl() -> tuple[Any, Any, str]:
    from transformers import Qwen2_5_VLConfig

    tokenizer, processor, name, ids = _qwen("2_5_")
    rope = {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [2, 3, 3]}
    text = _text(tokenizer, rope_parameters=rope)
    del text["head_dim"]
    vision = {
        "depth": 2,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_heads": 2,
        "out_hidden_size": 32,
        "patch_size": 14,
        "window_size": 112,
        "fullatt_block_indexes": [1],
    }
    return Qwen2_5_VLConfig(text_config=text, vision_config=vision, **ids), processor, name


def _qwen3_vl() -> tuple[Any, Any, str]:
    from transformers import Qwen3VLConfig

    tokenizer, processor, name, ids = _qwen("3")
    rope = {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [4, 2, 2]}
    vision = {
        "depth": 2,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_heads": 2,
        "out_hidden_size": 32,
        "patch_size": 16,
        "num_position_embeddings": 64,
        "deepstack_visual_indexes": [0],
    }
    text = _text(tokenizer, rope_parameters=rope)
    return Qwen3VLConfig(text_config=text, vision_config=vision, **ids), processor, name


def _internvl() -> tuple[Any, Any, str]:
    from transformers import GotOcr2ImageProcessorPil, InternVLConfig, LlamaConfig

    tokens = {
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    }
    tokenizer = _tokenizer(named=tokens)
    processor = image_only_class("InternVLProcessor")(
        GotOcr2ImageProcessorPil(size=_square(56), crop_to_patches=False),
        tokenizer,
        image_seq_length=4,
        chat_template=_template("<IMG_CONTEXT>"),
    )
    vision = _tower(image_size=[56, 56], patch_size=[14, 14])
    config = InternVLConfig(
        vision_config=vision,
        text_config=LlamaConfig(**_text(tokenizer)),
        image_token_id=tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=4,
        downsample_ratio=0.5,
    )
    return config, processor, "InternVLForConditionalGeneration"


def _idefics(kind: str) -> tuple[Any, Any, str]:
    import transformers

    named = {
        "fake_image_token": "<fake_token_around_image>",
        "image_token": "<image>",
        "end_of_utterance_token": "<end_of_utterance>",
        "global_image_token": "<global-img>",
    }
    tokenizer = _tokenizer(named=named)
    images = getattr(transformers, f"{kind}ImageProcessorPil")(
        size={"longest_edge": 56}, max_image_size={"longest_edge": 56}, do_image_splitting=False
    )
    processor = image_only_class(f"{kind}Processor")(
        images, tokenizer, image_seq_len=4, chat_template=_template("<image>")
    )
    config = getattr(transformers, f"{kind}Config")(
        vision_config=_tower(),
        text_config=transformers.LlamaConfig(**_text(tokenizer)),
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        pad_token_id=tokenizer.pad_token_id,
        scale_factor=2,
    )
    return config, processor, f"{kind}ForConditionalGeneration"


def _idefics3() -> tuple[Any, Any, str]:
    return _idefics("Idefics3")


def _smolvlm() -> tuple[Any, Any, str]:
    return _idefics("SmolVLM")


def _paligemma() -> tuple[Any, Any, str]:
    from transformers import (
        Gemma2Config,
        PaliGemmaConfig,
        PaliGemmaProcessor,
        SiglipImageProcessorPil,
    )

    tokenizer = _tokenizer(named={"image_token": "<image>"}, bos_token="<bos>")
    images = SiglipImageProcessorPil(size=_square(56))
    images.image_seq_length = 16
    processor = PaliGemmaProcessor(images, tokenizer)
    text = _text(tokenizer, query_pre_attn_scalar=16, sliding_window=2048)
    config = PaliGemmaConfig(
        vision_config={
            "model_type": "siglip_vision_model",
            "projection_dim": 32,
            "vision_use_head": False,
            **_tower(),
        },
        text_config=Gemma2Config(**text),
        image_token_id=tokenizer.image_token_id,
        projection_dim=32,
    )
    return config, processor, "PaliGemmaForConditionalGeneration"


def _llava_onevision() -> tuple[Any, Any, str]:
    from transformers import (
        LlavaOnevisionConfig,
        LlavaOnevisionImageProcessorPil,
        Qwen2Config,
        SiglipVisionConfig,
    )

    named = {"image_token": "<image>", "video_token": "<video>"}
    tokenizer = _tokenizer(named=named)
    pinpoints = [[56, 56], [56, 112], [112, 56]]
    processor = image_only_class("LlavaOnevisionProcessor")(
        LlavaOnevisionImageProcessorPil(size=_square(56), image_grid_pinpoints=pinpoints),
        tokenizer,
        num_image_tokens=16,
        vision_feature_select_strategy="full",
        chat_template=_template("<image>"),
    )
    text = _text(tokenizer)
    del text["head_dim"]
    config = LlavaOnevisionConfig(
        vision_config=SiglipVisionConfig(**_tower(vision_use_head=False)),
        text_config=Qwen2Config(**text),
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        video_token_id=tokenizer.convert_tokens_to_ids("<video>"),
        image_grid_pinpoints=pinpoints,
        vision_feature_layer=-1,
    )
    return config, processor, "LlavaOnevisionForConditionalGeneration"


def _florence2() -> tuple[Any, Any, str]:
    from transformers import BartConfig, CLIPImageProcessorPil, Florence2Config, Florence2Processor

    tokenizer = _tokenizer(named={"image_token": "<image>"}, bos_token="<bos>")
    images = CLIPImageProcessorPil(size=_square(64), do_center_crop=False)
    images.image_seq_length = 5
    processor = Florence2Processor(images, tokenizer)
    text = BartConfig(
        vocab_size=_rows(tokenizer),
        d_model=32,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        max_position_embeddings=2048,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        decoder_start_token_id=tokenizer.eos_token_id,
        forced_eos_token_id=None,
    )
    vision = {
        "depths": (1, 1, 1, 1),
        "embed_dim": (8, 16, 16, 32),
        "num_heads": (1, 2, 2, 2),
        "num_groups": (1, 2, 2, 2),
        "window_size": 4,
        "projection_dim": 32,
        "drop_path_rate": 0.0,
    }
    config = Florence2Config(
        vision_config=vision, text_config=text, image_token_id=tokenizer.image_token_id
    )
    return config, processor, "Florence2ForConditionalGeneration"


BUILDERS: dict[str, Callable[[], tuple[Any, Any, str]]] = {
    "llava": _llava,
    "qwen2_5_vl": _qwen2_5_vl,
    "qwen3_vl": _qwen3_vl,
    "internvl": _internvl,
    "idefics3": _idefics3,
    "smolvlm": _smolvlm,
    "paligemma": _paligemma,
    "llava_onevision": _llava_onevision,
    "florence2": _florence2,
}
"""Each family: its configuration, its processor, and the name of its class."""
