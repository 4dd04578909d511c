// Words of a process, and the title by which programs overwrite them. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "agent/discovery/program_name.h"
#include "agent/discovery/program_table.h"
#include "exa/base/take_until.h"

namespace exa {

class Words {
 public:
  Words(std::string_view text, char separator) : rest_(text), separator_(separator) {}

  std::optional<std::string_view> next() {
    if (rest_.empty()) return std::nullopt;
    return take_until(rest_, separator_);
  }
  [[nodiscard]] bool only_empty_left() const {
    return rest_.find_first_not_of(separator_) == std::string_view::npos;
  }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  char separator_;
};

// Words as they stand behind the program's own name.
ProgramName name_by_words(const Program& program, Words words);
// "shop.wsgi:app", as application servers are told what to serve.
ProgramName of_application(std::string_view application, std::string_view folder);

// The title is all that is left of the words: "puma 5.6 (tcp://0.0.0.0:9292) [shop]".
ProgramName name_by_title(std::string_view title);

}  // namespace exa
