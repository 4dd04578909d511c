// Is this text an OpenMetrics 1.0 exposition? Written from the specification, knows nothing of the
// writer: names, labels and their escapes, metadata before samples, families in one place, no
// series twice, histograms that add up, exemplars within their 128 characters.
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace exa::test {

class OpenMetricsGrammar {
 public:
  struct Sample {
    std::string name;
    std::string labels;
    double value = 0;
    bool has_exemplar = false;
  };

  // What is wrong, with its line; nothing if the text is sound. Its samples go to samples.
  static std::optional<std::string> fault_of(std::string_view text,
                                             std::vector<Sample>* samples = nullptr) {
    OpenMetricsGrammar grammar;
    while (!text.empty()) {
      const auto end = text.find('\n');
      if (end == text.npos) return "the last line has no end";
      const auto line = text.substr(0, end);
      text.remove_prefix(end + 1);
      if (const auto* const fault = grammar.take(line))
        return std::string(fault) + ": " + std::string(line);
    }
    if (!grammar.ended_) return "no # EOF";
    if (const auto* const fault = grammar.end_family()) return fault;
    if (samples != nullptr) *samples = std::move(grammar.samples_);
    return std::nullopt;
  }

 private:
  using Labels = std::vector<std::pair<std::string, std::string>>;

  static bool is_name(std::string_view text, bool colons) {
    if (text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
    for (const char c : text)
      if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            c == '_' || (colons && c == ':')))
        return false;
    return true;
  }

  static std::optional<double> number(std::string_view text) {
    if (text == "+Inf") return std::numeric_limits<double>::infinity();
    if (text == "-Inf") return -std::numeric_limits<double>::infinity();
    if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
    double value = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size())
      return std::nullopt;
    return value;
  }

  // Takes {a="x",...} off the front of text.
  static bool take_labels(std::string_view& text, Labels& labels) {
    if (!text.starts_with('{')) return true;
    text.remove_prefix(1);
    std::set<std::string> names;
    for (bool first = true; !text.starts_with('}'); first = false) {
      if (!first) {
        if (!text.starts_with(',')) return false;
        text.remove_prefix(1);
      }
      const auto equals = text.find("=\"");
      if (equals == text.npos || !is_name(text.substr(0, equals), false)) return false;
      std::string name(text.substr(0, equals));
      if (!names.insert(name).second) return false;
      text.remove_prefix(equals + 2);
      std::string value;
      for (; !text.starts_with('"'); text.remove_prefix(1)) {
        if (text.empty()) return false;
        if (text[0] == '\\') {
          if (text.size() < 2 || (text[1] != '\\' && text[1] != '"' && text[1] != 'n'))
            return false;
          text.remove_prefix(1);
        }
        value += text[0];
      }
      text.remove_prefix(1);
      labels.emplace_back(std::move(name), std::move(value));
    }
    text.remove_prefix(1);
    return true;
  }

  const char* take(std::string_view line) {
    if (ended_) return "something follows # EOF";
    if (line == "# EOF") {
      ended_ = true;
      return nullptr;
    }
    return line.starts_with('#') ? take_metadata(line) : take_sample(line);
  }

  const char* take_metadata(std::string_view line) {
    const auto word = [&] {
      const auto text = line.substr(0, line.find(' '));
      line.remove_prefix(std::min(line.size(), text.size() + 1));
      return text;
    };
    word();
    const auto what = word();
    const std::string name(word());
    if (!is_name(name, true)) return "a family without a sound name";
    if (name != family_) {
      if (const auto* const fault = end_family()) return fault;
      if (!families_.insert(name).second) return "a family in two places";
      family_ = name;
    } else if (sampled_) {
      return "metadata behind samples";
    }
    if (what == "TYPE") {
      if (!type_.empty()) return "two types";
      type_ = line;
      if (type_ != "counter" && type_ != "gauge" && type_ != "histogram" && type_ != "info")
        return "an unknown type";
    } else if (what == "UNIT") {
      if (!family_.ends_with("_" + std::string(line)))
        return "a unit that the name does not end in";
    } else if (what == "HELP") {
      for (std::size_t i = 0; i < line.size(); ++i)
        if (line[i] == '\\' &&
            (++i == line.size() || (line[i] != '\\' && line[i] != 'n' && line[i] != '"')))
          return "a bad escape";
    } else {
      return "unknown metadata";
    }
    return nullptr;
  }

  const char* take_sample(std::string_view line) {
    sampled_ = true;
    Sample sample;
    sample.name = line.substr(0, line.find_first_of("{ "));
    line.remove_prefix(sample.name.size());
    if (!is_name(sample.name, true)) return "a sample without a sound name";
    if (!sample.name.starts_with(family_) || family_.empty()) return "a sample outside its family";
    const auto suffix = sample.name.substr(family_.size());
    const bool fits = type_ == "histogram"
                          ? suffix == "_bucket" || suffix == "_count" || suffix == "_sum"
                      : type_ == "counter" ? suffix == "_total"
                      : type_ == "info"    ? suffix == "_info"
                                           : suffix.empty();
    if (!fits) return "a suffix that the type does not have";
    const auto whole = line;
    Labels labels;
    if (!take_labels(line, labels)) return "bad labels";
    sample.labels = whole.substr(0, whole.size() - line.size());
    if (!series_.insert(sample.name + sample.labels).second) return "a series twice";
    if (!line.starts_with(' ')) return "no value";
    line.remove_prefix(1);
    const auto value = number(line.substr(0, line.find(' ')));
    if (!value) return "a value that is no number";
    sample.value = *value;
    line.remove_prefix(std::min(line.size(), line.find(' ')));
    if (!line.empty())
      if (const auto* const fault = take_exemplar(line, suffix, sample)) return fault;
    const auto* const fault = type_ == "histogram" ? take_part(suffix, labels, sample) : nullptr;
    samples_.push_back(std::move(sample));
    return fault;
  }

  const char* take_exemplar(std::string_view text, std::string_view suffix, Sample& sample) {
    if (suffix != "_bucket" && suffix != "_total") return "an exemplar where none may be";
    if (!text.starts_with(" # {")) return "something behind the value";
    text.remove_prefix(3);
    Labels labels;
    if (!take_labels(text, labels)) return "bad labels of an exemplar";
    std::size_t characters = 0;
    for (const auto& [name, value] : labels)
      characters += name.size() + value.size();
    if (characters > 128) return "an exemplar over 128 characters";
    if (!text.starts_with(' ')) return "an exemplar without a value";
    text.remove_prefix(1);
    const auto value = number(text.substr(0, text.find(' ')));
    if (!value) return "an exemplar's value that is no number";
    if (text.find(' ') != text.npos && !number(text.substr(text.find(' ') + 1)))
      return "an exemplar's time that is no number";
    sample.has_exemplar = true;
    exemplar_ = *value;
    return nullptr;
  }

  // Buckets of one series ascend and stand together; the last is +Inf, and the count is its own.
  const char* take_part(std::string_view suffix, const Labels& labels, const Sample& sample) {
    std::string rest;
    std::optional<double> bound;
    for (const auto& [name, value] : labels) {
      if (name == "le" && suffix == "_bucket")
        bound = number(value);
      else
        rest += name + '\xff' + value + '\xff';
    }
    if (suffix == "_bucket") {
      if (!bound) return "a bucket without a bound";
      if (rest != histogram_ || histogram_done_) {
        histogram_ = rest;
        histogram_done_ = false;
        bound_ = -std::numeric_limits<double>::infinity();
        cumulative_ = 0;
      }
      if (sample.has_exemplar && (exemplar_ > *bound || exemplar_ <= bound_) &&
          !(exemplar_ == 0 && cumulative_ == 0))
        return "an exemplar outside its bucket";
      if (*bound <= bound_) return "bounds that do not ascend";
      if (sample.value < cumulative_) return "counts that fall";
      bound_ = *bound;
      cumulative_ = sample.value;
      histogram_done_ = std::isinf(*bound);
      return nullptr;
    }
    if (rest != histogram_ || !histogram_done_) return "a count or sum without its buckets";
    if (suffix == "_count" && sample.value != cumulative_)
      return "a count that is not the last bucket";
    if (suffix == "_sum" && !(sample.value >= 0)) return "a negative sum";
    return nullptr;
  }

  const char* end_family() {
    const bool broken = type_ == "histogram" && sampled_ && !histogram_done_;
    type_.clear();
    sampled_ = false;
    histogram_.clear();
    histogram_done_ = true;
    return broken ? "a histogram without +Inf" : nullptr;
  }

  bool ended_ = false;
  std::string family_;
  std::string type_;
  bool sampled_ = false;
  std::set<std::string> families_;
  std::set<std::string> series_;
  std::vector<Sample> samples_;
  std::string histogram_;
  bool histogram_done_ = true;
  double bound_ = 0;
  double cumulative_ = 0;
  double exemplar_ = 0;
};

}  // namespace exa::test
