"""Train the tiny base model: a LLaVA of 3.6 million parameters that knows scenes but no masks.

    python -m maskcodec.training.tiny_base --output tiny --work work

It learns in two stages. First its eye alone: each patch says the colour, the noun and the edges of
the object in whose box it lies, through small heads that are dropped afterwards. Then all of it, by
next-token loss on the answers of conversations about scenes (`tiny_lessons`). Numbers are taught as
a narrow bell around the true one, which is what a number that was rounded means.

`maskcodec train --model tiny` starts from the model that ships with the package.
"""

from __future__ import annotations

import argparse
import pickle
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from tqdm import tqdm

from maskcodec import MaskCodecError
from maskcodec.commands.terminal import say
from maskcodec.datasets.scenes import SceneOptions
from maskcodec.writing import atomic_folder

from . import tiny_card
from .tiny_lessons import LOOKS, Batch, Lessons, scene_texts
from .tiny_model import WIDTH, make_model, make_processor
from .tiny_tokenizer import NUMBERS, number_ids, train_tokenizer

VERB = "tiny_base"

BELL = 0.8
"""Standard deviation of the bell around a number, in percent of the side: half a pixel."""


def make_parser() -> argparse.ArgumentParser:
    """The options of the program."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n")[0])
    parser.add_argument("--output", type=Path, required=True, help="folder of the finished model")
    parser.add_argument("--work", type=Path, required=True, help="folder of the latest checkpoint")
    parser.add_argument("--look-steps", type=int, default=2000, help="steps of the first stage")
    parser.add_argument("--talk-steps", type=int, default=3500, help="steps of the second stage")
    parser.add_argument("--batch", type=int, default=24, help="scenes a step")
    parser.add_argument("--rate", type=float, default=1.5e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1, help="of torch")
    parser.add_argument("--texts", type=int, default=3000, help="scenes the tokenizer is made of")
    parser.add_argument("--words", type=int, default=900, help="tokens at most, bytes included")
    parser.add_argument("--checkpoint-minutes", type=float, default=3)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Train, or go on with what the work folder holds; measure, write the model and its card."""
    try:
        run(make_parser().parse_args(argv))
    except (MaskCodecError, OSError) as error:
        say(VERB, str(error))
        return 2
    except KeyboardInterrupt:
        say(VERB, "interrupted; the same command goes on from the latest checkpoint")
        return 130
    return 0


def run(options: argparse.Namespace) -> None:
    """Do what `main` does, with options that were read already."""
    output: Path = options.output
    if output.exists() and not (output.is_dir() and not any(output.iterdir())):
        raise MaskCodecError(f"{output} exists already; give a new folder by --output")
    output.parent.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    tokenizer = kept_tokenizer(options.work / "tokenizer", options.texts, options.words)
    pupil = Pupil(tokenizer)
    train(pupil, tokenizer, options)
    model, processor = pupil.model.eval(), make_processor(tokenizer)
    model.set_attn_implementation("sdpa")
    model.to(torch.float16)  # measured as it is written
    figures = tiny_card.measure(model.to(torch.float32), processor)
    made = {
        "scenes": f"{options.batch * (options.look_steps + options.talk_steps):,}",
        "first stage": f"{options.look_steps:,} steps of {options.batch} scenes",
        "second stage": f"{options.talk_steps:,} steps of {options.batch} scenes",
        "highest learning rate": f"{options.rate:g} (AdamW), {2 * options.rate:g} (Muon)",
        "seed": options.seed,
        "torch": torch.__version__,
    }
    weights = sum(one.numel() for one in model.parameters())
    with atomic_folder(output) as part:
        model.to(torch.float16).save_pretrained(part)
        processor.save_pretrained(part)
        tiny_card.write_card(part / "README.md", figures, weights, made)
    print(f"{output}: " + ", ".join(f"{name} {value:.3f}" for name, value in figures.items()))


def kept_tokenizer(folder: Path, texts: int, words: int) -> Any:
    """The tokenizer of a run that goes on, or a new one, from the texts of so many scenes."""
    from transformers import PreTrainedTokenizerFast

    if not (folder / "tokenizer.json").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with atomic_folder(folder) as part:
            train_tokenizer(scene_texts(texts), words).save_pretrained(part)
    return PreTrainedTokenizerFast.from_pretrained(folder)


