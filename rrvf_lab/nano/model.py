"""A vision-language model as the policy: shown what training shows it, sampled as training samples it.

What it reads comes from `tokens`, what it may not write from `loading`. Each turn it returns is a `Written`,
which remembers its tokens for the next one.

Left out: keys and values kept from one turn to the next, servers (`endpoint`).
"""

from __future__ import annotations

from ..talk import END
from .loading import check_sampling, forbidden_tokens
from .tokens import batch_of, written


class ModelPolicy:
    """A vision-language model that continues conversations, many at once, shown and sampled as in training.

    `temperature=0` is greedy decoding. `max_new_tokens` bounds one turn, not the rollout. `batch_size`
    conversations are written together; it is halved where the GPU's memory does not hold them. `difference`
    tells the environment that this model was trained with the difference picture in the tool's reply.
    `sampling` holds further settings of transformers' `GenerationConfig`; those that a checkpoint brings
    along, such as a repetition penalty, count no more than in training: not at all.

    Raises ValueError for a setting that transformers does not know.
    """

    def __init__(self, model, processor, temperature=0.0, max_new_tokens=128, batch_size=32,
                 difference=False, sampling=None):
        self.model, self.processor = model, processor
        self.temperature, self.max_new_tokens, self.batch_size = temperature, max_new_tokens, batch_size
        self.difference, self.sampling = difference, check_sampling(sampling or {})

    def inputs(self, conversations):
        """Token ids and pixels of conversations that end where the assistant speaks; raises when images went
        missing."""
        return batch_of(self.processor, conversations).to(self.model.device)

    def write(self, conversations) -> list[str]:
        import torch

        texts = []
        while len(texts) < len(conversations):
            some = conversations[len(texts):len(texts) + self.batch_size]
            try:
                texts += self._generate(some)
                continue
            except torch.OutOfMemoryError:
                if len(some) == 1:
                    raise
            self.batch_size = len(some) // 2  # out here nothing holds the failed batch any more
            torch.cuda.empty_cache()
        return texts

    def stream(self, conversation, on_text=None, stop=None) -> str:
        """The next turn of one conversation: `on_text(text so far)` at each word, until `stop.is_set()`.

        The same text as `write` gives when nobody stops it and `temperature` is 0.
        """
        from transformers import TextStreamer

        class Caller(TextStreamer):
            said = ""

            def on_finalized_text(self, text, stream_end=False):
                self.said += text
                on_text(self.said.split(END)[0])

        options = {}
        if on_text:
            options["streamer"] = Caller(self.processor.tokenizer, skip_prompt=True)
        if stop:
            options["stopping_criteria"] = [_Stopped(stop)]
        return self._generate([conversation], **options)[0]

    def _generate(self, conversations, **options):
        import torch

        batch, limit = self.inputs(conversations), self.max_new_tokens
        options |= {"do_sample": False} if not self.temperature else {
            "do_sample": True, "temperature": self.temperature, "top_k": 0, "top_p": 1.0}
        with torch.inference_mode():
            ids = self.model.generate(**batch, max_new_tokens=limit, **options | self.sampling,
                                      suppress_tokens=forbidden_tokens(self.processor))
        rows = ids[:, batch["input_ids"].shape[1]:].tolist()
        return [written(self.processor, row, limit) for row in rows]


class _Stopped:
    """A stopping criterion of transformers that asks a `threading.Event`."""

    def __init__(self, event):
        self.event = event

    def __call__(self, ids, scores, **_):
        import torch

        return torch.full((len(ids),), self.event.is_set(), device=ids.device)
