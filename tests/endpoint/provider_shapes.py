"""What twelve servers answer, in their own shapes: good replies and each way of failing that is told of them.

Written by hand after what their documentation and public reports describe; none was captured from a running
server. `turn` stands for the words of the model. Each failure comes with the words of the server that
its user must see.
"""
import json

from rrvf_lab.talk import write_turn

USAGE = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}


def reply(message=None, finish="stop", **more):
    """A chat completion around a message."""
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant"} | (message or {})}
    extra = more.pop("choice", {})
    return {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice | extra],
            "usage": USAGE} | more


def call(arguments, **more):
    """A native call of the tool."""
    function = {"name": "render", "arguments": arguments}
    return [{"id": "call_1", "type": "function", "function": function | more}]


def good(thought, code):
    """{server: (name of the shape, body)} of replies that say the same turn: a thought and one call."""
    arguments = json.dumps({"code": code})
    plain = write_turn(thought, code)
    lone = plain.removeprefix("<think>")
    return {
        "vLLM, plain": reply({"content": plain, "reasoning_content": None, "tool_calls": []},
                             choice={"stop_reason": None, "token_ids": None}, prompt_logprobs=None),
        "vLLM, reasoning parser": reply(
            {"content": None, "reasoning": thought, "tool_calls": call(arguments)}, "tool_calls"),
        "vLLM, template opens the thought": reply({"content": lone}),
        "SGLang": reply({"content": None, "reasoning_content": thought, "tool_calls": call(arguments)},
                        "tool_calls", choice={"matched_stop": None}),
        "SGLang, matched stop": reply({"content": plain, "tool_calls": None},
                                      choice={"matched_stop": 151645}),
        "Ollama": reply({"content": "", "reasoning": thought, "tool_calls": call(arguments)}, "tool_calls",
                        system_fingerprint="fp_ollama"),
        "Ollama, arguments as an object": reply({"content": thought, "tool_calls": call({"code": code})}),
        "llama.cpp": reply({"content": None, "reasoning_content": thought, "tool_calls": call(arguments)},
                           "tool_calls", timings={"predicted_ms": 1.0}, __verbose={}),
        "LM Studio": reply({"content": "\n\n", "reasoning_content": thought, "tool_calls": call(arguments)},
                           "tool_calls", stats={}),
        "LM Studio, arguments twice encoded": reply({"content": thought,
                                                     "tool_calls": call(json.dumps(arguments))}),
        "OpenAI": reply({"content": thought, "refusal": None, "annotations": [],
                         "tool_calls": call(arguments)}, "tool_calls", service_tier="default"),
        "Azure": reply({"content": plain}, choice={"content_filter_results": {"hate": {"filtered": False}}},
                       prompt_filter_results=[{"prompt_index": 0}]),
        "Anthropic": reply({"content": thought, "tool_calls": call(arguments)}, "tool_calls"),
        "Gemini": reply({"content": plain}, usage={"prompt_tokens": 9, "total_tokens": 12}),
        "Mistral, thoughts in parts": reply({"content": [
            {"type": "thinking", "thinking": [{"type": "text", "text": thought}]},
            {"type": "text", "text": plain.partition("</think>\n")[2]}]}),
        "Mistral, a list of texts": reply({"content": [{"type": "text", "text": plain}]}),
        "OpenRouter": reply({"content": plain.partition("</think>\n")[2], "reasoning": thought,
                             "reasoning_details": [{"type": "reasoning.text", "text": thought}]},
                            choice={"native_finish_reason": "stop", "logprobs": None}, provider="Some"),
        "TGI": reply({"content": plain}, "eos_token", system_fingerprint="3.0.0-sha"),
        "TGI, arguments as an object": reply({"content": thought,
                                              "tool_calls": call({"code": code}, description=None)}),
    }


