"""A causal language model of Hugging Face behind the little that probes ask of ours.

`HFModel` gives logits, attention weights, residual stream and unembedding, and silences a head. It finds these places by
structure, so that no architecture is named here; code that comes with a model is never run.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from data.errors import InputError, NotApplicableError
from trainer.config import ModelConfig

_PROJECTIONS = {"o_proj", "out_proj", "c_proj", "dense", "wo"}


class HFModel(nn.Module):
    """A causal language model of Hugging Face, behind the interface that probes share between it and our GPT.

    Parameters
    ----------
    model : a model made with ``attn_implementation="eager"``, the only one that returns attention weights.
    config : its shape.
    """

    def __init__(self, model: Any, config: ModelConfig):
        super().__init__()
        self.model = model
        self.config = config

    def forward(
        self,
        idx: Tensor,
        targets: Tensor | None = None,
        *,
        mask: Tensor | None = None,
        positions: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Return the logits (B, T, vocab_size) and, where targets (B, T) are given, their mean loss in nats per token.

        ``mask`` and ``positions`` are those of our GPT. Not every class heeds them: `supports_mask` tries it.
        """
        more: dict[str, Tensor] = {}
        if mask is not None:
            dtype = next(self.model.parameters()).dtype
            hidden = torch.zeros(mask.shape, dtype=dtype, device=mask.device)
            more["attention_mask"] = hidden.masked_fill(~mask, torch.finfo(dtype).min)  # added to the scores
        if positions is not None:
            more["position_ids"] = positions
        logits = self.model(idx, use_cache=False, **more).logits
        if targets is None:
            return logits, None
        return logits, F.cross_entropy(logits.view(-1, logits.size(-1)), targets.reshape(-1))

    def next_logits(self, idx: Tensor, past: Any = None) -> tuple[Tensor, Any]:
        """Read on from what was read before, and return the logits of what follows.

        Parameters
        ----------
        idx : token ids, (B, T), that follow those of ``past``.
        past : what an earlier call returned; it is used up.

        Returns
        -------
        The logits after the last token, (B, vocab_size), and keys and values of all tokens so far, or None where the class keeps none.
        """
        given = {} if past is None else {"past_key_values": past}
        found = self.model(idx, use_cache=True, **given)
        return found.logits[:, -1], getattr(found, "past_key_values", None)

    def observe(
        self, idx: Tensor, *, attention: bool = False, residual: bool = False
    ) -> tuple[list[Tensor], list[Tensor], Tensor]:
        """Return the attention weights of each layer, the residual stream before the first block and after each, and the logits.

        Parameters
        ----------
        idx : token ids, (B, T).
        attention, residual : what is wanted besides the logits; the rest is empty.

        Returns
        -------
        A tensor (B, n_head, T, T) a layer, a tensor (B, T, C) a layer and one more, and (B, T, vocab_size).
        """
        stream: list[Tensor] = []
        with contextlib.ExitStack() as stack:
            if residual:  # by hooks: the last of Hugging Face's own hidden states is normalised already
                blocks = self.blocks()
                for block in blocks:
                    stack.enter_context(
                        _removed(block.register_forward_pre_hook(_keep_input(stream), with_kwargs=True))
                    )
                stack.enter_context(
                    _removed(blocks[-1].register_forward_hook(lambda _, __, out: stream.append(_first(out))))
                )
            found = self.model(idx, use_cache=False, output_attentions=attention)
        weights = list(found.attentions or ()) if attention else []
        if attention:
            self._check_attention(weights)
        return weights, stream, found.logits

    def _check_attention(self, weights: list[Tensor]) -> None:
        if len(weights) != self.config.n_layer or any(layer is None for layer in weights):
            raise NotApplicableError(
                f"{type(self.model).__name__} returns no attention weights for each of its {self.config.n_layer} layers: "
                "probes of attention do not apply to it"
            )
        off = max(float((layer.sum(-1) - 1).abs().max()) for layer in weights)
        if off > 1e-3:
            raise NotApplicableError(
                f"the attention weights that {type(self.model).__name__} returns do not sum to 1 (they are off by {off:.2g}): "
                "probes of attention do not apply to it"
            )

    def unembed(self, x: Tensor) -> Tensor:
        """Turn the residual stream (B, T, C) into logits (B, T, vocab_size), by whatever the class does after its last block.

        The blocks run on made tokens and the output of the last is replaced by ``x``: so the final norm, the head and any scaling of
        the logits are the model's own, without knowing their names. It costs a pass through the model.
        """

        def replace(_: Any, __: Any, output: Any) -> Any:
            return type(output)([x, *output[1:]]) if isinstance(output, (tuple, list)) else x

        with _removed(self.blocks()[-1].register_forward_hook(replace)):
            logits: Tensor = self.model(torch.zeros(x.shape[:2], dtype=torch.long), use_cache=False).logits
        return logits

    @contextlib.contextmanager
    def ablate_head(self, layer: int, head: int) -> Iterator[None]:
        """Replace what one head gathers by zeros while the context lasts (zero ablation)."""
        projection, n_head = _output_projection(self.blocks()[layer]), self.config.n_head

        def silence(_: Any, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            gathered = inputs[0].clone()  # (B, T, n_head * head_size)
            gathered.view(*gathered.shape[:-1], n_head, -1)[..., head, :] = 0
            return (gathered, *inputs[1:])

        with _removed(projection.register_forward_pre_hook(silence)):
            yield

    @torch.no_grad()
    def supports_mask(self) -> bool:
        """Try whether a mask and positions keep two documents in a row apart: each gives the logits that it gives alone."""
        idx = torch.arange(6)[None] % self.config.vocab_size
        document = torch.tensor([0, 0, 0, 1, 1, 1])
        mask = (document[:, None] == document).tril()[None, None]
        was_training = self.training
        self.eval()
        try:
            together = self(idx, mask=mask, positions=torch.tensor([[0, 1, 2, 0, 1, 2]]))[0]
        except (TypeError, ValueError, RuntimeError, IndexError):  # an argument or a shape that the class does not take
            return False
        finally:
            alone = [self(part)[0] for part in (idx[:, :3], idx[:, 3:])]
            self.train(was_training)
        return torch.allclose(together, torch.cat(alone, dim=1), rtol=1e-3, atol=1e-4)

    @torch.no_grad()
    def attends_to_future(self) -> bool:
        """Try whether the logits before the last token follow from it."""
        idx = torch.arange(max(2, min(6, self.config.block_size)))[None] % self.config.vocab_size
        other = idx.clone()
        other[:, -1] = (other[:, -1] + 1) % self.config.vocab_size
        first, second = (self(ids)[0][:, :-1] for ids in (idx, other))
        rounding = max(
            1e-4, 4 * torch.finfo(first.dtype).eps
        )  # experts take the tokens in another order, and round otherwise
        return bool(((first - second).abs() > rounding * first.abs().max()).any())

    def blocks(self) -> nn.ModuleList:
        """Return the decoder's blocks: the outermost list of modules that is as long as the model is deep."""
        for module in self.model.modules():
            if isinstance(module, nn.ModuleList) and len(module) == self.config.n_layer:
                return module
        raise NotApplicableError(
            f"{type(self.model).__name__} has no list of {self.config.n_layer} blocks: probes of its layers do not apply to it"
        )

    def weights(self) -> dict[str, Tensor]:
        """Return the tensors of a snapshot by name: parameters, tied ones once, and buffers of real numbers that are saved."""
        saved = self.model.state_dict()
        buffers = {
            name: buffer
            for name, buffer in self.model.named_buffers()
            if name in saved and buffer.is_floating_point()  # masks are whole numbers, and the class makes them anew
        }
        return {**{name: parameter.detach() for name, parameter in self.model.named_parameters()}, **buffers}


def blank_hf_model(description: Mapping[str, Any], config: ModelConfig) -> HFModel:
    """Build the model that the ``model`` of a run.json describes; its weights are still to be loaded.

    Raises
    ------
    InputError
        If transformers is not installed or does not know the architecture.
    """
    transformers = load_transformers()
    fields = dict(description["config"])
    try:
        shape = transformers.AutoConfig.for_model(fields.pop("model_type"), **fields)
        made = transformers.AutoModelForCausalLM.from_config(
            shape, attn_implementation="eager", dtype=torch.float32, trust_remote_code=False
        )
    except (KeyError, ValueError) as error:
        raise InputError(
            f"this version of transformers ({transformers.__version__}) cannot build {description.get('architecture')!r} "
            f"({first_line(error)}): install the one that run.json names"
        ) from None
    return HFModel(made, config)


def _output_projection(block: nn.Module) -> nn.Module:
    """Return the layer that mixes what the heads of a block gathered."""
    module: nn.Module
    for name, module in block.named_modules():
        parent, _, leaf = name.rpartition(".")
        if leaf in _PROJECTIONS and "Attention" in type(block.get_submodule(parent)).__name__:
            return module
    raise NotApplicableError(f"{type(block).__name__} has no output projection that is known: heads cannot be silenced")


def _keep_input(kept: list[Tensor]) -> Any:
    def keep(_: Any, inputs: tuple[Tensor, ...], named: dict[str, Any]) -> None:
        kept.append(inputs[0] if inputs else named["hidden_states"])

    return keep


def _first(output: Any) -> Tensor:
    first: Tensor = output[0] if isinstance(output, (tuple, list)) else output
    return first


@contextlib.contextmanager
def _removed(hook: Any) -> Iterator[None]:
    try:
        yield
    finally:
        hook.remove()


def first_line(error: BaseException) -> str:
    """Return the first line of what a library said, without its links to advice."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


@contextlib.contextmanager
def without_bars(transformers: Any) -> Iterator[None]:
    """Keep the library from drawing bars of its own; ours says how far the work is."""
    logging = transformers.utils.logging
    were_drawn = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if were_drawn:
            logging.enable_progress_bar()


def load_transformers() -> Any:
    """Return the library, or say how to install it."""
    try:
        import transformers
    except ImportError as missing:
        raise InputError(
            f"models of Hugging Face need transformers, which is not installed ({missing}): pip install 'gptlab[hf]'"
        ) from None
    return transformers
