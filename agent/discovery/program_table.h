// How interpreters and application servers are told what to run: one row a program, with its own
// options, so that no value of an option is ever taken for the program.
// Pure. An option without a row takes no value.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace exa {

// What an option, or the first word that is none, says.
enum class Says : std::uint8_t {
  kNothing,        // takes a value that names nobody
  kAttached,       // a short option whose value, if it has one, is the rest of its word
  kCode,           // the program is the value itself, and has no name
  kScript,         // the file that is run; what follows is that program's own
  kScriptFollows,  // takes no value: what comes next that is no option is that file
  kModule,         // a dotted module that is run; what follows is that program's own
  kScriptGoOn,     // the file of an application; options follow
  kApplication,    // "shop.wsgi:app": the object that is served; options follow
  kName,           // the name that somebody chose for it
  kFolder,         // the folder of the project
  kServesFolder,   // takes a value, an address; what is served is a folder, whatever follows
  kScriptOrTask,   // a file, or the name of a task of the project in this folder
};

struct ProgramOption {
  std::string_view
      text;  // "-W", "--require"; with '=' at its end: the rest of the word is the value
  Says says;
};

struct Program {
  std::string_view name;
  std::span<const ProgramOption> options;
  std::span<const std::string_view> commands = {};  // words that may stand before it
  Says word = Says::kScript;                        // the first word that is no option or command
  bool clusters = true;                             // "-uW x" is "-u -W x"
  bool is_java = false;  // @files, and archives that carry their version in their name
};

// By the name of the executable, behind which a version may stand: python3.11. Null: none.
const Program* interpreter_of(std::string_view executable);
// By the name of the script, module or class that an interpreter runs. Null: a program like others.
const Program* application_server_of(std::string_view name);

}  // namespace exa
