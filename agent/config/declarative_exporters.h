// The exporters of a declarative configuration: the first of each kind that is ours is taken, as it
// is written, whatever our own file says of another backend.
#pragma once

#include <string>

#include "agent/config/declarative_source.h"

namespace exa {

class DeclarativeExporters {
 public:
  explicit DeclarativeExporters(DeclarativeSource& source) : source_(source) {}

  // owner: the processor or reader, where there is no exporter. False: it is not taken.
  bool take_traces(const YAML::Node& exporter, const YAML::Node& owner);
  bool take_metrics(const YAML::Node& exporter, const YAML::Node& owner);
  bool take_page(const YAML::Node& exporter, const YAML::Node& owner);

  [[nodiscard]] bool has_traces() const { return has_traces_; }
  [[nodiscard]] bool has_metrics() const { return has_metrics_; }
  [[nodiscard]] bool has_page() const { return has_page_; }

 private:
  using Node = YAML::Node;

  bool take_otlp(const Node& exporter, const Node& owner, const std::string& signal, bool& taken);
  [[nodiscard]] Result<std::string> endpoint_of(const Node& settings, const std::string& signal,
                                                bool grpc);
  void read_tls(const Node& tls, const Node& exporter, const std::string& keys, bool grpc);
  void read_headers(const Node& settings, const Node& exporter, const std::string& keys);
  void read_temporality(const Node& settings, const Node& exporter);
  void read_aggregation(const Node& settings);

  DeclarativeSource& source_;
  bool has_traces_ = false;
  bool has_metrics_ = false;
  bool has_page_ = false;
};

}  // namespace exa
