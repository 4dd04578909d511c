// tests/support/otlp_sink.py as a test sees it: a receiver that decodes what we send with
// OpenTelemetry's own definitions.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/unit/exporters/http_client.h"
#include "tests/unit/exporters/subprocess.h"

namespace exa {

class OtlpSink {
 public:
  explicit OtlpSink(const std::vector<std::string>& more = {}) : process_(command(more)) {
    const std::string line = process_.read_line();
    const auto told = nlohmann::json::parse(line, nullptr, false);
    EXPECT_TRUE(told.is_object()) << line << " (scripts/setup makes the python environment)";
    if (told.is_object()) port_ = told.value("port", std::uint16_t{0});
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  [[nodiscard]] nlohmann::json query(const std::string& path) const {
    return nlohmann::json::parse(ask(port_, "GET " + path).body, nullptr, false);
  }
  void fault(const nlohmann::json& fault) const {
    const std::string body = fault.dump();
    const UniqueFd fd = connect_to(port_);
    send_text(fd, "POST /faults HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " +
                      std::to_string(body.size()) + "\r\n\r\n" + body);
    EXPECT_EQ(read_all(fd).substr(9, 3), "200");
  }

 private:
  static std::vector<std::string> command(const std::vector<std::string>& more) {
    std::vector<std::string> all = {EXA_TEST_PYTHON, EXA_TEST_SUPPORT_DIR "/otlp_sink.py"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  Subprocess process_;
  std::uint16_t port_ = 0;
};

}  // namespace exa
