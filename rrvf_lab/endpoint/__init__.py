"""OpenAI-compatible servers."""

from .policy import EndpointError, EndpointPolicy
