// Rows of the table of settings that come more than once, for setting.cc and nobody else.
#pragma once

#include "agent/config/setting_values.h"

// The rows of one signal are the same but for their prefix.
#define EXA_OTLP_SIGNAL_ROWS(name, signal)                                                         \
  Setting{                                                                                         \
      "otlp." name ".enabled",                                                                     \
      "",                                                                                          \
      "BOOL",                                                                                      \
      SettingShape::kScalar,                                                                       \
      false,                                                                                       \
      "export " name " over OTLP if an endpoint is set",                                           \
      [](Config& c, Entries e) { return store(parse_bool(e[0].value), c.otlp.signal.enabled); },   \
      [](const Config& c) { return one_bool(c.otlp.signal.enabled); }},                            \
      Setting{"otlp." name ".endpoint",                                                            \
              "",                                                                                  \
              "URL",                                                                               \
              SettingShape::kScalar,                                                               \
              false,                                                                               \
              "full URL that receives " name,                                                      \
              [](Config& c, Entries e) {                                                           \
                return store(parse_url(e[0].value), c.otlp.signal.endpoint);                       \
              },                                                                                   \
              [](const Config& c) { return one_unless_empty(c.otlp.signal.endpoint); }},           \
      Setting{"otlp." name ".protocol",                                                            \
              "",                                                                                  \
              "http/protobuf|grpc",                                                                \
              SettingShape::kScalar,                                                               \
              false,                                                                               \
              "protocol of " name "; with grpc the endpoint's path is ignored",                    \
              [](Config& c, Entries e) {                                                           \
                return store_name(e, kOtlpProtocols, c.otlp.signal.protocol);                      \
              },                                                                                   \
              [](const Config& c) { return print_name(kOtlpProtocols, c.otlp.signal.protocol); }}, \
      Setting{"otlp." name ".headers",                                                             \
              "",                                                                                  \
              "NAME: VALUE",                                                                       \
              SettingShape::kMap,                                                                  \
              true,                                                                                \
              "headers sent with " name,                                                           \
              [](Config& c, Entries e) { return store_headers(e, c.otlp.signal.headers); },        \
              [](const Config& c) { return print_map(c.otlp.signal.headers); }},                   \
      Setting{                                                                                     \
          "otlp." name ".compression",                                                             \
          "",                                                                                      \
          "gzip|none",                                                                             \
          SettingShape::kScalar,                                                                   \
          false,                                                                                   \
          "compression of " name,                                                                  \
          [](Config& c, Entries e) { return store_name(e, kCompressions, c.otlp.signal.gzip); },   \
          [](const Config& c) { return print_name(kCompressions, c.otlp.signal.gzip); }},          \
      Setting{"otlp." name ".timeout",                                                             \
              "",                                                                                  \
              "DURATION",                                                                          \
              SettingShape::kScalar,                                                               \
              false,                                                                               \
              "time limit for one attempt to send " name,                                          \
              [](Config& c, Entries e) {                                                           \
                return store_duration(e, milliseconds(10), hours(1), c.otlp.signal.timeout);       \
              },                                                                                   \
              [](const Config& c) { return one(duration_text(c.otlp.signal.timeout)); }},          \
      Setting{"otlp." name ".certificate",                                                         \
              "",                                                                                  \
              "FILE",                                                                              \
              SettingShape::kScalar,                                                               \
              false,                                                                               \
              "PEM file of the authority that signed the backend's certificate",                   \
              [](Config& c, Entries e) { return store_text(e, c.otlp.signal.certificate); },       \
              [](const Config& c) { return one_unless_empty(c.otlp.signal.certificate); }},        \
      Setting{                                                                                     \
          "otlp." name ".client_certificate",                                                      \
          "",                                                                                      \
          "FILE",                                                                                  \
          SettingShape::kScalar,                                                                   \
          false,                                                                                   \
          "PEM file of the agent's own certificate",                                               \
          [](Config& c, Entries e) { return store_text(e, c.otlp.signal.client_certificate); },    \
          [](const Config& c) { return one_unless_empty(c.otlp.signal.client_certificate); }},     \
      Setting {                                                                                    \
    "otlp." name ".client_key", "", "FILE", SettingShape::kScalar, false,                          \
        "PEM file of the agent's own key",                                                         \
        [](Config& c, Entries e) { return store_text(e, c.otlp.signal.client_key); },              \
        [](const Config& c) { return one_unless_empty(c.otlp.signal.client_key); }                 \
  }

// Rows of the short form: each sets all signals and prints nothing.
#define EXA_OTLP_ALL(key, value, shape, secret, sentence, field, store_call) \
  Setting {                                                                  \
    "otlp." key, "", value, shape, secret, sentence,                         \
        [](Config& c, Entries e) -> SettingResult {                          \
          OtlpSignal all;                                                    \
          if (auto stored = store_call; !stored) return stored;              \
          c.otlp.traces.field = all.field;                                   \
          c.otlp.metrics.field = all.field;                                  \
          c.otlp.logs.field = all.field;                                     \
          return {};                                                         \
        },                                                                   \
        [](const Config&) { return Printed{}; }                              \
  }

// Include and exclude have the same four rows.
#define EXA_PATTERN_ROWS(side, word)                                                            \
  Setting{"targets." #side ".exe",                                                              \
          "--" #side "-exe",                                                                    \
          "GLOB",                                                                               \
          SettingShape::kList,                                                                  \
          false,                                                                                \
          word " processes whose executable's path (or name, if GLOB has no '/') matches",      \
          [](Config& c, Entries e) { return store_texts(e, c.targets.side.exe, false); },       \
          [](const Config& c) { return print_list(c.targets.side.exe); }},                      \
      Setting{"targets." #side ".pid",                                                          \
              "--" #side "-pid",                                                                \
              "PID",                                                                            \
              SettingShape::kList,                                                              \
              false,                                                                            \
              word " the process with this pid",                                                \
              [](Config& c, Entries e) {                                                        \
                return store_numbers(e, kMaxPatterns, 1u << 22, c.targets.side.pid);            \
              },                                                                                \
              [](const Config& c) { return print_list(c.targets.side.pid); }},                  \
      Setting{"targets." #side ".port",                                                         \
              "--" #side "-port",                                                               \
              "PORT",                                                                           \
              SettingShape::kList,                                                              \
              false,                                                                            \
              word " connections whose server listens on this port",                            \
              [](Config& c, Entries e) {                                                        \
                return store_numbers(e, kMaxPorts, 65535, c.targets.side.port);                 \
              },                                                                                \
              [](const Config& c) { return print_list(c.targets.side.port); }},                 \
      Setting {                                                                                 \
    "targets." #side ".cgroup", "--" #side "-cgroup", "PREFIX", SettingShape::kList, false,     \
        word " processes whose cgroup path has this prefix, as in /system.slice/nginx.service", \
        [](Config& c, Entries e) { return store_texts(e, c.targets.side.cgroup, true); },       \
        [](const Config& c) { return print_list(c.targets.side.cgroup); }                       \
  }
