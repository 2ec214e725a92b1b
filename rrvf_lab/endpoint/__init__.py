"""The endpoint room: models behind OpenAI-compatible servers (vLLM, Ollama, `transformers serve`, hosted).

Front door: `EndpointPolicy`, a model behind a server as the policy of the loop. Beside it `Client`, through
which it and the VLM judge (`judge.vlm`) ask: one place for bounds, retries, cache, record, ledger and what
went wrong; `replies` reads the shapes of the servers as one.

May import `leaves` and `talk`; openai is loaded when the first client is made, not before.

Left out: judging (`judge.vlm` asks the questions and reads the answers), serving, batch endpoints.
"""

from .client import Answer, Client, Ledger, NoAnswer, Question
from .policy import EndpointError, EndpointPolicy

__all__ = ["Answer", "Client", "EndpointError", "EndpointPolicy", "Ledger", "NoAnswer", "Question"]