class Pupil(nn.Module):
    """The model, the heads of the first stage, and their losses.

    Args:
        tokenizer: of `tiny_tokenizer`.
    """

    numbers: torch.Tensor
    value: torch.Tensor
    bells: torch.Tensor

    def __init__(self, tokenizer: Any) -> None:
        super().__init__()
        self.model = make_model(tokenizer)
        self.model.set_attn_implementation("eager")  # backwards on a CPU, twice as fast as sdpa
        self.heads = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(LOOKS))
        numbers = torch.tensor(number_ids(tokenizer))
        value = torch.full((len(tokenizer),), -1)
        for ids in numbers:
            value[ids] = torch.arange(NUMBERS)
        steps = torch.arange(NUMBERS, dtype=torch.float32)
        bells = torch.exp(-0.5 * ((steps[:, None] - steps[None]) / BELL) ** 2)
        self.register_buffer("numbers", numbers)
        self.register_buffer("value", value)
        self.register_buffer("bells", bells / bells.sum(dim=1, keepdim=True))

    def see(self, pixels: torch.Tensor) -> torch.Tensor:
        """The embeddings of patches, (scenes, 64, width)."""
        found = self.model.model.get_image_features(pixel_values=pixels)
        found = getattr(found, "pooler_output", found)
        return torch.stack(list(found)) if isinstance(found, list | tuple) else found

    def look_loss(self, seen: torch.Tensor, looks: torch.Tensor) -> torch.Tensor:
        """How far the patches are from knowing their objects."""
        on = looks[:, :, 0] >= 0
        seen, looks = seen[on], looks[on]
        table = self.model.get_input_embeddings().weight
        total = seen.new_zeros(())
        for place, head in enumerate(self.heads):
            said = head(seen)
            if place < 2:
                total = total + functional.cross_entropy((said @ table.T).float(), looks[:, place])
            else:
                logits = (said @ table[self.numbers[1]].T).float()
                total = total + functional.cross_entropy(logits, self.bells[looks[:, place]])
        return total / LOOKS

    def talk_loss(self, seen: torch.Tensor, batch: Batch) -> torch.Tensor:
        """The next-token loss of the answers."""
        image = self.model.config.image_token_index
        words = self.model.get_input_embeddings()(batch.ids).to(seen.dtype)
        words[batch.ids == image] = seen.flatten(0, 1)
        states = self.model.model.language_model(inputs_embeds=words, use_cache=False)
        wanted = batch.labels[:, 1:]
        answers = wanted >= 0
        logits = self.model.lm_head(states.last_hidden_state[:, :-1][answers]).float()
        wanted = wanted[answers]
        log = functional.log_softmax(logits, dim=1)
        loss = -log.gather(1, wanted[:, None])[:, 0]
        value = self.value[wanted]
        for ids in self.numbers:
            here = (value >= 0) & (wanted == ids[value])
            loss = loss.masked_scatter(here, -(self.bells[value[here]] * log[here][:, ids]).sum(1))
        return loss.mean()


def train(pupil: Pupil, tokenizer: Any, options: argparse.Namespace) -> None:
    """Both stages, from the latest checkpoint on."""
    optimizers = make_optimizers(pupil, options.rate)
    path = options.work / "checkpoint.pt"
    options.work.mkdir(parents=True, exist_ok=True)
    first = 0
    if path.exists():
        first = restore(path, pupil, optimizers)
    last = options.look_steps + options.talk_steps
    precision = torch.autocast("cpu", torch.bfloat16, enabled=fast_bfloat16())
    written = time.monotonic()
    losses: list[float] = []
    with tqdm(total=last, initial=first, unit="step", mininterval=5) as bar:
        for step, batch in zip(
            range(first, last), batches(tokenizer, options, first), strict=False
        ):
            talking = step >= options.look_steps
            for optimizer in optimizers:
                for group in optimizer.param_groups:
                    group["lr"] = optimizer.defaults["lr"] * pace(step, options)
            with precision:
                seen = pupil.see(batch.pixels)
                loss = pupil.look_loss(seen, batch.looks)
                if talking:
                    loss = 0.3 * loss + pupil.talk_loss(seen, batch)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(pupil.parameters(), 1.0)
            for optimizer in optimizers:
                optimizer.step()
                optimizer.zero_grad()
            losses = [*losses[-99:], float(loss.detach())]
            bar.set_postfix(loss=f"{sum(losses) / len(losses):.3f}", refresh=False)
            bar.update()
            if step + 1 == last or time.monotonic() - written > 60 * options.checkpoint_minutes:
                states = [optimizer.state_dict() for optimizer in optimizers]
                save = {"pupil": pupil.state_dict(), "optimizers": states, "step": step + 1}
                torch.save(save, path.with_suffix(".part"))
                path.with_suffix(".part").replace(path)
                written = time.monotonic()


def restore(path: Path, pupil: Pupil, optimizers: Sequence[torch.optim.Optimizer]) -> int:
    """Go back to a checkpoint; the number of its next step comes back.

    Raises:
        MaskCodecError: it is damaged, or of another program.
    """
    try:
        saved = torch.load(path, weights_only=True)
        pupil.load_state_dict(saved["pupil"])
        for optimizer, state in zip(optimizers, saved["optimizers"], strict=True):
            optimizer.load_state_dict(state)
        return int(saved["step"])
    except (pickle.UnpicklingError, RuntimeError, EOFError, KeyError, TypeError, ValueError) as bad:
        what = str(bad).split("\n")[0]
        raise MaskCodecError(
            f"{path} is no checkpoint of this program, or damaged ({what}); remove it, and the "
            "same command begins anew"
        ) from bad


def make_optimizers(pupil: Pupil, rate: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the layers (twice its rate), AdamW for everything else."""
    names = dict(pupil.model.named_parameters())
    inner = [
        names[name]
        for name in names
        if names[name].ndim == 2 and "embed" not in name and "lm_head" not in name
    ]
    taken = {id(matrix) for matrix in inner}
    rest = [weights for weights in pupil.parameters() if id(weights) not in taken]
    return [
        torch.optim.Muon(inner, 2 * rate, weight_decay=0.0, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(rest, rate, (0.9, 0.98), weight_decay=0.01),
    ]


def batches(tokenizer: Any, options: argparse.Namespace, first: int) -> Iterator[Batch]:
    """Batches from number `first` on, made by a process of their own."""
    # A scene of one object teaches nothing about which of them is meant.
    scenes = replace(SceneOptions.tiny(), objects=(2, 4))
    lessons = Lessons(tokenizer, scenes, options.batch, first)
    loader = torch.utils.data.DataLoader(lessons, batch_size=None, num_workers=1, prefetch_factor=4)
    yield from loader


def pace(step: int, options: argparse.Namespace) -> float:
    """The share of the highest learning rate: a rise in each stage, a long fall at the end."""
    last = options.look_steps + options.talk_steps
    since = step if step < options.look_steps else step - options.look_steps
    rise = min(1.0, (since + 1) / 100)
    fall: float = (last - step) / (0.4 * options.talk_steps)
    return rise * min(1.0, 0.02 + 0.98 * fall)


def fast_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 faster than float32."""
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


if __name__ == "__main__":
    raise SystemExit(main())
