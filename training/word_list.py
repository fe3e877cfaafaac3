r"""Choose the words that codec `shapetokens` spells boxes and codes with under `spelling=words`.

    python -m maskcodec.training.word_list --tokenizer qwen3=tokenizer.json gemma3=other.json \
        --avoid expressions.txt categories.txt --output words.txt

The words are single tokens, with the blank before them, of every vocabulary given, alone and in
any sequence; the later a vocabulary learned a word (the higher its id), the rarer it is. No word is
the beginning of another one, so that a word that was cut off is not taken for another. The list
that ships, `maskcodec/dialects/shapetokens_words.txt`, was made with the vocabularies of DeepSeek
V3, Gemma 3, GPT-4o (o200k_base), Llama 2, Llama 3.1 and Qwen 3, and holds none of the words that
people said of objects in the validation and test sets of RefCOCO, RefCOCO+, RefCOCOg and ReferIt,
nor any of the category names of COCO, LVIS and TACO. It stays as it is: another list would be
another format. `--check maskcodec/dialects/shapetokens_words.txt` says whether it holds for a
further vocabulary.
"""

from __future__ import annotations

import argparse
import gzip
import random
import re
from collections.abc import Iterable, Sequence, Set
from pathlib import Path

from tokenizers import Tokenizer

COUNT = 2_048

_WORD = re.compile(r"[a-z]{4,10}")
_BLANKS = ("Ġ", "▁")  # how vocabularies of bytes and of characters spell the blank before a word

# Words that begin so stay out: what may offend, what names a group of people, and `none`, which
# stands for itself in the format.
_AVOID = """
    abort abus anal anus arrog assass assault bastard bitch black bleed blood bomb boob bordel
    breast burgl butt cadav capitalism castr casualt chatt chick chink christ cigar clan cock
    coloni colored commun conspir corps crap crim crippl cruel damn dead death derog devil
    dick disab disgust drug drunk dumb erot evang executi explod explosi fag fanat fart fasc
    fatal fool fuck gambl gay genoc gook gore gyps hate hatred heil hell heroin hitler holoc
    homos hostile idiot ignor immigr imprison inferior infid insan insult islam jerk jew jihad
    junk kike kill kole lesb lust lynch maga male marij mascul massac mental merd migr minor
    miser misog mong moron murder musl nake nazi negr nigg nipple none nude obes obscen opium
    orgas orient paki penal penis perver pimp piss pistol porn prison propag prost prud psych
    punish punk puta puto queer rabi racis rape rapist rapp refug relig retard rifle sava
    scandal schei seduc selfish semen servant sever sex shit slaught slav slut sodom spic
    strang strip stup suck suicid supremac tard terror thigh thug tits tobacco tortur trannie
    trauma tribe trump ugly urin vagin victim violen vomit weed whore witch wound zion"""
AVOID = tuple(_AVOID.split())


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tokenizer", nargs="+", required=True, metavar="NAME=FILE")
    parser.add_argument(
        "--avoid",
        nargs="*",
        type=Path,
        default=[],
        metavar="FILE",
        help="leave out every word that stands in these texts (.gz too): labels, expressions",
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the words there")
    parser.add_argument("--check", type=Path, metavar="FILE", help="look at this list instead")
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Choose words, or read them, and print how each vocabulary takes them."""
    args = make_parser().parse_args(argv)
    tokenizers = {
        name: Tokenizer.from_file(file)
        for name, _, file in (entry.partition("=") for entry in args.tokenizer)
    }
    if args.check:
        words = args.check.read_text(encoding="ascii").split()
    else:
        avoid = set().union(*map(words_in, args.avoid))
        words = choose(tokenizers.values(), COUNT, avoid)
    print("vocabulary        size  single  in sequence  first id  median id")
    for name, tokenizer in tokenizers.items():
        ids = single_ids(tokenizer, words)
        places = sorted(ids.values()) or [0]
        print(
            f"{name:14}{tokenizer.get_vocab_size():8}{len(ids):8}"
            f"{holds_in_sequence(tokenizer, list(ids)):13}{places[0]:10}"
            f"{places[len(places) // 2]:11}"
        )
    if args.output:
        args.output.write_text("".join(f"{word}\n" for word in words), encoding="ascii")


def choose(tokenizers: Iterable[Tokenizer], count: int, avoid: Set[str]) -> list[str]:
    """The `count` rarest words that every vocabulary has: edges first, then codes, each a to z.

    Args:
        tokenizers: the vocabularies.
        count: how many words, an even number.
        avoid: words to leave out.

    Raises:
        SystemExit: the vocabularies share too few words.
    """
    vocabularies = [words_of(tokenizer) for tokenizer in tokenizers]
    shared = set.intersection(*map(set, vocabularies))
    sizes = [max(words.values()) for words in vocabularies]

    def lateness(word: str) -> float:
        """The mean of its ids, each as a part of its vocabulary."""
        ids = (words[word] / size for words, size in zip(vocabularies, sizes, strict=True))
        return sum(ids) / len(sizes)

    chosen: set[str] = set()
    begun: set[str] = set()  # all that a chosen word begins with
    for word in sorted(shared, key=lambda word: (-lateness(word), word)):
        beginnings = {word[:length] for length in range(1, len(word) + 1)}
        if word in avoid or word.startswith(AVOID) or word in begun or chosen & beginnings:
            continue
        chosen.add(word)
        begun |= beginnings
        if len(chosen) == count:
            break
    else:
        raise SystemExit(f"the vocabularies share only {len(chosen)} words, expected {count}")
    ordered = sorted(chosen)
    return ordered[0::2] + ordered[1::2]


def words_in(path: Path) -> set[str]:
    """Every word of a text, in lower case; the text may be packed by gzip."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as text:
        return {word for line in text for word in re.findall("[a-z]+", line.lower())}


def words_of(tokenizer: Tokenizer) -> dict[str, int]:
    """The lower-case words of a vocabulary that begin with a blank, and their ids."""
    found = {}
    for token, number in tokenizer.get_vocab(with_added_tokens=False).items():
        if token.startswith(_BLANKS) and _WORD.fullmatch(token[1:]):
            found[token[1:]] = number
    return found


def single_ids(tokenizer: Tokenizer, words: Iterable[str]) -> dict[str, int]:
    """The words that are one token after a label and a colon, and their ids."""
    found = {}
    before = tokenizer.encode("dog:", add_special_tokens=False).ids
    for word in words:
        ids = tokenizer.encode(f"dog: {word}", add_special_tokens=False).ids
        if ids[:-1] == before:
            found[word] = ids[-1]
    return found


def holds_in_sequence(tokenizer: Tokenizer, words: Sequence[str], rounds: int = 40) -> int:
    """In how many of `rounds` lines of all words in random order each is the token it is alone."""
    alone = single_ids(tokenizer, words)
    chance = random.Random(0)
    good = 0
    for _ in range(rounds):
        order = chance.sample(list(words), len(words))
        ids = tokenizer.encode(f"dog: {' '.join(order)}\ncat: none", add_special_tokens=False).ids
        start = len(tokenizer.encode("dog:", add_special_tokens=False).ids)
        good += ids[start : start + len(order)] == [alone[word] for word in order]
    return good


if __name__ == "__main__":
    main()
