#include "agent/discovery/program_name.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "agent/discovery/base_name.h"
#include "agent/discovery/process_title.h"
#include "agent/discovery/program_table.h"
#include "exa/base/ascii.h"

namespace exa {
namespace {

constexpr std::string_view kHere = ".";

// Also of a folder that is written with a slash behind it.
std::string_view last_part(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/'))
    path.remove_suffix(1);
  return base_name(path);
}

std::string_view folder_of(std::string_view path) {
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos) return kHere;
  return slash == 0 ? path.substr(0, 1) : path.substr(0, slash);
}

std::string_view without_extension(std::string_view name) {
  for (const std::string_view extension :
       {".py",  ".pyc", ".pyz", ".js",  ".mjs",  ".cjs",  ".jsx",    ".ts",     ".mts",  ".cts",
        ".tsx", ".jar", ".war", ".rb",  ".ru",   ".pl",   ".psgi",   ".php",    ".phar", ".dll",
        ".exe", ".ini", ".yml", ".xml", ".java", ".json", ".csproj", ".fsproj", ".yaml"})
    if (name.size() > extension.size() && name.ends_with(extension))
      return name.substr(0, name.size() - extension.size());
  return name;
}

// "1", "1.2", "1_2", "1.2.3-SNAPSHOT", "v1.4": but not the "2fa" of "shop-2fa-web".
bool is_version(std::string_view text) {
  if (text.starts_with('v')) text.remove_prefix(1);
  const auto number = text.find_first_not_of("0123456789");
  if (number == 0 || text.empty()) return false;
  return number == std::string_view::npos ||
         (number + 1 < text.size() && std::string_view("._+").find(text[number]) != text.npos);
}

std::string_view without_version(std::string_view name) {
  for (std::size_t at = 1; at + 1 < name.size(); ++at)
    if ((name[at] == '-' || name[at] == '_') && is_version(name.substr(at + 1)))
      return name.substr(0, at);
  return name;
}

// What a server or its framework asks a file to be called says nothing of the application.
bool is_entry(std::string_view name) {
  if (name == "config.ru" || name == "app.psgi") return true;
  constexpr std::array<std::string_view, 7> kEntries = {"__main__", "index", "manage", "wsgi",
                                                        "asgi",     "uwsgi", "artisan"};
  return std::ranges::find(kEntries, without_extension(name)) != kEntries.end();
}

// A file and a module have no such names. Whatever option it is the value of, one that no table
// knows, is not taken for the program.
bool is_no_program(std::string_view word) {
  const auto name = last_part(word);
  if (word.empty() || name.find('=') != std::string_view::npos) return true;
  if (name.starts_with('.') && name != "." && name != "..") return true;
  const auto rest = name.find_first_not_of("0123456789.:[]*");
  if (rest == std::string_view::npos && name != "." && name != "..") return true;
  if (word.find("://") != std::string_view::npos) return true;
  for (const std::string_view scheme : {"localhost", "unix:", "tcp:", "ssl:", "fd:"})
    if (word.starts_with(scheme) &&
        (scheme.ends_with(':') || word.size() == scheme.size() || word[scheme.size()] == ':'))
      return true;
  // host:port, an IPv6 address with or without one.
  const auto colon = word.rfind(':');
  return colon != std::string_view::npos && colon + 1 < word.size() &&
         std::ranges::all_of(word.substr(colon + 1), is_digit);
}

ProgramName of_folder(std::string_view folder, std::string_view otherwise = {}) {
  return {.name = std::string(otherwise), .folder = std::string(folder)};
}

ProgramName of_script(std::string_view path, bool is_java, std::string_view folder = {}) {
  const auto name = last_part(path);
  if (name == "." || name == ".." || name == "/") return of_folder(path);
  const auto stem = without_extension(name);
  if (is_entry(name)) return of_folder(folder.empty() ? folder_of(path) : folder, stem);
  const bool archive = is_java && (name.ends_with(".jar") || name.ends_with(".war"));
  return {.name = std::string(archive ? without_version(stem) : stem)};
}

// "shop" of shop.__main__; the module of Java's "module/class".
ProgramName of_module(std::string_view module) {
  module = module.substr(0, module.find('/'));
  constexpr std::string_view kMain = ".__main__";
  if (module.ends_with(kMain)) module.remove_suffix(kMain.size());
  return {.name = std::string(module)};
}

}  // namespace

ProgramName of_application(std::string_view application, std::string_view folder) {
  for (const std::string_view kind : {"asgi:", "wsgi:"})
    if (application.starts_with(kind) && application.find(':', kind.size()) != application.npos)
      application.remove_prefix(kind.size());
  application = application.substr(0, application.find(':'));
  if (application.find('/') != std::string_view::npos || application.ends_with(".py"))
    return of_script(application, false, folder);
  if (is_entry(application)) return of_folder(folder.empty() ? kHere : folder, application);
  return {.name = std::string(application)};
}

namespace {

// One walk along the words, from the interpreter to the server that it runs, if it runs one.
class Walk {
 public:
  Walk(const Program& program, Words words) : program_(&program), words_(words) {}

  ProgramName run() {
    while (!found_) {
      const auto word = words_.next();
      if (!word) return conclusion();
      if (*word == "--")
        take_next();
      else if (*word == "-")
        found_ = ProgramName{};  // the program comes from standard input
      else if (word->starts_with('-'))
        take_option(*word);
      else
        take_word(*word);
    }
    return std::move(*found_);
  }

 private:
  void take_next() {
    if (const auto word = words_.next()) take_word(*word);
  }

  [[nodiscard]] const ProgramOption* option(std::string_view text) const {
    const auto row = std::ranges::find(program_->options, text, &ProgramOption::text);
    return row == program_->options.end() ? nullptr : &*row;
  }

