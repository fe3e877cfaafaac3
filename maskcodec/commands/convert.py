"""`maskcodec convert`: a published checkpoint to the weights that a codec finds."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import arguments as args

DESCRIPTION = """\
Read the published weights of a mask tokenizer, check every name and shape, and write them as one
file, which the codec of that name finds.

  himtok     himtok.pth, or the safetensors of a whole HiMTok model (all parts of it), whose names
             begin with mask_decoder.
  paligemma  vae-oid.npz; kernels in torch's order or in JAX's

No pickle is run: .pth is read with weights_only, .npz without pickles. Without --output the file
is NETWORK.npz in the folder of weights, which is $MASKCODEC_WEIGHTS or ~/.cache/maskcodec/weights.
A file elsewhere is named in the spec: himtok:weights=FILE.npz for one in that folder, or with a
path that has a slash. Needs torch."""

EXAMPLES = """\
  maskcodec convert paligemma vae-oid.npz
  maskcodec convert himtok himtok.pth
  maskcodec convert himtok model-*.safetensors --decoder-only -o weights/himtok.npz"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = args.add_verb(
        subparsers, "convert", "published weights for a codec", DESCRIPTION, EXAMPLES
    )
    parser.add_argument("network", choices=("himtok", "paligemma"), help="whose weights they are")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="see above")
    parser.add_argument("--output", "-o", type=Path, metavar="OUT", help="the file to write (.npz)")
    parser.add_argument("--overwrite", action="store_true", help="replace OUT if it exists")
    parser.add_argument(
        "--decoder-only",
        action="store_true",
        help="himtok: take only what turns codes into masks, as far as a model holds no more",
    )
    parser.add_argument(
        "--skip",
        action="append",
        default=[],
        metavar="PREFIX",
        help="leave out tensors whose names begin so (may stand more than once)",
    )
    args.add_quiet(parser)


def run(arguments: argparse.Namespace) -> int:
    """Convert one checkpoint."""
    from ..errors import MaskCodecError
    from ..networks.weights import folder
    from ..writing import check_output
    from .terminal import say

    output: Path | None = arguments.output
    if output is None:
        output = folder() / f"{arguments.network}.npz"
        output.parent.mkdir(parents=True, exist_ok=True)
    elif output.suffix != ".npz":
        raise MaskCodecError(f"{output}: the name of a file of weights ends in .npz")
    check_output(output, may_exist=arguments.overwrite)
    if arguments.decoder_only and arguments.network != "himtok":
        raise MaskCodecError("--decoder-only goes with himtok")
    try:
        from ..networks import conversion
        from ..networks.himtok import HiMTokConfig
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MaskCodecError("needs torch; pip install 'maskcodec[torch]'") from None
    count = conversion.convert(
        arguments.network,
        arguments.files,
        output,
        warn=lambda message: say("convert", f"warning: {message}"),
        skip=arguments.skip,
        config=HiMTokConfig(parts="decoder") if arguments.decoder_only else None,
    )
    if not arguments.quiet:
        say("convert", f"{output}: {count:,} weights")
    return 0
