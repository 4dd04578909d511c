#include "exporters/console/table_exporter.h"

#include <sys/ioctl.h>

#include <charconv>
#include <cstdlib>
#include <cstring>

namespace exa {

TerminalSize terminal_size(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col != 0)
    return {.columns = size.ws_col, .lines = size.ws_row};
  TerminalSize told;
  if (const char* columns = std::getenv("COLUMNS"); columns != nullptr)
    std::from_chars(columns, columns + std::strlen(columns), told.columns);
  return told;
}

std::string drawn_in_place(const std::string& text) {
  constexpr const char* kHome = "\x1b[H";
  constexpr const char* kClearRestOfLine = "\x1b[K";
  constexpr const char* kClearRestOfScreen = "\x1b[J";
  std::string drawn = kHome;
  for (const char c : text) {
    if (c == '\n') drawn += kClearRestOfLine;
    drawn += c;
  }
  return drawn + kClearRestOfScreen;
}

void TableExporter::export_metrics(std::shared_ptr<const MetricBatch> batch) {
  const TerminalSize size = size_();
  settings_.columns = size.columns;
  settings_.lines = size.lines;
  const std::string text = table_text(reader_.read(*batch, settings_.order), settings_);
  if (size.lines == 0) {
    output_->write(text + "\n");
    return;
  }
  // What stood on the terminal before goes up, it is not lost.
  if (!drawn_) output_->write(std::string(size.lines, '\n'));
  drawn_ = true;
  output_->draw(drawn_in_place(text));
}

}  // namespace exa