  void take_option(std::string_view word) {
    if (const auto* const row = option(word)) {
      if (row->says == Says::kScriptFollows)
        words_in_file_ = false;
      else if (row->says != Says::kAttached)
        take(row->says, words_.next().value_or(""));
      return;
    }
    for (const auto& row : program_->options)
      if (row.text.ends_with('=') && word.starts_with(row.text))
        return take(row.says, word.substr(row.text.size()));
    if (!program_->clusters || word.starts_with("--")) return;
    for (std::size_t at = 1; at < word.size(); ++at) {
      const std::array<char, 2> text{'-', word[at]};
      const auto* const row = option({text.data(), text.size()});
      if (row == nullptr) continue;
      if (row->says == Says::kAttached) return;
      const auto rest = word.substr(at + 1);
      return take(row->says, rest.empty() ? words_.next().value_or("") : rest);
    }
  }

  void take_word(std::string_view word) {
    if (program_->is_java && word.starts_with('@')) {
      // Options in a file of the process' own choosing, which is not read: the next word may be the
      // program, or what it is given.
      words_in_file_ = true;
      return;
    }
    const auto& commands = program_->commands;
    if (std::ranges::find(commands, word) != commands.end()) {
      commanded_ = true;
      return;
    }
    if (is_no_program(word)) return;
    if (words_in_file_) {
      found_ = ProgramName{};
      return;
    }
    take(program_->word, word);
  }

  void take(Says says, std::string_view value) {
    switch (says) {
      case Says::kNothing:
      case Says::kAttached:
      case Says::kScriptFollows:
        return;
      case Says::kCode:
        found_ = ProgramName{.of_parent = value.starts_with("from multiprocessing.spawn import ") ||
                                          value.starts_with("from multiprocessing.forkserver ")};
        return;
      case Says::kModule:
        if (!chosen_.empty())
          found_ = ProgramName{.name = std::string(chosen_)};
        else if (!take_server(value))
          found_ = of_module(value);
        return;
      case Says::kScriptOrTask:
        if (value.find_first_of("./") == std::string_view::npos) {
          serves_folder_ = true;
          words_ = Words({}, '\0');
          return;
        }
        [[fallthrough]];
      case Says::kScript:
        if (serves_folder_) return;
        if (!chosen_.empty())
          found_ = ProgramName{.name = std::string(chosen_)};
        else if (!take_server(without_extension(last_part(value))))
          found_ = of_script(value, program_->is_java);
        return;
      case Says::kScriptGoOn:
        file_ = value;
        return;
      case Says::kApplication:
        if (application_.empty()) application_ = value;
        return;
      case Says::kName:
        chosen_ = value;
        return;
      case Says::kFolder:
        folder_ = value;
        return;
      case Says::kServesFolder:
        serves_folder_ = true;
        return;
    }
  }

  // The rest of the words is a server's, which has options of its own.
  bool take_server(std::string_view name) {
    const auto* const server = application_server_of(name);
    if (server == nullptr || server == program_) return false;
    program_ = server;
    serves_folder_ = true;  // if nothing says more
    commanded_ = false;
    server_ = server->name;
    if (server->word == Says::kScript) serves_folder_ = false;  // starts another program
    return true;
  }

  [[nodiscard]] ProgramName conclusion() const {
    const auto folder = folder_.empty() ? kHere : folder_;
    if (!chosen_.empty()) return {.name = std::string(chosen_)};
    if (!application_.empty()) return of_application(application_, folder_);
    if (!file_.empty()) return of_script(file_, false, folder_);
    if (serves_folder_ || commanded_) return of_folder(folder, server_);
    return {};
  }

  const Program* program_;
  Words words_;
  std::string_view application_;
  std::string_view file_;
  std::string_view chosen_;
  std::string_view folder_;
  std::string_view server_;
  bool commanded_ = false;
  bool serves_folder_ = false;
  bool words_in_file_ = false;
  std::optional<ProgramName> found_;
};

}  // namespace

ProgramName name_by_words(const Program& program, Words words) {
  return Walk(program, words).run();
}

ProgramName program_name(std::string_view executable, std::string_view cmdline) {
  const auto* const interpreter = interpreter_of(last_part(executable));
  if (interpreter == nullptr) return {};
  Words words(cmdline, '\0');
  const auto first = words.next().value_or("");
  if (words.only_empty_left() && interpreter_of(last_part(first)) == nullptr)
    return name_by_title(first);
  return name_by_words(*interpreter, words);
}

std::string folder_name(std::string_view working_folder, std::string_view folder) {
  // Where a project keeps what is built or served of it.
  constexpr std::array<std::string_view, 8> kWithin = {"public", "dist", "build", "src",
                                                       "bin",    "lib",  "out",   "target"};
  if (!folder.starts_with('/') && !working_folder.starts_with('/')) return {};
  std::vector<std::string_view> parts;
  const auto walk = [&](std::string_view path) {
    Words words(path, '/');
    while (const auto part = words.next()) {
      if (*part == ".." && !parts.empty()) parts.pop_back();
      if (!part->empty() && *part != "." && *part != "..") parts.push_back(*part);
    }
  };
  if (!folder.starts_with('/')) walk(working_folder);
  walk(folder);
  for (const std::string_view built : {".output", ".next"})
    if (const auto at = std::ranges::find(parts, built); at != parts.end() && at != parts.begin())
      parts.erase(at, parts.end());
  while (parts.size() > 1 && std::ranges::find(kWithin, parts.back()) != kWithin.end())
    parts.pop_back();
  return parts.empty() ? std::string() : std::string(parts.back());
}

}  // namespace exa
