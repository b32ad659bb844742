"""Causal language models of Hugging Face behind the interface that the probes use.

`HFModel` returns logits, attention weights, residual stream and unembedding, and ablates heads. It finds these places by the structure
of the modules, so no architecture is named here. Code that comes with a model is never run.
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
    """A causal language model of Hugging Face with the interface of our GPT.

    The model is made with ``attn_implementation="eager"``, the only one that returns attention weights; ``config`` is its shape.
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
        """Compute the logits (B, T, vocab_size) and, if targets (B, T) are given, their mean loss in nats per token.

        ``mask`` and ``positions`` are those of our GPT. Some classes ignore them: `supports_mask` tests it.
        """
        more: dict[str, Tensor] = {}
        if mask is not None:
            dtype = next(self.model.parameters()).dtype
            hidden = torch.zeros(mask.shape, dtype=dtype, device=mask.device)
            more["attention_mask"] = hidden.masked_fill(~mask, torch.finfo(dtype).min)  # added to the attention scores
        if positions is not None:
            more["position_ids"] = positions
        logits = self.model(idx, use_cache=False, **more).logits
        if targets is None:
            return logits, None
        return logits, F.cross_entropy(logits.view(-1, logits.size(-1)), targets.reshape(-1))

    def next_logits(self, idx: Tensor, cache: Any = None) -> tuple[Tensor, Any]:
        """Compute the logits of the next token, (B, vocab_size), and the key-value cache of the class; None if it has none.

        ``idx`` are the token ids (B, T) that follow those in ``cache``, which an earlier call returned and this one modifies.
        """
        past = {} if cache is None else {"past_key_values": cache}
        output = self.model(idx, use_cache=True, **past)
        return output.logits[:, -1], getattr(output, "past_key_values", None)

    def observe(
        self, idx: Tensor, *, attention: bool = False, residual: bool = False
    ) -> tuple[list[Tensor], list[Tensor], Tensor]:
        """Run the model and record attention weights and residual stream.

        Parameters
        ----------
        idx : token ids, (B, T).
        attention, residual : what to record; the other list is empty.

        Returns
        -------
        attention : a tensor (B, n_head, T, T) for each layer.
        residual : the residual stream before the first block and after each, a tensor (B, T, C) each.
        logits : (B, T, vocab_size).

        Raises
        ------
        NotApplicableError
            If the class returns no attention weights, or none that sum to 1.
        """
        stream: list[Tensor] = []
        with contextlib.ExitStack() as stack:
            if residual:  # by hooks: the last of the hidden states of Hugging Face has passed the final norm

                def keep_input(_: Any, inputs: tuple[Tensor, ...], named: dict[str, Any]) -> None:
                    stream.append(inputs[0] if inputs else named["hidden_states"])

                def keep_output(_: Any, __: Any, output: Any) -> None:
                    stream.append(output[0] if isinstance(output, (tuple, list)) else output)

                blocks = self.blocks()
                for block in blocks:
                    stack.enter_context(block.register_forward_pre_hook(keep_input, with_kwargs=True))
                stack.enter_context(blocks[-1].register_forward_hook(keep_output))
            output = self.model(idx, use_cache=False, output_attentions=attention)
        weights = list(output.attentions or ()) if attention else []
        if attention:
            self._check_attention(weights)
        return weights, stream, output.logits

    def _check_attention(self, weights: list[Tensor]) -> None:
        fault = ""
        if len(weights) != self.config.n_layer or any(layer is None for layer in weights):
            fault = f"no attention weights for each of its {self.config.n_layer} layers"
        elif (off := max(float((layer.sum(-1) - 1).abs().max()) for layer in weights)) > 1e-3:
            fault = f"attention weights that do not sum to 1 (they are off by {off:.2g})"
        if fault:
            name = type(self.model).__name__
            raise NotApplicableError(f"{name} returns {fault}: probes of attention do not apply to it")

    def unembed(self, x: Tensor) -> Tensor:
        """Turn the residual stream (B, T, C) into logits (B, T, vocab_size), as the class does after its last block.

        The model runs on placeholder tokens, and the output of its last block is replaced by ``x``. So final norm, output head and any
        scaling of the logits are those of the class, at the cost of a forward pass.
        """

        def replace(_: Any, __: Any, output: Any) -> Any:
            return type(output)([x, *output[1:]]) if isinstance(output, (tuple, list)) else x

        with self.blocks()[-1].register_forward_hook(replace):
            logits: Tensor = self.model(torch.zeros(x.shape[:2], dtype=torch.long), use_cache=False).logits
        return logits

    @contextlib.contextmanager
    def ablate_head(self, layer: int, head: int) -> Iterator[None]:
        """Replace the output of one head by zeros while the context lasts (zero ablation)."""
        projection, n_head = _output_projection(self.blocks()[layer]), self.config.n_head

        def ablate(_: Any, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            heads = inputs[0].clone()  # (B, T, n_head * head_size)
            heads.view(*heads.shape[:-1], n_head, -1)[..., head, :] = 0
            return (heads, *inputs[1:])

        with projection.register_forward_pre_hook(ablate):
            yield

    @torch.no_grad()
    def supports_mask(self) -> bool:
        """Test whether mask and positions separate two documents in one sequence: each has the logits that it has alone."""
        idx = torch.arange(6)[None] % self.config.vocab_size
        document = torch.tensor([0, 0, 0, 1, 1, 1])
        mask = (document[:, None] == document).tril()[None, None]
        was_training = self.training
        self.eval()
        try:
            together = self(idx, mask=mask, positions=torch.tensor([[0, 1, 2, 0, 1, 2]]))[0]
        except (TypeError, ValueError, RuntimeError, IndexError):  # an argument or a shape that the class rejects
            return False
        finally:
            alone = [self(part)[0] for part in (idx[:, :3], idx[:, 3:])]
            self.train(was_training)
        return torch.allclose(together, torch.cat(alone, dim=1), rtol=1e-3, atol=1e-4)

    @torch.no_grad()
    def attends_to_future(self) -> bool:
        """Test whether earlier logits depend on the last token."""
        idx = torch.arange(max(2, min(6, self.config.block_size)))[None] % self.config.vocab_size
        other = idx.clone()
        other[:, -1] = (other[:, -1] + 1) % self.config.vocab_size
        first, second = (self(ids)[0][:, :-1] for ids in (idx, other))
        # Mixtures of experts process the tokens in another order, and round differently.
        rounding = max(1e-4, 4 * torch.finfo(first.dtype).eps)
        return bool(((first - second).abs() > rounding * first.abs().max()).any())

    def blocks(self) -> nn.ModuleList:
        """Find the decoder's blocks: the outermost list of modules whose length is the number of layers."""
        for module in self.model.modules():
            if isinstance(module, nn.ModuleList) and len(module) == self.config.n_layer:
                return module
        raise NotApplicableError(
            f"{type(self.model).__name__} has no list of {self.config.n_layer} blocks: probes of its layers do not apply to it"
        )

    def weights(self) -> dict[str, Tensor]:
        """Collect the tensors of a snapshot by name: parameters, tied ones once, and saved floating-point buffers."""
        found = {name: parameter.detach() for name, parameter in self.model.named_parameters()}
        saved = self.model.state_dict()
        for name, buffer in self.model.named_buffers():
            if name in saved and buffer.is_floating_point():  # the others are masks, which the class rebuilds
                found[name] = buffer
        return found


def blank_hf_model(description: Mapping[str, Any], config: ModelConfig) -> HFModel:
    """Build the model that the ``model`` of a run.json describes, without its weights."""
    transformers = load_transformers()
    fields = dict(description["config"])
    try:
        shape = transformers.AutoConfig.for_model(fields.pop("model_type"), **fields)
        model = transformers.AutoModelForCausalLM.from_config(
            shape, attn_implementation="eager", dtype=torch.float32, trust_remote_code=False
        )
    except (KeyError, ValueError) as error:
        raise InputError(
            f"this version of transformers ({transformers.__version__}) cannot build {description.get('architecture')!r} "
            f"({first_line(error)}): install the one that run.json names"
        ) from None
    return HFModel(model, config)


def _output_projection(block: nn.Module) -> nn.Module:
    """Find the output projection of a block's attention."""
    module: nn.Module
    for name, module in block.named_modules():
        parent, _, leaf = name.rpartition(".")
        if leaf in _PROJECTIONS and "Attention" in type(block.get_submodule(parent)).__name__:
            return module
    raise NotApplicableError(f"{type(block).__name__} has no output projection that is known: heads cannot be ablated")


def first_line(error: BaseException) -> str:
    """Return the first line of a library's message, without the advice after it."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


@contextlib.contextmanager
def without_bars(transformers: Any) -> Iterator[None]:
    """Disable the library's progress bars while the context lasts; the commands draw their own."""
    logging = transformers.utils.logging
    was_enabled = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if was_enabled:
            logging.enable_progress_bar()


def load_transformers() -> Any:
    """Import transformers; an `InputError` says how to install it."""
    try:
        import transformers
    except ImportError as missing:
        raise InputError(
            f"models of Hugging Face need transformers, which is not installed ({missing}): pip install 'gptlab[hf]'"
        ) from None
    return transformers
