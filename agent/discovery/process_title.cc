#include "agent/discovery/process_title.h"

#include "agent/discovery/base_name.h"

namespace exa {
namespace {

std::string_view within(std::string_view text, char open, char close) {
  const auto end = text.rfind(close);
  if (end == std::string_view::npos) return {};
  const auto begin = text.rfind(open, end);
  return begin == std::string_view::npos ? std::string_view{}
                                         : text.substr(begin + 1, end - begin - 1);
}

ProgramName here(std::string_view name) {
  return {.name = std::string(name), .folder = "."};
}

}  // namespace

ProgramName name_by_title(std::string_view title) {
  while (title.ends_with(' '))
    title.remove_suffix(1);
  if (title.starts_with("gunicorn: ")) {
    const auto application = within(title, '[', ']');
    return application.empty() ? here("gunicorn") : of_application(application, {});
  }
  if (title.starts_with("puma ") || title.starts_with("puma: ")) {
    const auto tag = within(title, '[', ']');
    return tag.empty() ? here("puma") : ProgramName{.name = std::string(tag)};
  }
  if (title.starts_with("[celeryd: "))
    return name_by_words(*application_server_of("celery"), Words(within(title, '(', ')'), ' '));

  Words words(title, ' ');
  auto first = words.next().value_or("");
  if (first == "uWSGI" || first == "next-server") return here(first);
  if (first == "sidekiq") {  // "sidekiq 7.1 shop [0 of 5 busy]"
    words.next();
    const auto tag = words.next().value_or("");
    return tag.empty() || tag.starts_with('[') ? here(first)
                                               : ProgramName{.name = std::string(tag)};
  }
  // "unicorn worker[0] -c config.rb", "starman master --port 5000 shop.psgi"
  if (const auto* const server = application_server_of(first)) {
    words.next();
    auto name = name_by_words(*server, words);
    return name == ProgramName{} ? here(first) : name;
  }
  // Its own words, chosen by whoever wrote it: "shop: worker 3".
  first = first.substr(0, first.find_first_of(":("));
  return {.name = std::string(base_name(first))};
}

}  // namespace exa
