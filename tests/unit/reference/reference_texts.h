// What the reference says in words, between its tables.
#pragma once

#include <string_view>

namespace exa {

inline constexpr auto kDeclarativeText = R"(
## Declarative configuration
`OTEL_CONFIG_FILE` names a file of OpenTelemetry's declarative configuration (`file_format: "1.0"`). It then stands for
all other `OTEL_*` variables, which count only where it refers to them. This of it is read; everything else is named in a
warning and ignored.

| key | means | if omitted |
|---|---|---|
| `disabled` | nothing is exported, logs included, and nothing is served | `false` |
| `log_level` | `log.level` | as our own file says |
| `resource.attributes`, `attributes_list` | `targets.resource`; not `service.name` and `service.instance.id`, which would be those of all processes | as our own file says |
| `propagator.composite`, `composite_list` | `propagators` | as our own file says: an SDK would propagate nothing, but the agent only reads |
| `tracer_provider.processors`: `batch.exporter` | `otlp.traces.*`, of the first `otlp_http` or `otlp_grpc` | traces are not exported |
| `meter_provider.readers`: `periodic.exporter` | `otlp.metrics.*`, likewise | metrics are not exported |
| `meter_provider.readers`: `periodic.interval` | `window` | as our own file says, not 60 s: exemplars are chosen per window |
| `meter_provider.readers`: `pull.exporter` | `openmetrics.listen`, of the first `prometheus` or `prometheus/development` | nothing is served |
| `meter_provider.exemplar_filter` | `always_off`: `exemplars.budget` 0; `trace_based`: `exemplars.policy` | as our own file says, not `trace_based`: the agent exports the spans of its exemplars itself |
| `otlp_http`, `otlp_grpc`: `endpoint`, `tls`, `headers`, `headers_list`, `compression`, `timeout` | `otlp.*` of that signal, whatever our own file says of another backend; over gRPC an endpoint without a scheme is encrypted unless `tls.insecure`; an exporter whose endpoint is no URL is ignored as a whole | `localhost`, no TLS files, no headers, no compression, 10 s |
| `default_histogram_aggregation`, of metrics | `metrics.histograms` | as our own file says |
| `temporality_preference`, of metrics | `otlp.metrics.temporality`: `cumulative`, or `delta` and `low_memory` | `cumulative` |
| `encoding` | only `protobuf` | that |

`${NAME}`, `${env:NAME}` and `${NAME:-default}` are replaced by variables, `$$` by a dollar; anything else in `${}` is
refused.
)";

inline constexpr auto kPolicyText = R"(
## Policies
Values of `exemplars.policy`, and in `exemplars.rules` behind `->`. An argument that is shown without a name must be
given; the others may be left out, and are then as shown. Of tiers all are given or none; `above`, on its own, is 0.1%.
`percentile` and `time_window` remember 8 bytes per value and series, at most 100 values; policies that would remember
more than 4096 bytes of a series are refused.

A rule is written `service=NAME route=PREFIX method=METHOD port=PORT -> POLICY`, with at least one condition; a value
with spaces stands in quotation marks (`service="my shop"`). A route is compared with what is known of a path: its first
101 bytes, without a query. `method=_OTHER` is every method that metrics have no name for.

)";

// Not of the tables: their labels are those that Tempo gives them.
inline constexpr auto kTraceMetricRows =
    R"(| `traces_spanmetrics_calls_total` | counter | service, span_name, span_kind, status_code | Calls, by service and name of their spans. Only with `metrics.span_metrics`. |
| `traces_spanmetrics_latency` | histogram | service, span_name, span_kind, status_code | Duration of calls in seconds, by service and name of their spans. Only with `metrics.span_metrics`. |
| `traces_service_graph_request_total` | counter | client, server, connection_type | Requests from one service to another. Only with `metrics.service_graph`. |
| `traces_service_graph_request_failed_total` | counter | client, server, connection_type | Those of them that failed. Only with `metrics.service_graph`. |
| `traces_service_graph_request_client_seconds` | histogram | client, server, connection_type | Their duration as the client saw it. Only with `metrics.service_graph`. |
| `traces_service_graph_request_server_seconds` | histogram | client, server, connection_type | Their duration as the server saw it. Only with `metrics.service_graph`. |
)";

struct OptionTest {
  std::string_view option;
  std::string_view test;
};
// Policies by name, settings by key.
inline constexpr OptionTest kOptionTests[] = {
    {"coordinated", "Policies.AShareDrawnFromRIsTheSameTracesInEveryOrder"},
    {"always", "PolicyMeaning.OfThoseThatRememberNothing"},
    {"never", "PolicyMeaning.OfThoseThatRememberNothing"},
    {"trace_based", "PolicyMeaning.OfThoseThatRememberNothing"},
    {"bucket", "PolicyMeaning.TheFirstOfEachBucketOfASeriesInAWindow"},
    {"probability", "PolicyMeaning.AProbabilityIsThatShareAndTheSmallerIsPartOfTheLarger"},
    {"outlier", "PolicyMeaning.OfThoseThatRememberNothing"},
    {"percentile", "PolicyMeaning.AboveTheQuantileOfTheLastValues"},
    {"time_window", "PolicyMeaning.NeverMoreThanSoManyInATime"},
    {"traffic_tiered", "PolicyMeaning.TheMoreTrafficASeriesHasTheSmallerIsItsShare"},
    {"adaptive", "PolicyMeaning.AdaptsToATargetWhateverTheTraffic"},
    {"latency_tiered", "PolicyMeaning.OfThoseThatRememberNothing"},
    {"error_boost", "ErrorBoost.ErrorsAndSlowRequestsHaveSharesOfTheirOwn"},
    {"path_prefix", "PolicyMeaning.OfThoseThatRememberNothing"},
    {"any_of", "PolicyMeaning.OfThoseThatRememberNothing"},
    {"all_of", "PolicyMeaning.OfThoseThatRememberNothing"},
    {"exemplars.budget", "Sampler.NeverSpendsMoreThanBudgetAndBurst"},
    {"exemplars.budget_min", "ReactiveBudget.HalvesUnderPressureDownToTheLeastAndComesBackSlowly"},
    {"exemplars.budget_max",
     "ReactiveBudget.GrowsWithTheRateAtWhichAnErrorBudgetBurnsAndOnlySoFar"},
    {"exemplars.objective", "Sampler.ErrorsBeyondTheObjectiveRaiseTheBudgetWithinItsLimit"},
    {"exemplars.floor", "Sampler.FloorRequestsComeBesidesTheBudget"},
    {"exemplars.presume_random", "Randomness.TrustsPresumedIds"},
    {"exemplars.seed", "Randomness.UnderAFleetSeedNoClientCanCraftIt"},
    {"exemplars.rules", "Rules.TheFirstThatIsMetCounts"},
    {"exemplars.store.per_series", "Shelf.KeepsTheNewestOfASeriesThatMayHaveFewer"},
    {"exemplars.store.total", "Shelf.GivesUpTheOldestBeyondItsBound"},
    {"exemplars.store.ttl", "Shelf.ForgetsAfterTheTimeThatIsAskedFor"},
    {"exemplars.store.eviction", "Shelf.OrTheLargest"},
};

}  // namespace exa
