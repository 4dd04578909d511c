"""Rooms that every protocol shares name none and branch on none: what differs is said by rows that
they call. A part of house_rules.py.

Known to shared rooms is that some protocols have frames, tables that heads refer to, and bodies that
end by themselves; which one it is, they do not ask.
"""
import re

# Of protocols that are read, and of those that may be.
WORDS = ("http grpc hpack qpack h2c websocket redis memcached postgres postgresql mysql mongo mongodb "
         "cassandra sql kafka amqp rabbitmq mqtt nats thrift dubbo").split()
# Rooms that may say them, and why. A room within one of these is meant too.
MAY_NAME = {
    "agent/protocol": "parses them",
    "agent/conversation": "what their messages mean",
    "agent/semantics": "what their exchanges are called",
    "bpf": "what they begin with, and their frames",
    "include/exa/abi": "their frames and tables, as programs pass them on",
    # Speak HTTP themselves.
    "agent/naming/kubernetes": "asks a server",
    "exporters/otlp": "sends to one",
    "exporters/transfer": "for both",
    "exporters/queue": "what servers say about trying again",
    "exporters/page": "is one",
    "exporters/openmetrics": "what a page is asked for",
    # Have them in texts.
    "agent/config": "settings, URLs",
    "agent/outputs": "a URL in the log",
    "agent/commands": "a URL in the help",
    "agent/discovery": "options of other programs, functions in their code",
    # The enumerations of what there is.
    "include/exa/model/exchange.h": "conventions",
    "include/exa/model/otlp_protocol.h": "the exporter's protocols",
    "include/exa/model/rpc_status.h": "numbers of a status",
}
# Only these may ask which convention or method an exchange has.
MAY_ASK = ("agent/protocol", "agent/conversation", "agent/semantics")
PRODUCT = re.compile(r"(agent|bpf|exporters|include)/.*\.(h|c|cc)$")


def spellings(word):
    """A word at the beginning of a part of a name: exa_http, kHttp, HTTP."""
    return rf"(?<![A-Za-z]){word}|{word.capitalize()}|(?<![A-Z]){word.upper()}"


NAMES = re.compile("(?:" + "|".join(map(spellings, WORDS)) + r"|gRPC)[sSdD]?(?![a-z])")
ENUMERATOR = r"\b(?:Convention|Method)::k(?!Count\b)\w+"
ASKS = re.compile(rf"[=!]=\s*(?:exa::)?{ENUMERATOR}|{ENUMERATOR}\s*[=!]=|\bcase\s+(?:exa::)?{ENUMERATOR}|"
                  rf"\[\s*(?:exa::)?{ENUMERATOR}|\(\s*(?:exa::)?Convention::k(?!Count\b)\w+|"
                  r"using\s+enum\s+(?:exa::)?(?:Convention|Method)\b")


def within(path, folders):
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def violations_of(path, text):
    """Where a source says or asks what its room may not: (line number, sentence)."""
    if not PRODUCT.match(path):
        return
    for number, line in enumerate(text.splitlines(), start=1):
        if not within(path, MAY_NAME) and (match := NAMES.search(line)):
            yield number, f"names {match.group()} in a room that all protocols share"
        if not within(path, MAY_ASK) and (match := ASKS.search(line)):
            yield number, f"asks for {match.group()} in a room that all protocols share"
