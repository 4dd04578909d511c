// Hostile label values and keys through the OpenMetrics writer and back: every line is one the
// writer meant, and every value reads back as its repaired self.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "exporters/encoding/utf8.h"
#include "exporters/openmetrics/names.h"
#include "exporters/openmetrics/writer.h"
#include "tests/support/openmetrics_grammar.h"

namespace {

void require(bool held) {
  if (!held) std::abort();
}

std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      plain += text[i];
      continue;
    }
    require(++i < text.size());
    require(text[i] == '\\' || text[i] == '"' || text[i] == 'n');
    plain += text[i] == 'n' ? '\n' : text[i];
  }
  return plain;
}

// The value of the first label `name`, up to its closing quote.
std::string label_value(const std::string& text, const std::string& name) {
  const auto begin = text.find(name + "=\"");
  require(begin != std::string::npos);
  std::size_t end = begin + name.size() + 2;
  while (text.at(end) != '"')
    end += text[end] == '\\' ? 2 : 1;
  return text.substr(begin + name.size() + 2, end - begin - name.size() - 2);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string all(reinterpret_cast<const char*>(bytes), size);
  const std::string key = all.substr(0, all.find('\0'));
  const std::string value = key.size() < all.size() ? all.substr(key.size() + 1) : all;

  exa::HistogramPoint point;
  point.attributes = {{"aaa", value}, {"z" + key, std::int64_t{1}}};
  point.bounds = std::make_shared<const std::vector<double>>(std::vector<double>{0.5});
  point.bucket_counts = {1, 2};
  exa::MetricBatch batch;
  batch.resources.push_back(
      {.resource = nullptr,
       .metrics = {
           {.name = "m", .description = value, .unit = "s", .points = exa::Histogram{{point}}}}});
  const std::string text = exa::render_openmetrics(batch, {}).text;

  require(exa::is_valid_utf8(text));
  require(!exa::test::OpenMetricsGrammar::fault_of(text));
  require(text.ends_with("# EOF\n"));
  // TYPE, UNIT, HELP where there is one, two buckets, count, sum, EOF.
  const auto lines = std::count(text.begin(), text.end(), '\n');
  require(lines == (value.empty() ? 7 : 8));
  require(unescaped(label_value(text, "aaa")) == exa::repair_utf8(value));
  return 0;
}