# server: (status, body, the words of the server that must be told)
FAILED = {
    "vLLM, its own error object": (200, {"object": "error", "message": "maximum context length is 4096",
                                         "type": "BadRequestError", "code": 400}, "maximum context length"),
    "vLLM, status 400": (400, {"error": {"message": "This model's maximum context length is 4096 tokens.",
                                         "type": "BadRequestError", "param": None, "code": 400}},
                         "maximum context length"),
    "vLLM, interrupted": (200, reply({"content": "<think>half"}, "abort"), "interruption"),
    "vLLM, FastAPI": (422, {"detail": [{"loc": ["body", "messages"], "msg": "field required"}]},
                      "field required"),
    "SGLang, thoughts that were cut": (200, reply({"content": None, "reasoning_content": "so the bars " * 9},
                                                  "length"), "give max_tokens="),
    "SGLang, all of it thoughts": (200, reply({"content": "", "reasoning_content": "a bar chart, I think"}),
                                   "20 characters of thoughts"),
    "Ollama, loading": (200, reply({"content": ""}, "load"), "loading the model"),
    "Ollama, no such model": (404, {"error": {"message": "model 'm' not found", "type": "api_error"}},
                              "knows no model"),
    "Ollama, error as a text": (500, {"error": "llama runner process has terminated"}, "has terminated"),
    "llama.cpp, loading": (503, {"error": {"code": 503, "message": "Loading model",
                                           "type": "unavailable_error"}}, "Loading model"),
    "llama.cpp, context": (400, {"error": {"code": 400, "message": "the request exceeds the available "
                                           "context size"}}, "exceeds the available"),
    "LM Studio, status 200 anyway": (200, {"error": "Unexpected endpoint or method. (POST "
                                           "/chat/completions). Returning 200 anyway"}, "Unexpected end"),
    "OpenAI, filtered halfway": (200, reply({"content": "<think>a"}, "content_filter"), "content filter"),
    "OpenAI, empty": (200, reply({"content": ""}), "no text in the answer"),
    "OpenAI, quota": (429, {"error": {"message": "You exceeded your current quota",
                                      "type": "insufficient_quota"}}, "exceeded your current quota"),
    "Azure, the prompt was filtered": (400, {"error": {"message": "The response was filtered", "status": 400,
                                                       "code": "content_filter"}}, "was filtered"),
    "Azure, nothing but filter results": (200, reply({}, "content_filter"), "content filter"),
    "Anthropic, overloaded": (529, {"type": "error", "error": {"type": "overloaded_error",
                                                               "message": "Overloaded"}}, "Overloaded"),
    "Gemini, a list around the error": (400, [{"error": {"code": 400, "message": "Unable to process input "
                                                         "image", "status": "INVALID_ARGUMENT"}}],
                                        "Unable to process input image"),
    "Gemini, no content at all": (200, reply(None, "length"), "give max_tokens="),
    "Gemini, recitation": (200, reply({"content": None}, "RECITATION"), "content filter"),
    "Mistral, rate": (429, {"object": "error", "message": "Requests rate limit exceeded",
                            "type": "rate_limited", "code": "1300"}, "rate limit exceeded"),
    "Mistral, an empty list": (200, reply({"content": []}), "no text in the answer"),
    "OpenRouter, status 200": (200, {"error": {"code": 402, "message": "Insufficient credits"},
                                     "user_id": "u"}, "Insufficient credits"),
    "OpenRouter, in the choice": (200, reply({"content": ""}, "error", choice={"error": {
        "code": 400, "message": "Provider returned error", "metadata": {"raw": "image too large"}}}),
        "image too large"),
    "OpenRouter, after some words": (200, reply({"content": "<think>a bar"}, "error", choice={"error": {
        "code": 400, "message": "stream closed"}}), "stream closed"),
    "OpenRouter, without words": (200, reply({"content": "<think>a bar"}, "error"), "an error"),
    "TGI, validation": (422, {"error": "Input validation error: `inputs` must have less than 4096 tokens",
                              "error_type": "validation"}, "less than 4096 tokens"),
    "TGI, status 200": (200, {"error": "Request failed during generation", "error_type": "generation"},
                        "failed during generation"),
    "a proxy's page": (200, "<html>504 Gateway Time-out</html>", "504 Gateway"),
    "a proxy's null": (200, "null", "without choices"),
    "choices that are null": (200, reply() | {"choices": None}, "without choices"),
    "a choice without a message": (200, reply() | {"choices": [{"index": 0, "finish_reason": "stop"}]},
                                   "without choices"),
}

# server: (status 200 or an error of its own) that passes, and is asked again
PASSING = {
    "OpenRouter, rate in a 200": (200, {"error": {"code": 429, "message": "Rate limit exceeded"}}),
    "OpenRouter, provider down": (200, reply({"content": ""}, "error", choice={"error": {
        "code": 502, "message": "Provider returned error"}})),
    "Ollama, loading": (200, reply({"content": ""}, "load")),
    "llama.cpp, loading": (503, {"error": {"code": 503, "message": "Loading model"}}),
    "Anthropic, overloaded": (529, {"error": {"type": "overloaded_error", "message": "Overloaded"}}),
    "OpenAI, rate": (429, {"error": {"message": "Rate limit reached"}}),
    "TGI, overloaded": (429, {"error": "Model is overloaded", "error_type": "overloaded"}),
}
