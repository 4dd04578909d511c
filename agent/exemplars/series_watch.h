// What a series did in past windows, as far as it says which series to explain first: how long it
// went without an exemplar, and how far it moved against its moving average.
// Capture thread, at window close.
#pragma once

#include <cstdint>

namespace exa {

class SeriesWatch {
 public:
  // Larger of the relative movements of p99 and of the error ratio; a series without history has
  // moved by more than any other.
  [[nodiscard]] double movement(double p99_s, double error_ratio) const;
  [[nodiscard]] bool has_history() const { return has_history_; }
  void observe(double p99_s, double error_ratio, bool served);
  [[nodiscard]] std::uint32_t unserved_windows() const { return unserved_windows_; }

 private:
  double average_p99_s_ = 0;
  double average_error_ratio_ = 0;
  std::uint32_t unserved_windows_ = 0;  // with requests
  bool has_history_ = false;
};

}  // namespace exa
